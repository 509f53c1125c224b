import type pg from 'pg';
import type { Flag } from '../history/flags.ts';
import { findOtherReport, recordOutsideEnd, recordOutsideStart } from '../history/outside-runs.ts';
import type { OutsideEnd, OutsideRow, OutsideRun } from '../history/outside-runs.ts';
import type { KnownActivity } from './activity.ts';
import { clockToleranceMs, readClock } from './clock.ts';
import { concludeEntry, concludeVanished } from './conclude.ts';
import type { Entry, Place } from './entry.ts';
import { judgeNamedTick, placeStart } from './place-start.ts';

/** What it takes to bring a report into the history. */
export interface Delivery {
  pool: pg.Pool;
  /** The definition as it is in force; undefined where the history knows none of this id. */
  resolve(definitionId: string): Promise<KnownActivity | undefined>;
  /** Keeps the place that an entry was given; it is found again where it was not kept. */
  keepPlace(entry: Entry): void;
}

/** How it is told: by whoever ran it or afterwards, and whether nobody is left to say how it ended. */
export interface Telling {
  isSpooled: boolean;
  isVanished?: true;
  /** How many reports before it were lost. */
  dropped?: number;
}

/** Writes what is known of an execution into its row; may be repeated. Undefined where its definition is not known. */
export async function deliverEntry(
  entry: Entry,
  delivery: Delivery,
  { isSpooled, isVanished, dropped = 0 }: Telling,
): Promise<OutsideRow | undefined> {
  const activity = await delivery.resolve(entry.definitionId);
  if (activity === undefined) return undefined;
  const { end } = entry;
  if (entry.place === undefined) {
    entry.place = await placeEntry(entry, delivery.pool, activity);
    delivery.keepPlace(entry);
  }
  const { place } = entry;
  const run = describeRun(entry, place, isSpooled);
  const told = (): OutsideEnd | undefined => {
    if (end !== undefined) return concludeEntry(entry, end, activity, { aheadMs: place.aheadMs, dropped });
    return isVanished === true ? concludeVanished(entry, place.aheadMs) : undefined;
  };
  const ended = told();
  return ended === undefined ? recordOutsideStart(delivery.pool, run) : recordOutsideEnd(delivery.pool, run, ended);
}

/**
 * Finds the row of an execution, by the clock of the history. What began late is by itself where its tick has been run by
 * another, as when somebody starts it by hand.
 */
async function placeEntry(entry: Entry, pool: pg.Pool, activity: KnownActivity): Promise<Place> {
  const clock = await readClock(pool);
  const localMs = Date.parse(entry.startedAt);
  // A clock that was set right since has told of a time that is still to come.
  const isAhead = localMs - clock.aheadMs > clock.nowMs + clockToleranceMs;
  const aheadMs = isAhead ? Math.round(localMs - clock.nowMs) : clock.aheadMs;
  const startMs = localMs - aheadMs;
  const { order, sources, toleranceMs } = activity;
  const cadence = sources[entry.source];
  const placed =
    entry.scheduledAt === undefined
      ? placeStart(cadence, startMs, toleranceMs)
      : judgeNamedTick(cadence, { tickMs: Date.parse(entry.scheduledAt), startMs, toleranceMs });
  const { source, reporterId } = entry;
  const scheduledAt = new Date(placed.tickMs).toISOString();
  const isTaken =
    placed.oddity === 'late' &&
    entry.scheduledAt === undefined &&
    (await findOtherReport(pool, { order, source, scheduledAt, reporterId })) !== undefined;
  const oddity = isTaken ? 'between_ticks' : placed.oddity;
  const flags: Flag[] = [...(oddity === undefined ? [] : [oddity]), ...(aheadMs === 0 ? [] : ['clock_off' as const])];
  return { order, scheduledAt: isTaken ? new Date(startMs).toISOString() : scheduledAt, flags, aheadMs };
}

function describeRun(
  { source, actor, reporterId, startedAt }: Entry,
  { order, scheduledAt, flags, aheadMs }: Place,
  isSpooled: boolean,
): OutsideRun {
  return {
    ...{ order, source, scheduledAt, actor, reporterId },
    startedAt: new Date(Date.parse(startedAt) - aheadMs).toISOString(),
    flags: isSpooled ? [...flags, 'spooled'] : flags,
  };
}
