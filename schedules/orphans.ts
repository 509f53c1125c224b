import type { Client } from '@temporalio/client';
import { retiredNotePrefix } from './desired.ts';
import { forEachAtOnce } from './each.ts';
import { observeSchedule } from './observe.ts';
import type { ObservedSchedule } from './observe.ts';
import type { PlannedChange } from './plan.ts';

/** How many schedules may be removed at once: so many, or a share of ours, of which one is always allowed. */
export type PruneLimit = { count: number } | { percent: number };

export const defaultPruneLimit: PruneLimit = { percent: 20 };

/** Our schedules that no definition stands for. */
export interface OrphanSurvey {
  orphans: PlannedChange[];
  /** How many schedules of this task queue are ours, the orphans among them. */
  ourCount: number;
}

/**
 * Finds the orphans among the listed ids. The listing lags behind and says little: each is described. Schedules of
 * another task queue belong to another folder of definitions and are not looked at.
 */
export async function surveyOrphans(
  client: Client,
  { listed, defined, taskQueue }: { listed: Iterable<string>; defined: ReadonlySet<string>; taskQueue: string },
): Promise<OrphanSurvey> {
  const ids = [...listed];
  const undefinedIds = ids.filter((id) => !defined.has(id));
  const seen = await forEachAtOnce(undefinedIds, (id) => observeSchedule(client, id));
  const orphans = seen.filter((schedule) => isOrphan(schedule, taskQueue)).map(describeOrphan);
  return { orphans, ourCount: ids.length - undefinedIds.length + orphans.length };
}

/** How many of ours a limit lets through. */
export function countPrunable(limit: PruneLimit, ourCount: number): number {
  if ('count' in limit) return limit.count;
  return limit.percent === 0 ? 0 : Math.max(1, Math.floor((ourCount * limit.percent) / 100));
}

/** Removes one orphan; looks once more whether it still is one. */
export async function pruneSchedule(client: Client, orphan: PlannedChange, taskQueue: string): Promise<PlannedChange> {
  const schedule = await observeSchedule(client, orphan.id);
  if (schedule !== undefined && !isOrphan(schedule, taskQueue)) {
    return { ...orphan, action: 'orphan', remark: 'it has changed on the server meanwhile, and is left alone' };
  }
  if (schedule !== undefined) await client.schedule.getHandle(orphan.id).delete();
  return { ...orphan, action: 'prune' };
}

function isOrphan(schedule: ObservedSchedule | undefined, taskQueue: string): schedule is ObservedSchedule {
  const isRetired = schedule?.note?.startsWith(retiredNotePrefix) === true;
  return schedule?.isOurs === true && schedule.taskQueue === taskQueue && !isRetired;
}

function describeOrphan({ id, paused, note }: ObservedSchedule): PlannedChange {
  return {
    id,
    action: 'orphan',
    fields: [],
    drift: [],
    paused,
    ...(note === undefined ? {} : { note }),
    remark: 'it is ours, and no definition has this id; actcore prune removes it',
  };
}
