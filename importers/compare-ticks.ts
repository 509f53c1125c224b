import { listClockChanges } from '../compiler/clock-change.ts';

/** What is different between two lists of instants, in epoch milliseconds. */
export interface TickDifference {
  /** Instants of the original at which the definition does not fire. */
  missing: number[];
  /** Instants of the definition at which the original does not fire. */
  extra: number[];
  /** What explains all of it, as a sentence without its full stop. */
  cause?: string;
}

/** A day on which the clocks are moved, and what a policy may move a tick by. */
const nearChangeMs = 4 * 3_600_000;

/** Compares two rising lists. */
export function compareTicks(
  original: readonly number[],
  compiled: readonly number[],
  timezone: string,
): TickDifference {
  const missing: number[] = [];
  const extra: number[] = [];
  let [left, right] = [0, 0];
  while (left < original.length || right < compiled.length) {
    const [one, other] = [original[left] ?? Infinity, compiled[right] ?? Infinity];
    if (one < other) missing.push(one);
    if (other < one) extra.push(other);
    left += one <= other ? 1 : 0;
    right += other <= one ? 1 : 0;
  }
  const cause = findCause(missing, extra, original.length, timezone);
  return { missing, extra, ...(cause === undefined ? {} : { cause }) };
}

function findCause(missing: number[], extra: number[], count: number, timezone: string): string | undefined {
  const all = [...missing, ...extra].sort((left, right) => left - right);
  const [first] = all;
  if (first === undefined) return undefined;
  const shift = (missing[0] ?? 0) - (extra[0] ?? 0);
  const isShifted =
    missing.length === extra.length && missing.every((tick, index) => tick - (extra[index] ?? 0) === shift);
  if (isShifted && missing.length === count && shift % 60_000 !== 0) {
    return `each firing of the definition is ${shift / 1_000} s before that of the original`;
  }
  const changes = listClockChanges(timezone, new Date(first).getUTCFullYear()).map(({ at }) => at);
  const near = (tick: number): number | undefined => changes.find((at) => Math.abs(at - tick) <= nearChangeMs);
  if (!all.every((tick) => near(tick) !== undefined)) return undefined;
  const days = [...new Set(all.map((tick) => new Date(near(tick) ?? tick).toISOString().slice(0, 10)))];
  return `the clocks of ${timezone} are moved on ${days.join(' and ')}`;
}
