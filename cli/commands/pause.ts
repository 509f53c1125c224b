import type { Command } from 'commander';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { showLine } from '../printable.ts';
import { tellJournal } from '../pause-journal.ts';
import { requireSchedule } from '../own-schedule.ts';
import { withTemporal } from '../temporal-service.ts';

interface PauseOptions extends CommonOptions {
  note?: string;
}

export function addPause(program: Command, signal: AbortSignal): void {
  const command = program
    .command('pause')
    .summary('pause a schedule')
    .description('Pause a schedule. apply keeps the pause; resume ends it.')
    .argument('<id>', 'id of the definition')
    .option('--note <text>', 'why, for whoever finds it paused');
  handle<PauseOptions>(withJson(command), signal, async ({ settings, output }, options, [id = '']) => {
    const note = `paused by ${settings.actor}${options.note === undefined ? '' : `: ${options.note}`}`;
    const since = await withTemporal(settings, async (client) => {
      await requireSchedule(client, id);
      const now = new Date();
      await client.schedule.getHandle(id).pause(note);
      return now;
    });
    await tellJournal({ settings, output }, 'pause', { definitionId: id, note, since: since.toISOString() });
    output.data({ id, paused: true, note });
    output.line(`${id} is paused (${showLine(note)})`);
  });
}
