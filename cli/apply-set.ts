import type { Client } from '@temporalio/client';
import { applySchedule } from '../schedules/apply.ts';
import { compileSchedule } from '../schedules/desired.ts';
import type { DesiredSchedule } from '../schedules/desired.ts';
import { forEachAtOnce } from '../schedules/each.ts';
import type { PlannedChange } from '../schedules/plan.ts';
import { ensureSearchAttributes } from '../schedules/search-attributes.ts';
import type { Session } from './command.ts';
import type { CompiledSet } from './definition-files.ts';
import type { Output } from './output.ts';
import { applyRecorded } from './recorded-apply.ts';
import type { Waivers } from './recorded-apply.ts';
import { withTemporal } from './temporal-service.ts';

/** Applies a set of definitions to the server and records it, as `apply` and `dev` do. */
export async function applySet(
  { settings, output }: Pick<Session, 'settings' | 'output'>,
  set: Pick<CompiledSet, 'definitions' | 'texts'>,
  waivers: Waivers,
): Promise<PlannedChange[]> {
  return withTemporal(settings, async (client, connection) => {
    await ensureSearchAttributes(connection, settings.namespace);
    return applyRecorded(settings, client, set, waivers, (admitted, onApplied) => {
      const desired = admitted.map((definition) => compileSchedule(definition, settings.taskQueue));
      return applyAll(client, desired, output, onApplied);
    });
  });
}

/** What was done before a failure is told, for it stays done. */
async function applyAll(
  client: Client,
  desired: DesiredSchedule[],
  output: Output,
  onApplied: (change: PlannedChange) => void,
): Promise<PlannedChange[]> {
  const done: string[] = [];
  try {
    return await forEachAtOnce(desired, async (schedule, index) => {
      output.progress(`applying ${index + 1} of ${desired.length}`);
      const change = await applySchedule(client, schedule);
      done.push(schedule.id);
      onApplied(change);
      return change;
    });
  } catch (error) {
    output.note(`${done.length} of ${desired.length} were applied before it failed: ${done.join(', ') || 'none'}`);
    throw error;
  }
}
