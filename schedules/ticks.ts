import { fromRanges } from '../compiler/calendar-ranges.ts';
import { readWallTime, resolveWallTime } from '../compiler/timezone.ts';
import type { Cadence, Calendar } from '../workflows/contract.ts';

const dayMs = 86_400_000;
/** The rarest date there is comes back within this: the 29th of February on a given day of the week. */
const horizonDays = 41 * 366;

/**
 * The next `count` ticks of a cadence after `from` (both epoch milliseconds), as the server finds them: a local time
 * that a change of the clocks skips does not fire and one that it repeats fires once. Jitter, which the server adds
 * to each start, is left out. Fewer where the cadence ends before.
 */
export function nextTicks(cadence: Cadence, from: number, count: number): number[] {
  const startMs = cadence.startAt === undefined ? -Infinity : Date.parse(cadence.startAt);
  const endMs = cadence.endAt === undefined ? Infinity : Date.parse(cadence.endAt);
  const isSkipped = matchAny(cadence.skip, cadence.timezone);
  const streams = [
    ...cadence.intervals.map((interval) => walkInterval(interval, Math.max(from, startMs - 1))),
    ...cadence.calendars.map((calendar) => walkCalendar(calendar, cadence.timezone, Math.max(from, startMs - 1))),
  ].map((stream) => ({ stream, next: stream.next() }));
  const ticks: number[] = [];
  for (let tried = 0; ticks.length < count && tried < mostTried; tried++) {
    const tick = Math.min(...streams.map(({ next }) => (next.done === true ? Infinity : next.value)));
    if (tick === Infinity || tick > endMs) break;
    for (const entry of streams) if (entry.next.value === tick) entry.next = entry.stream.next();
    if (!isSkipped(tick)) ticks.push(tick);
  }
  return ticks;
}

/** A skip that leaves nothing must come to an end. */
const mostTried = 200_000;

function* walkInterval({ everyMs, offsetMs }: Cadence['intervals'][number], from: number): Generator<number, void> {
  for (let tick = (Math.floor((from - offsetMs) / everyMs) + 1) * everyMs + offsetMs; ; tick += everyMs) yield tick;
}

const hourMs = 3_600_000;

function* walkCalendar(calendar: Calendar, timezone: string, from: number): Generator<number, void> {
  const find = prepareCalendar(calendar, timezone);
  for (let tick = find(from); tick !== undefined; tick = find(tick)) yield tick;
}

/**
 * The next time of a calendar after an instant, found as the server finds it, hour by hour of the local clock. Where
 * the clock goes back, the hour before the jump is gone through a second time, an hour later.
 */
function prepareCalendar(calendar: Calendar, timezone: string): (after: number) => number | undefined {
  const matchesDay = matchDay(calendar);
  const hours = new Set(fromRanges(calendar.hour));
  const seconds = fromRanges(calendar.second);
  const times = fromRanges(calendar.minute).flatMap((minute) =>
    seconds.map((second) => (minute * 60 + second) * 1_000),
  );
  const resolve = (wall: number) => resolveWallTime(wall, timezone);
  const hourOf = (instant: number) => new Date(readWallTime(instant, timezone)).getUTCHours();

  const findInHour = (start: number, afterWall: number): number | undefined => {
    const time = times.find((offset) => start + offset > afterWall);
    if (time === undefined) return undefined;
    const instant = resolve(start + time);
    return hourOf(instant) === new Date(start).getUTCHours() ? instant : undefined;
  };

  return (after) => {
    const afterWall = readWallTime(after, timezone);
    let start = Math.floor(afterWall / hourMs) * hourMs;
    let repeatMs = hourOf(after - hourMs) === hourOf(after) ? hourMs : 0;
    let bound = afterWall;
    for (const last = start + horizonDays * dayMs; start < last;) {
      const hour = new Date(start).getUTCHours();
      const isDay = matchesDay(new Date(start));
      if (isDay && hours.has(hour)) {
        const found = findInHour(start, bound);
        if (found !== undefined) return found + repeatMs;
        bound = -Infinity;
        if (repeatMs === 0 && resolve(start + hourMs) - resolve(start) > hourMs) {
          repeatMs = hourMs;
          continue;
        }
      }
      bound = -Infinity;
      repeatMs = 0;
      start += isDay ? hourMs : (24 - hour) * hourMs;
    }
    return undefined;
  };
}

function matchDay({ dayOfMonth, month, dayOfWeek, year }: Calendar): (day: Date) => boolean {
  const [days, months, weekdays] = [dayOfMonth, month, dayOfWeek].map((ranges) => new Set(fromRanges(ranges))) as [
    Set<number>,
    Set<number>,
    Set<number>,
  ];
  const isYear = (value: number) =>
    year === undefined ||
    year.some(({ start, end, step }) => value >= start && value <= end && (value - start) % step === 0);
  return (day) =>
    months.has(day.getUTCMonth() + 1) &&
    days.has(day.getUTCDate()) &&
    weekdays.has(day.getUTCDay()) &&
    isYear(day.getUTCFullYear());
}

function matchAny(calendars: Calendar[], timezone: string): (instant: number) => boolean {
  const matchers = calendars.map((calendar) => {
    const matchesDay = matchDay(calendar);
    const [hours, minutes, seconds] = [calendar.hour, calendar.minute, calendar.second].map(
      (ranges) => new Set(fromRanges(ranges)),
    ) as [Set<number>, Set<number>, Set<number>];
    return (wall: Date) =>
      hours.has(wall.getUTCHours()) &&
      minutes.has(wall.getUTCMinutes()) &&
      seconds.has(wall.getUTCSeconds()) &&
      matchesDay(wall);
  });
  return (instant) => {
    if (matchers.length === 0) return false;
    const wall = new Date(readWallTime(instant, timezone));
    return matchers.some((matches) => matches(wall));
  };
}
