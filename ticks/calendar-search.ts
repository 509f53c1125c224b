import { fromRanges } from './ranges.ts';
import type { Calendar } from '../workflows/contract.ts';
import type { Clock, Zone } from './zone.ts';

/** A calendar as sets, for being asked often. No `year` means any. */
export interface CalendarSets extends Record<Exclude<keyof Calendar, 'year'>, ReadonlySet<number>> {
  year: ReadonlySet<number> | undefined;
}

/** The server knows no year after this one. */
const lastYear = 2100;
const hourMs = 3_600_000;

/** Prepares a calendar for `findNext` and `matches`. */
export function openCalendar(calendar: Calendar): CalendarSets {
  const { second, minute, hour, dayOfMonth, month, dayOfWeek, year } = calendar;
  const open = (ranges: Calendar['second']) => new Set(fromRanges(ranges));
  return {
    ...{ second: open(second), minute: open(minute), hour: open(hour) },
    ...{ dayOfMonth: open(dayOfMonth), month: open(month), dayOfWeek: open(dayOfWeek) },
    year: year === undefined ? undefined : open(year),
  };
}

/** Whether the clocks of the zone show at that instant what the calendar asks for. */
export function matches(sets: CalendarSets, zone: Zone, instantMs: number): boolean {
  const clock = zone.readClock(instantMs);
  return (
    (sets.year?.has(clock.year) ?? true) &&
    sets.month.has(clock.month) &&
    sets.dayOfMonth.has(clock.day) &&
    sets.dayOfWeek.has(weekdayAt(zone, instantMs)) &&
    sets.hour.has(clock.hour) &&
    sets.minute.has(clock.minute) &&
    sets.second.has(clock.second)
  );
}

/**
 * The first match after an instant, in epoch milliseconds; undefined where there is none up to `untilMs`. It walks the
 * clock field by field as Temporal's scheduler does (`compiledCalendar.next` in its `calendar.go`), so that a time that
 * a clock change skips or repeats fires here when it fires there.
 */
export function findNext(sets: CalendarSets, zone: Zone, afterMs: number, untilMs: number): number | undefined {
  const clock = zone.readClock(afterMs);
  clock.second += 1;
  const stopYear = Math.min(lastYear, zone.readClock(untilMs).year);
  for (;;) {
    carry(clock, zone);
    if (clock.year > stopYear) return undefined;
    if (!reachDay(clock, sets, zone) || !reachTime(clock, sets)) continue;
    const instant = zone.instantOf(clock);
    if (zone.readClock(instant).hour === clock.hour) return instant + clock.repeatMs;
    // The clocks skip this hour.
    restart(clock, { hour: clock.hour + 1 }, clock.repeatMs);
  }
}

/** Brings every field into its range after one has been counted up. */
function carry(clock: Clock, zone: Zone): void {
  if (clock.second >= 60) Object.assign(clock, { minute: clock.minute + 1, second: 0 });
  if (clock.minute >= 60) {
    const previous = zone.instantOf({ ...clock, minute: 0, second: 0 });
    const next = zone.instantOf({ ...clock, hour: clock.hour + 1, minute: 0, second: 0 });
    clock.minute = 0;
    // The next hour by name is two away: one of the same name lies between.
    const isRepeated = clock.repeatMs === 0 && next - previous > hourMs;
    if (!isRepeated) clock.hour += 1;
    clock.repeatMs = isRepeated ? hourMs : 0;
  }
  if (clock.hour >= 24) Object.assign(clock, { day: clock.day + 1, hour: 0 });
  if (clock.day > daysInMonth(clock)) Object.assign(clock, { month: clock.month + 1, day: 1 });
  if (clock.month > 12) Object.assign(clock, { year: clock.year + 1, month: 1 });
}

/** Moves to the next year, month and day that match; false where a field ran over and is to be carried. */
function reachDay(clock: Clock, sets: CalendarSets, zone: Zone): boolean {
  if (sets.year?.has(clock.year) === false) {
    restart(clock, { year: clock.year + 1, month: 1, day: 1, hour: 0 });
    return false;
  }
  while (!sets.month.has(clock.month)) {
    restart(clock, { month: clock.month + 1, day: 1, hour: 0 });
    if (clock.month > 12) return false;
  }
  while (!sets.dayOfMonth.has(clock.day) || !sets.dayOfWeek.has(weekdayAt(zone, zone.instantOf(clock)))) {
    restart(clock, { day: clock.day + 1, hour: 0 });
    if (clock.day > daysInMonth(clock)) return false;
  }
  return true;
}

function reachTime(clock: Clock, sets: CalendarSets): boolean {
  while (!sets.hour.has(clock.hour)) {
    restart(clock, { hour: clock.hour + 1 });
    if (clock.hour >= 24) return false;
  }
  while (!sets.minute.has(clock.minute)) {
    Object.assign(clock, { minute: clock.minute + 1, second: 0 });
    if (clock.minute >= 60) return false;
  }
  while (!sets.second.has(clock.second)) {
    clock.second += 1;
    if (clock.second >= 60) return false;
  }
  return true;
}

function restart(clock: Clock, fields: Partial<Clock>, repeatMs = 0): void {
  Object.assign(clock, { minute: 0, second: 0, repeatMs }, fields);
}

function weekdayAt(zone: Zone, instantMs: number): number {
  return new Date(instantMs + zone.offsetAt(instantMs)).getUTCDay();
}

function daysInMonth({ year, month }: Clock): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}
