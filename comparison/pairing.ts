import { openQueue } from './nearest-queue.ts';
import type { ComparedTick } from './tick.ts';

/** Two ticks that stand for the same work, or one that has none beside it; in the order of the two sources. */
export type Paired = [ComparedTick, ComparedTick] | [ComparedTick, undefined] | [undefined, ComparedTick];

/**
 * Pairs the ticks of two sources one to one, the nearest first and never further apart than the tolerance; of two pairs that
 * are as near the earlier one. Expected ticks find each other before those that only a row names. In order of time.
 */
export function pairTicks(left: ComparedTick[], right: ComparedTick[], toleranceMs: number): Paired[] {
  const isExpected = (tick: ComparedTick) => tick.isExpected;
  const first = matchNearest(left.filter(isExpected), right.filter(isExpected), toleranceMs);
  const matched = new Set(first.flat());
  const isLeft = (tick: ComparedTick) => !matched.has(tick);
  const second = matchNearest(left.filter(isLeft), right.filter(isLeft), toleranceMs);
  for (const tick of second.flat()) matched.add(tick);
  const alone: Paired[] = [
    ...left.filter(isLeft).map((tick): Paired => [tick, undefined]),
    ...right.filter(isLeft).map((tick): Paired => [undefined, tick]),
  ];
  return [...first, ...second, ...alone].sort((one, other) => timeOf(one) - timeOf(other));
}

/** When a pair was due: its earlier tick. */
export function timeOf([left, right]: Paired): number {
  return Math.min(left?.tickMs ?? Infinity, right?.tickMs ?? Infinity);
}

/** A tick in the row of those that are left, by the places of its neighbours; -1 where there is none. */
interface Place {
  tick: ComparedTick;
  side: 0 | 1;
  before: number;
  after: number;
  isTaken: boolean;
}

/** The two nearest ticks that are left are always neighbours: taken out one pair at a time, they make others neighbours. */
function matchNearest(
  left: ComparedTick[],
  right: ComparedTick[],
  toleranceMs: number,
): [ComparedTick, ComparedTick][] {
  const places = lineUp(left, right);
  const queue = openQueue();
  const offer = (before: number, after: number) => {
    const [one, other] = [places[before], places[after]];
    if (one === undefined || other === undefined || one.side === other.side) return;
    const apartMs = other.tick.tickMs - one.tick.tickMs;
    if (apartMs <= toleranceMs) queue.push({ apartMs, before, after });
  };
  for (let index = 1; index < places.length; index += 1) offer(index - 1, index);
  const pairs: [ComparedTick, ComparedTick][] = [];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const [one, other] = [places[next.before], places[next.after]];
    if (one === undefined || other === undefined || one.isTaken || other.isTaken) continue;
    one.isTaken = true;
    other.isTaken = true;
    pairs.push(one.side === 0 ? [one.tick, other.tick] : [other.tick, one.tick]);
    const [before, after] = [places[one.before], places[other.after]];
    if (before !== undefined) before.after = other.after;
    if (after !== undefined) after.before = one.before;
    offer(one.before, other.after);
  }
  return pairs;
}

function lineUp(left: ComparedTick[], right: ComparedTick[]): Place[] {
  const all = [
    ...left.map((tick) => ({ tick, side: 0 as const })),
    ...right.map((tick) => ({ tick, side: 1 as const })),
  ].sort((one, other) => one.tick.tickMs - other.tick.tickMs);
  const last = all.length - 1;
  return all.map((one, index) => {
    return { ...one, before: index - 1, after: index === last ? -1 : index + 1, isTaken: false };
  });
}
