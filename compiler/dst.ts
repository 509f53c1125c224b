import type { Calendar } from '../workflows/contract.ts';
import { listMinutes, matchesDate, matchesMinute } from './calendar-match.ts';
import { listClockChanges } from './clock-change.ts';
import type { ClockChange } from './clock-change.ts';
import { splitCalendar } from './split-calendar.ts';
import type { ExceptionalDate } from './split-calendar.ts';

/**
 * What becomes of local times that a clock change touches. `skip`: those that are skipped do not fire, those that are
 * repeated fire the first time. `once`: those that are skipped fire as much later as the clocks were moved. `both`: as
 * `once`, and those that are repeated fire both times.
 */
export type DstPolicy = 'skip' | 'once' | 'both';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** An interval with a moment in it that comes once in 31 years: the server has nothing else for a single instant. */
const momentIntervalMs = 1_000_000_000_000;

/** The clock changes that touch a time of the calendars. */
export function listTouched(calendars: readonly Calendar[], timezone: string, fromYear: number): ClockChange[] {
  return listClockChanges(timezone, fromYear).filter(({ start, end }) =>
    calendars.some((calendar) => listMinutes(calendar, start, end).length > 0),
  );
}

/**
 * Rewrites calendars so that the server does what a policy says, for the clock changes of the given year and those that
 * follow it. By itself it skips what is skipped, and for what is repeated does one thing or another from zone to zone:
 * so the hours that a change touches are taken out of the calendars, and their firings come as single moments.
 */
export function applyDst(
  calendars: readonly Calendar[],
  schedule: { timezone: string; policy: DstPolicy; secondMs: number; fromYear: number },
): { calendars: Calendar[]; intervals: { everyMs: number; offsetMs: number }[] } {
  const changes = listClockChanges(schedule.timezone, schedule.fromYear);
  const moments = new Set<number>();
  const rewritten = calendars.flatMap((calendar) => {
    const dates = new Map<number, ExceptionalDate>();
    for (const change of changes) {
      const [start, end] = spanHours(change);
      const confused = listMinutes(calendar, start, end);
      if (confused.length === 0 && !confusesWeekday(calendar, change)) continue;
      for (const local of confused) addMoments(moments, change, local, schedule.policy);
      if (isSkippedByServer(calendar, change)) continue;
      for (let hour = start; hour < end; hour += hourMs) noteHour(dates, calendar, hour);
    }
    return splitCalendar(calendar, [...dates.values()]);
  });
  const isNatural = (moment: number): boolean =>
    rewritten.some((calendar) => matchesMinute(calendar, toLocal(changes, moment)));
  const intervals = [...moments]
    .sort((left, right) => left - right)
    .filter((moment) => !isNatural(moment))
    .map((moment) => ({ everyMs: momentIntervalMs, offsetMs: (moment + schedule.secondMs) % momentIntervalMs }));
  return { calendars: rewritten, intervals };
}

/** The whole local hours in which the server goes wrong: before repeated ones it takes the hour before for repeated too. */
function spanHours({ isSkip, start, end }: ClockChange): [start: number, end: number] {
  const first = floorTo(start, hourMs);
  return [isSkip ? first : first - hourMs, floorTo(end - 1, hourMs) + hourMs];
}

/** Whole hours that do not exist the server passes over, and goes on right where no weekday is asked for. */
function isSkippedByServer(calendar: Calendar, change: ClockChange): boolean {
  const isWhole = change.start % hourMs === 0 && change.end % hourMs === 0;
  return change.isSkip && isWhole && !confusesWeekday(calendar, change);
}

/** Where a day has no midnight the server takes the weekday of the day before. */
function confusesWeekday({ dayOfWeek }: Calendar, { isSkip, start, end }: ClockChange): boolean {
  const isEveryDay =
    dayOfWeek.length === 1 && dayOfWeek[0]?.start === 0 && dayOfWeek[0].end === 6 && dayOfWeek[0].step === 1;
  const midnight = floorTo(end, dayMs);
  return !isEveryDay && isSkip && midnight >= start && midnight < end;
}

function addMoments(moments: Set<number>, { at, before, after }: ClockChange, local: number, policy: DstPolicy): void {
  const [first, second] = [local - before, local - after];
  const isBefore = first < at;
  const isAfter = second >= at;
  if (isBefore) moments.add(first);
  if (isAfter && (!isBefore || policy === 'both')) moments.add(second);
  if (!isBefore && !isAfter && policy !== 'skip') moments.add(first);
}

function noteHour(dates: Map<number, ExceptionalDate>, calendar: Calendar, hour: number): void {
  const date = floorTo(hour, dayMs);
  const noted = dates.get(date) ?? { date, fires: matchesDate(calendar, date), withoutHours: [] };
  noted.withoutHours.push((hour - date) / hourMs);
  dates.set(date, noted);
}

function toLocal(changes: readonly ClockChange[], moment: number): number {
  const last = changes.findLast(({ at }) => at <= moment);
  return moment + (last?.after ?? changes[0]?.before ?? 0);
}

function floorTo(value: number, unit: number): number {
  return Math.floor(value / unit) * unit;
}
