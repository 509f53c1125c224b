import { offsetAt } from '../ticks/zone-offset.ts';

/** A moment at which the clocks of a zone are moved: milliseconds, the offsets being local time minus UTC. */
export interface ClockChange {
  at: number;
  before: number;
  after: number;
  /** The local times that are skipped or repeated, as if they were UTC; `end` is not part of them. */
  start: number;
  end: number;
  isSkip: boolean;
}

/** How many calendar years ahead clock changes are looked for, the current one included. */
export const yearsAhead = 3;

const dayMs = 86_400_000;

const known = new Map<string, ClockChange[]>();

/** Finds the clock changes of a zone in the given year and those that follow it, in their order. */
export function listClockChanges(timezone: string, fromYear: number): ClockChange[] {
  if (timezone === 'UTC') return [];
  const key = `${fromYear} ${timezone}`;
  const changes =
    known.get(key) ?? findClockChanges(timezone, Date.UTC(fromYear, 0, 1), Date.UTC(fromYear + yearsAhead, 0, 1));
  known.set(key, changes);
  return changes;
}

function findClockChanges(timezone: string, from: number, to: number): ClockChange[] {
  const changes: ClockChange[] = [];
  let before = offsetAt(timezone, from - dayMs);
  for (let day = from; day <= to + dayMs; day += dayMs) {
    const after = offsetAt(timezone, day);
    if (after !== before) changes.push(describeChange(findMoment(timezone, day - dayMs, day), before, after));
    before = after;
  }
  return changes;
}

/** Halves a day in which the offset changes until the second is found. */
function findMoment(timezone: string, low: number, high: number): number {
  const before = offsetAt(timezone, low);
  let [start, end] = [low, high];
  while (end - start > 1_000) {
    const middle = start + Math.floor((end - start) / 2_000) * 1_000;
    if (offsetAt(timezone, middle) === before) start = middle;
    else end = middle;
  }
  return end;
}

function describeChange(at: number, before: number, after: number): ClockChange {
  const isSkip = after > before;
  return { at, before, after, isSkip, start: at + (isSkip ? before : after), end: at + (isSkip ? after : before) };
}
