import { fromRanges } from '../ticks/ranges.ts';
import type { Calendar } from '../workflows/contract.ts';
import { isMapping } from './mapping.ts';
import { compileCron } from './cron.ts';
import { formatDuration, parseDuration } from './duration.ts';
import type { Remark } from './remark.ts';

/**
 * A run that may take longer than the time between two firings makes the schedule skip ticks. That is a warning, for
 * a budget is a limit and not what a run takes. Cron is looked at within two days, and a budget is no longer than one.
 */
export function checkBudget({ schedule, budget }: Record<string, unknown>): Remark[] {
  if (!isMapping(schedule) || !isMapping(budget)) return [];
  const seconds = budget['max_seconds'];
  const intervalMs = findShortestInterval(schedule);
  if (typeof seconds !== 'number' || intervalMs === undefined || intervalMs < 1_000 || seconds * 1_000 <= intervalMs)
    return [];
  const message = `a run may take ${formatDuration(seconds * 1_000)} and the next is due after ${formatDuration(intervalMs)}`;
  const hint = 'a tick that comes while a run is going on is skipped; fire less often, or lower the budget';
  return [{ path: ['budget', 'max_seconds'], message, hint, isWarning: true }];
}

/** The shortest time between two firings of a schedule as it was read, in milliseconds; cron within two days. */
export function findShortestInterval({ every, cron }: Record<string, unknown>): number | undefined {
  if (typeof every === 'string') {
    const result = parseDuration(every, true);
    return 'ms' in result ? result.ms : undefined;
  }
  const compiled = typeof cron === 'string' ? compileCron(cron) : undefined;
  if (!compiled || !('calendars' in compiled)) return undefined;
  return Math.min(...compiled.calendars.map(findShortestGap));
}

/** The shortest time between two firings on one day, or on days that follow one another; milliseconds. */
function findShortestGap(calendar: Calendar): number {
  const [hours, minutes] = [fromRanges(calendar.hour), fromRanges(calendar.minute)];
  const day = hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute));
  const next = [...day.slice(1), hasNeighbours(calendar) ? (day[0] ?? 0) + 1_440 : Infinity];
  return Math.min(...day.map((minute, index) => (next[index] ?? Infinity) - minute)) * 60_000;
}

/** Whether it may fire on two days that follow one another. */
function hasNeighbours(calendar: Calendar): boolean {
  const [dates, weekdays] = [fromRanges(calendar.dayOfMonth), fromRanges(calendar.dayOfWeek)];
  return (
    dates.some((date) => dates.includes(date + 1) || (date >= 28 && dates.includes(1))) &&
    weekdays.some((weekday) => weekdays.includes((weekday + 1) % 7))
  );
}
