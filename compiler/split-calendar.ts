import type { Calendar, CalendarRange } from '../workflows/contract.ts';
import { fromRanges, fullRanges, toRanges } from '../ticks/ranges.ts';

/** A date on which a calendar does not fire as on others. */
export interface ExceptionalDate {
  /** Its midnight as if it were UTC. */
  date: number;
  /** Whether the calendar fires on this date at all. */
  fires: boolean;
  withoutHours: number[];
}

/** The years that the server knows. */
const firstYear = 2000;
const lastYear = 2100;

/**
 * Writes a calendar without some hours of some dates: as one for the years without such a date, then for each such
 * year one for its other months, one for the other days of the month, and one for the other hours of the date. Skip
 * entries could not do it, since they would silence the moments that are put in their place.
 */
export function splitCalendar(calendar: Calendar, dates: readonly ExceptionalDate[]): Calendar[] {
  if (dates.length === 0) return [calendar];
  const byYear = groupDates(dates, (date) => date.getUTCFullYear());
  const parts = [{ ...calendar, year: yearsWithout([...byYear.keys()]) }];
  for (const [year, ofYear] of byYear) {
    const base = { ...calendar, year: only(year) };
    const byMonth = groupDates(ofYear, (date) => date.getUTCMonth() + 1);
    parts.push({ ...base, month: without(calendar.month, [...byMonth.keys()]) });
    for (const [month, ofMonth] of byMonth) {
      if (fromRanges(calendar.month).includes(month))
        parts.push(...splitMonth({ ...base, month: only(month) }, ofMonth));
    }
  }
  return parts.filter(({ month, dayOfMonth, hour }) => month.length > 0 && dayOfMonth.length > 0 && hour.length > 0);
}

function splitMonth<Part extends Calendar>(calendar: Part, dates: readonly ExceptionalDate[]): Part[] {
  const days = dates.map(({ date }) => new Date(date).getUTCDate());
  const others = { ...calendar, dayOfMonth: without(calendar.dayOfMonth, days) };
  const exceptional = dates
    .filter(({ fires }) => fires)
    .map(({ date, withoutHours }) => ({
      ...calendar,
      dayOfMonth: only(new Date(date).getUTCDate()),
      // Whether its weekday fits is known already, and the server can be wrong about it.
      dayOfWeek: [fullRanges.dayOfWeek],
      hour: without(calendar.hour, withoutHours),
    }));
  return [others, ...exceptional];
}

function groupDates(dates: readonly ExceptionalDate[], read: (date: Date) => number): Map<number, ExceptionalDate[]> {
  const groups = new Map<number, ExceptionalDate[]>();
  for (const date of dates) {
    const key = read(new Date(date.date));
    groups.set(key, [...(groups.get(key) ?? []), date]);
  }
  return groups;
}

function yearsWithout(years: readonly number[]): CalendarRange[] {
  const all = Array.from({ length: lastYear - firstYear + 1 }, (_, index) => firstYear + index);
  return toRanges(all.filter((year) => !years.includes(year)));
}

function without(ranges: readonly CalendarRange[], values: readonly number[]): CalendarRange[] {
  return toRanges(fromRanges(ranges).filter((value) => !values.includes(value)));
}

function only(value: number): CalendarRange[] {
  return [{ start: value, end: value, step: 1 }];
}
