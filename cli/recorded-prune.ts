import type { Client } from '@temporalio/client';
import type { FieldChange } from '../history/journal.ts';
import { recordApplied } from '../history/revisions.ts';
import { forEachAtOnce } from '../schedules/each.ts';
import { pruneSchedule } from '../schedules/orphans.ts';
import type { PlannedChange } from '../schedules/plan.ts';
import { readServerFault } from '../schedules/server-fault.ts';
import { withApplyLock } from './apply-lock.ts';
import type { Settings } from './settings.ts';
import { signAs } from './workspace.ts';

/**
 * Removes orphans while no other command changes schedules, each an event of the journal. One that fails does not stop
 * the others; nothing is removed where the history is away.
 */
export async function pruneRecorded(
  settings: Settings,
  client: Client,
  orphans: PlannedChange[],
): Promise<PlannedChange[]> {
  if (orphans.length === 0) return [];
  return withApplyLock(settings, 'prune', async (history) => {
    const changes = await pruneAll(client, orphans, settings.taskQueue);
    const events = changes.filter(({ action }) => action === 'prune').map(describeRemoval);
    await recordApplied(history, [], signAs('prune', settings), events);
    return changes;
  });
}

function pruneAll(client: Client, orphans: PlannedChange[], taskQueue: string): Promise<PlannedChange[]> {
  return forEachAtOnce(orphans, async (orphan): Promise<PlannedChange> => {
    try {
      return await pruneSchedule(client, orphan, taskQueue);
    } catch (error) {
      const fault = readServerFault(error);
      if (fault === undefined) throw error;
      return { ...orphan, action: 'failed', remark: `not removed: ${fault.message}` };
    }
  });
}

function describeRemoval({ id, paused }: PlannedChange): FieldChange {
  return { entityType: 'definition', entityId: id, field: 'schedule', action: 'delete', oldValue: { paused } };
}
