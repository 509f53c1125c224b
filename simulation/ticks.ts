import type { Cadence } from '../workflows/contract.ts';
import { findNext, matches, openCalendar } from './calendar-search.ts';
import { openZone } from './zone.ts';

/** The ticks of a span of time, or that there are more than were asked for. */
export type TickList = { ticksMs: number[] } | { tooMany: number; reachedMs: number };

/** How many times that `skip` takes out are passed for each tick that is asked for, before it is given up. */
const skippedPerTick = 10;

/**
 * The ticks from one instant on and before another, in epoch milliseconds, as the server computes them. Jitter is left
 * out: the server draws it.
 */
export function listTicks(cadence: Cadence, fromMs: number, toMs: number, most: number): TickList {
  const next = openCadence(cadence, toMs);
  const ticksMs: number[] = [];
  let candidates = 0;
  let after = Math.ceil(fromMs / 1_000) * 1_000 - 1_000;
  // The server compares whole seconds at the start, and the exact time at the end.
  if (cadence.startAt !== undefined) after = Math.max(after, toSeconds(Date.parse(cadence.startAt)) - 1_000);
  const endMs = cadence.endAt === undefined ? Infinity : Date.parse(cadence.endAt);
  for (let tick = next.find(after); tick < toMs && tick <= endMs; tick = next.find(tick)) {
    candidates += 1;
    if (ticksMs.length === most || candidates > most * skippedPerTick) return { tooMany: most, reachedMs: tick };
    if (!next.isSkipped(tick)) ticksMs.push(tick);
  }
  return { ticksMs };
}

function openCadence({ timezone, calendars, intervals, skip }: Cadence, untilMs: number) {
  const zone = openZone(timezone);
  const sources = calendars.map((calendar) => {
    const sets = openCalendar(calendar);
    let found = -Infinity;
    // Each calendar is searched again only when its last match has been passed.
    return (afterMs: number) =>
      found > afterMs ? found : (found = findNext(sets, zone, afterMs, untilMs) ?? Infinity);
  });
  const phases = intervals.map(
    ({ everyMs, offsetMs }) =>
      (afterMs: number) =>
        (Math.floor((toSeconds(afterMs) - offsetMs) / everyMs) + 1) * everyMs + offsetMs,
  );
  const skipped = skip.map(openCalendar);
  return {
    find: (afterMs: number) => Math.min(...[...sources, ...phases].map((source) => source(afterMs))),
    isSkipped: (tickMs: number) => skipped.some((sets) => matches(sets, zone, tickMs)),
  };
}

function toSeconds(instantMs: number): number {
  return Math.floor(instantMs / 1_000) * 1_000;
}
