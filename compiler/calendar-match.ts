import type { Calendar, CalendarRange } from '../workflows/contract.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Whether a calendar fires on the date of a local time, which is given as if it were UTC. */
export function matchesDate(calendar: Calendar, local: number): boolean {
  const date = new Date(local);
  return (
    holds(calendar.month, date.getUTCMonth() + 1) &&
    holds(calendar.dayOfMonth, date.getUTCDate()) &&
    holds(calendar.dayOfWeek, date.getUTCDay()) &&
    (calendar.year === undefined || holds(calendar.year, date.getUTCFullYear()))
  );
}

/** Whether a calendar fires in the minute of a local time. */
export function matchesMinute(calendar: Calendar, local: number): boolean {
  const minutes = Math.floor(local / minuteMs);
  return (
    holds(calendar.minute, modulo(minutes, 60)) &&
    holds(calendar.hour, modulo(Math.floor(minutes / 60), 24)) &&
    matchesDate(calendar, local)
  );
}

/** The local minutes from `start` up to `end`, as if they were UTC, in which a calendar fires. */
export function listMinutes(calendar: Calendar, start: number, end: number): number[] {
  const found: number[] = [];
  for (let hour = Math.floor(start / hourMs) * hourMs; hour < end; hour += hourMs) {
    if (!holds(calendar.hour, modulo(hour / hourMs, 24)) || !matchesDate(calendar, hour)) continue;
    for (let minute = 0; minute < 60; minute += 1) {
      const local = hour + minute * minuteMs;
      if (local >= start && local < end && holds(calendar.minute, minute)) found.push(local);
    }
  }
  return found;
}

function holds(ranges: readonly CalendarRange[], value: number): boolean {
  return ranges.some(({ start, end, step }) => value >= start && value <= end && (value - start) % step === 0);
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
