import { listTicks, nextTicks } from '../ticks/ticks.ts';
import type { Cadence } from '../workflows/contract.ts';

/** The tick that a start belongs to, in epoch milliseconds. */
export interface Placement {
  tickMs: number;
  oddity?: 'late' | 'between_ticks';
}

/** How far back the tick before is looked for, step by step: most cadences have one within the hour. */
const looksBackMs = [3_600_000, 86_400_000, 8 * 86_400_000, 40 * 86_400_000, 400 * 86_400_000];
/** More ticks than any of these spans holds where the one before had none. */
const mostTicks = 100_000;

/**
 * Finds the tick of a start: the last one before it, up to half of the time to the next one, from the tolerance on as `late`;
 * the coming one from the tolerance before it. The tolerance is never more than half of the time between the two. A source
 * without a cadence has no ticks.
 */
export function placeStart(cadence: Cadence | undefined, startMs: number, toleranceMs: number): Placement {
  const between: Placement = { tickMs: startMs, oddity: 'between_ticks' };
  if (cadence === undefined) return between;
  const before = findTickBefore(cadence, startMs);
  const [after] = nextTicks(cadence, startMs, 1);
  const halfMs = before === undefined || after === undefined ? toleranceMs : (after - before) / 2;
  const nearMs = Math.min(toleranceMs, halfMs);
  if (before !== undefined && startMs - before <= nearMs + cadence.jitterMs) return { tickMs: before };
  if (after !== undefined && after - startMs <= nearMs) return { tickMs: after };
  return before !== undefined && startMs - before <= halfMs ? { tickMs: before, oddity: 'late' } : between;
}

/** Judges a start whose tick the runner itself names. */
export function judgeNamedTick(
  cadence: Cadence | undefined,
  { tickMs, startMs, toleranceMs }: { tickMs: number; startMs: number; toleranceMs: number },
): Placement {
  const isKnown = cadence !== undefined && findTickBefore(cadence, tickMs) === tickMs;
  if (!isKnown) return { tickMs, oddity: 'between_ticks' };
  return startMs - tickMs > toleranceMs + cadence.jitterMs ? { tickMs, oddity: 'late' } : { tickMs };
}

/** The last tick at or before an instant; undefined where there is none in more than a year. */
function findTickBefore(cadence: Cadence, instantMs: number): number | undefined {
  for (const backMs of looksBackMs) {
    const listed = listTicks(cadence, instantMs - backMs, instantMs + 1, mostTicks);
    const last = 'ticksMs' in listed ? listed.ticksMs.at(-1) : undefined;
    if (last !== undefined) return last;
  }
  return undefined;
}
