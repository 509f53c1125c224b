import type { Client } from '@temporalio/client';
import { ReadBackError, applySchedule, createSchedule, planSchedule, readBack } from './apply.ts';
import type { DesiredSchedule } from './desired.ts';
import { forEachAtOnce } from './each.ts';
import { readBackListed } from './listing.ts';
import { planChange } from './plan.ts';
import type { PlanOptions, PlannedChange } from './plan.ts';
import { readServerFault } from './server-fault.ts';

export interface SetOptions extends PlanOptions {
  /** Called as each schedule is done with, with what became of it. */
  onStep?: ((change: PlannedChange) => void) | undefined;
}

/** Plans every schedule of a set, in its order. */
export function planAll(
  client: Client,
  desired: DesiredSchedule[],
  options: SetOptions = {},
): Promise<PlannedChange[]> {
  return forEachAtOnce(desired, async (schedule) => {
    const change = await planSchedule(client, schedule, options);
    options.onStep?.(change);
    return change;
  });
}

/**
 * Applies every schedule of a set, in its order. One that fails does not stop the others, unless the server is away;
 * what failed, and what was not tried any more, is in the result. `listed` are the ids that the server has: others are
 * created without asking first, which the server refuses should one be there, and are read back together.
 */
export async function applyAll(
  client: Client,
  desired: DesiredSchedule[],
  { listed, ...options }: SetOptions & { listed?: ReadonlySet<string> | undefined } = {},
): Promise<PlannedChange[]> {
  const created: DesiredSchedule[] = [];
  let isAway = false;
  const apply = async (schedule: DesiredSchedule): Promise<PlannedChange> => {
    const isKnown = listed === undefined || listed.has(schedule.id) || schedule.movedFrom.length > 0;
    if (isKnown) return applySchedule(client, schedule, options);
    if (!(await createSchedule(client, schedule))) return applySchedule(client, schedule, options);
    created.push(schedule);
    return planChange(schedule, undefined);
  };
  const attempt = async (schedule: DesiredSchedule): Promise<PlannedChange> => {
    if (isAway) return fail(schedule, 'not_done', 'not tried any more');
    try {
      return await apply(schedule);
    } catch (error) {
      const failed = explainFailure(schedule, error);
      isAway ||= readServerFault(error)?.isUnreachable === true;
      return failed;
    }
  };
  const changes = await forEachAtOnce(desired, async (schedule) => {
    const change = await attempt(schedule);
    options.onStep?.(change);
    return change;
  });
  return isAway ? changes : readBackAll(client, created, changes);
}

/**
 * One listing says of all that were created what the server made of them; what it does not confirm is described. Where
 * the server goes away by then, those that were not confirmed count as failed.
 */
async function readBackAll(
  client: Client,
  created: DesiredSchedule[],
  changes: PlannedChange[],
): Promise<PlannedChange[]> {
  const faults = new Map<string, PlannedChange>();
  try {
    await forEachAtOnce(await readBackListed(client, created), async (schedule) => {
      try {
        await readBack(client, schedule, schedule.content, planChange(schedule, undefined));
      } catch (error) {
        faults.set(schedule.id, explainFailure(schedule, error));
      }
    });
  } catch (error) {
    for (const schedule of created) faults.set(schedule.id, explainFailure(schedule, error));
  }
  return changes.map((change) => faults.get(change.id) ?? change);
}

/** @throws what nobody foresaw */
function explainFailure(schedule: DesiredSchedule, error: unknown): PlannedChange {
  if (error instanceof ReadBackError) return fail(schedule, 'failed', error.message);
  const fault = readServerFault(error);
  if (fault === undefined) throw error;
  const message = fault.isUnreachable
    ? `the server does not answer any more, so it is not known whether this was written (${fault.message})`
    : `the server refuses it: ${fault.message}`;
  return fail(schedule, 'failed', message);
}

function fail({ id, enabled }: DesiredSchedule, action: 'failed' | 'not_done', remark: string): PlannedChange {
  return { id, action, fields: [], drift: [], paused: !enabled, remark };
}
