import type { Command } from 'commander';
import { handle, withJson } from '../command.ts';
import { refuseRetired, requireSchedule } from '../own-schedule.ts';
import { tellJournal } from '../pause-journal.ts';
import { Refusal } from '../refusal.ts';
import { withTemporal } from '../temporal-service.ts';

export function addResume(program: Command, signal: AbortSignal): void {
  const command = program
    .command('resume')
    .summary('resume a schedule that was paused by hand')
    .description('Resume a schedule that was paused by hand.')
    .argument('<id>', 'id of the definition');
  handle(withJson(command), signal, async ({ settings, output }, _, [id = '']) => {
    const resumedAt = await withTemporal(settings, async (client) => {
      const schedule = await requireSchedule(client, id);
      refuseRetired(schedule);
      const { paused, enabled } = schedule;
      if (paused && enabled === false) {
        throw new Refusal(`${id} is off: its definition says enabled: false`, 'Set enabled: true there, and apply.');
      }
      if (!paused) return undefined;
      await client.schedule.getHandle(id).unpause(`resumed by ${settings.actor}`);
      return new Date();
    });
    if (resumedAt !== undefined) {
      const change = { definitionId: id, note: undefined, since: resumedAt.toISOString() };
      await tellJournal({ settings, output }, 'resume', change);
    }
    output.data({ id, paused: false });
    output.line(resumedAt !== undefined ? `${id} is resumed` : `${id} was not paused`);
  });
}
