import type pg from 'pg';
import { readHistoryClock } from '../history/outside-runs.ts';

/** More than this is not the time that an answer takes. */
export const clockToleranceMs = 30_000;

/** The clock of the history beside that of this machine. */
export interface ClockReading {
  /** By how much this machine's is ahead, where that is more than the tolerance; else 0. */
  aheadMs: number;
  /** The time by the history, in epoch milliseconds. */
  nowMs: number;
}

/** Compares the clocks; what the question took on its way counts for nobody. */
export async function readClock(pool: pg.Pool, localNow: () => number = Date.now): Promise<ClockReading> {
  const askedMs = localNow();
  const nowMs = (await readHistoryClock(pool)).getTime();
  const answeredMs = localNow();
  const aheadMs = Math.round((askedMs + answeredMs) / 2 - nowMs);
  const isOff = Math.abs(aheadMs) - (answeredMs - askedMs) / 2 > clockToleranceMs;
  return { aheadMs: isOff ? aheadMs : 0, nowMs };
}
