import type { Cadence, Calendar } from '../workflows/contract.ts';
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
  const ticksMs: number[] = [];
  let candidates = 0;
  for (const { tickMs, isSkipped } of walkTicks(cadence, fromMs, toMs)) {
    candidates += 1;
    if (ticksMs.length === most || candidates > most * skippedPerTick) return { tooMany: most, reachedMs: tickMs };
    if (!isSkipped) ticksMs.push(tickMs);
  }
  return { ticksMs };
}

/** The server knows no year after 2100. */
const lastInstantMs = Date.UTC(2101, 0, 1);

/** A `skip` that takes out every time must come to an end. */
const mostSkipped = 200_000;

/** The next `count` ticks after an instant, in epoch milliseconds; fewer where there are no more. */
export function nextTicks(cadence: Cadence, afterMs: number, count: number): number[] {
  const ticksMs: number[] = [];
  let skipped = 0;
  for (const { tickMs, isSkipped } of walkTicks(cadence, toSeconds(afterMs) + 1_000, lastInstantMs)) {
    if (isSkipped) skipped += 1;
    else ticksMs.push(tickMs);
    if (ticksMs.length === count || skipped === mostSkipped) break;
  }
  return ticksMs;
}

/** Whether the clocks show at an instant what the cadence asks for, within its start and end and not skipped. */
export function isTick({ timezone, calendars, intervals, skip, startAt, endAt }: Cadence, instantMs: number): boolean {
  if (instantMs % 1_000 !== 0) return false;
  if (startAt !== undefined && instantMs < toSeconds(Date.parse(startAt))) return false;
  if (endAt !== undefined && instantMs > Date.parse(endAt)) return false;
  const zone = openZone(timezone);
  const isShown = (calendar: Calendar) => matches(openCalendar(calendar), zone, instantMs);
  if (skip.some(isShown)) return false;
  return calendars.some(isShown) || intervals.some(({ everyMs, offsetMs }) => (instantMs - offsetMs) % everyMs === 0);
}

/** What the calendars and intervals name from one instant on and before another, with what `skip` takes out. */
function* walkTicks(
  cadence: Cadence,
  fromMs: number,
  toMs: number,
): Generator<{ tickMs: number; isSkipped: boolean }, void> {
  const { find, isSkipped } = openCadence(cadence, toMs);
  let after = Math.ceil(fromMs / 1_000) * 1_000 - 1_000;
  // The server compares whole seconds at the start, and the exact time at the end.
  if (cadence.startAt !== undefined) after = Math.max(after, toSeconds(Date.parse(cadence.startAt)) - 1_000);
  const endMs = cadence.endAt === undefined ? Infinity : Date.parse(cadence.endAt);
  for (let tickMs = find(after); tickMs < toMs && tickMs <= endMs; tickMs = find(tickMs)) {
    yield { tickMs, isSkipped: isSkipped(tickMs) };
  }
}

function openCadence({ timezone, calendars, intervals, skip }: Cadence, untilMs: number) {
  const zone = openZone(timezone);
  const phases = intervals.map(
    ({ everyMs, offsetMs }) =>
      (afterMs: number) =>
        (Math.floor((toSeconds(afterMs) - offsetMs) / everyMs) + 1) * everyMs + offsetMs,
  );
  const searches = calendars.map((calendar) => {
    const sets = openCalendar(calendar);
    return (afterMs: number) => findNext(sets, zone, afterMs, untilMs) ?? Infinity;
  });
  const sources = [...searches, ...phases].map((search) => ({ search, foundMs: -Infinity }));
  const skipped = skip.map(openCalendar);
  return {
    find: (afterMs: number) => {
      let firstMs = Infinity;
      for (const source of sources) {
        // Each is searched again only when its last match has been passed.
        if (source.foundMs <= afterMs) source.foundMs = source.search(afterMs);
        if (source.foundMs < firstMs) firstMs = source.foundMs;
      }
      return firstMs;
    },
    isSkipped: (tickMs: number) => skipped.some((sets) => matches(sets, zone, tickMs)),
  };
}

function toSeconds(instantMs: number): number {
  return Math.floor(instantMs / 1_000) * 1_000;
}
