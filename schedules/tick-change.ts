import { writeCanonical } from '../compiler/digest.ts';
import type { Cadence } from '../workflows/contract.ts';
import { nextTicks } from '../ticks/ticks.ts';

/** What a change does to the ticks that come next; ISO, UTC. */
export interface TickChange {
  before: string[];
  after: string[];
  /** A sentence where a tick that was due does not come, or one comes that was not due. */
  remark?: string;
}

const shownTicks = 5;

/**
 * Compares the next ticks of two cadences; undefined where the times are the same. A side without a cadence does not
 * fire: it is paused, or not there.
 */
export function compareTicks(
  before: Cadence | undefined,
  after: Cadence | undefined,
  now: Date,
): TickChange | undefined {
  if (writeCanonical(before) === writeCanonical(after)) return undefined;
  const [old, next] = [listNext(before, now), listNext(after, now)];
  const remark = before && after && describeFirst(old[0], next);
  return { before: old, after: next, ...(remark === undefined ? {} : { remark }) };
}

function listNext(cadence: Cadence | undefined, now: Date): string[] {
  if (cadence === undefined) return [];
  return nextTicks(cadence, now.getTime(), shownTicks).map((tick) => new Date(tick).toISOString());
}

function describeFirst(due: string | undefined, next: string[]): string | undefined {
  const [first] = next;
  if (due === undefined)
    return first === undefined ? undefined : `it would not have fired any more; now it does at ${first}`;
  if (first === undefined) return `the tick that is due at ${due} does not come, nor any other: it never fires again`;
  if (first > due) return `skips a tick: the one that is due at ${due} does not come; the next is at ${first}`;
  const sooner = next.filter((tick) => tick < due).length;
  const isDue = next.includes(due) || next.length === sooner;
  if (sooner === 0) return undefined;
  const count = sooner === 1 ? 'a tick comes' : `${sooner === shownTicks ? 'at least ' : ''}${sooner} ticks come`;
  return `${count} before the one that was due at ${due}, the first at ${first}${isDue ? '' : `; that one does not come`}`;
}
