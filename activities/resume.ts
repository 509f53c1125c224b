import type { TargetResult } from '../history/results.ts';
import type { EachPlan } from '../workflows/contract.ts';
import { openEndedSet } from './ended-set.ts';
import { type EndedTarget, type FanOut, openFanOut } from './fan-out.ts';
import { type FanOutCheckpoint, unpackList } from './fan-out-checkpoint.ts';
import { fanOutReasons } from './fan-out-reasons.ts';
import { awaitAtMost } from './patience.ts';
import type { Sweep } from './sweep.ts';
import { type Target, digestTargets, listTargets } from './target-list.ts';

const historyAllowanceMs = 3_000;

/**
 * The targets of a run and what has become of them so far. On the first worker nothing has; on a later one what the
 * heartbeat of the one before says, and what the history has got since. `offer` gets results whose rows may be missing.
 *
 * @throws TargetListError, the signal's reason, and what nobody foresaw
 */
export async function takeUpFanOut(
  sweep: Sweep,
  each: EachPlan,
  offer: (result: EndedTarget) => void,
): Promise<FanOut> {
  const { isFirst, earlier, deps, firing } = sweep.context;
  const left = earlier?.fanOut;
  const list = (left && unpackList(left, each.key)) ?? (await listTargets(sweep, each));
  if (isFirst) return openFanOut(list);
  const asked = deps.readResults(sweep.scope.idempotencyKey, firing.scheduledAt).catch(() => []);
  const rows = (await awaitAtMost(historyAllowanceMs, asked)) ?? [];
  return restore(
    list,
    left,
    rows.filter(({ outcome }) => outcome !== 'not_reached'),
    offer,
  );
}

function restore(
  list: Target[],
  left: FanOutCheckpoint | undefined,
  rows: TargetResult[],
  offer: (result: EndedTarget) => void,
): FanOut {
  const known = new Map([...(left?.recent ?? []), ...rows].map((result) => [result.target, result]));
  const isSame = left === undefined ? isInPlace(list, rows) : left.digest === digestTargets(list);
  const fanOut = openFanOut(isSame ? list : mergeLists(list, known, left));
  const counted = openEndedSet(left?.total ?? 0);
  if (left !== undefined) {
    counted.decode(left.ended);
    fanOut.failures.push(...left.failures);
    fanOut.isAssessed = left.isAssessed;
    for (const [target, operation] of Object.entries(left.operations)) fanOut.operations.set(target, operation);
  }
  const countedBefore = left?.failureCount ?? 0;
  for (const result of known.values()) fanOut.end(result);
  const late = [...known.values()].filter(({ ordinal }) => !counted.has(ordinal));
  fanOut.failureCount = late.reduce((sum, { assessmentFailureCount }) => sum + assessmentFailureCount, countedBefore);
  for (const result of left?.recent ?? []) offer(result);
  if (isSame) for (const result of recallLost(fanOut, counted, known)) offer(result);
  return fanOut;
}

/** Ended by the heartbeat's word, and the history has no row of it: that much is left to write down. */
function recallLost(fanOut: FanOut, counted: FanOut['ended'], known: Map<string, EndedTarget>): EndedTarget[] {
  return fanOut.targets.flatMap(({ ordinal, key }) => {
    const outcome = counted.get(ordinal);
    if (outcome === undefined || known.has(key)) return [];
    fanOut.ended.set(ordinal, outcome);
    const reason = fanOutReasons.lost;
    return [{ ordinal, target: key, outcome, assessment: 'none', assessmentFailureCount: 0, reason, attempt: 1 }];
  });
}

function isInPlace(list: Target[], rows: TargetResult[]): boolean {
  return rows.every(({ ordinal, target }) => list[ordinal]?.key === target);
}

/**
 * The list is another one by now, as that of open work is once some of it is done. What has ended keeps its place, and
 * what is new comes after all places of old.
 */
function mergeLists(list: Target[], known: Map<string, EndedTarget>, left: FanOutCheckpoint | undefined): Target[] {
  const done = [...known.values()].map(({ ordinal, target }) => ({ ordinal, key: target, value: target }));
  const places = left?.total ?? done.reduce((most, { ordinal }) => Math.max(most, ordinal + 1), 0);
  const open = list.filter(({ key }) => !known.has(key));
  return [...done, ...open.map((target, index) => ({ ...target, ordinal: places + index }))];
}
