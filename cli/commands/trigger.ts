import type { Command } from 'commander';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { fireByHand } from '../firing.ts';
import { reportFiring } from '../firing-output.ts';
import { findRunning, refuseRetired, requireSchedule } from '../own-schedule.ts';
import { Refusal } from '../refusal.ts';
import { withTemporal } from '../temporal-service.ts';

interface TriggerOptions extends CommonOptions {
  follow?: boolean;
  allowOverlap?: boolean;
}

export function addTrigger(program: Command, signal: AbortSignal): void {
  const command = program
    .command('trigger')
    .summary('run what was applied once, now')
    .description('Run a definition once, now, as it was last applied. Refused while a run of it is going.')
    .argument('<id>', 'id of the definition')
    .option('--follow', 'wait for the end, and exit with the exit code of the run')
    .option('--allow-overlap', 'fire even while a run is going');
  handle<TriggerOptions>(withJson(command), signal, async (session, options, [id = '']) => {
    const { settings } = session;
    return withTemporal(settings, async (client) => {
      const schedule = await requireSchedule(client, id);
      refuseRetired(schedule);
      const running = options.allowOverlap === true ? [] : await findRunning(client, schedule);
      if (running.length > 0) {
        throw new Refusal(
          `A run of ${id} is going: ${running.join(', ')}`,
          'Wait for its end, or say --allow-overlap.',
        );
      }
      const firing = { trigger: 'manual', actor: settings.actor } as const;
      const run = await fireByHand(client, settings, schedule.order, firing, { runbook: schedule.runbook, file: id });
      return reportFiring(session, client, run, { follow: options.follow === true });
    });
  });
}
