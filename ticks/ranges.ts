import type { Calendar, CalendarRange } from '../workflows/contract.ts';

/** Every value of a calendar's field, as one range; a year has no end. */
export const fullRanges: Readonly<Record<Exclude<keyof Calendar, 'year'>, CalendarRange>> = {
  second: { start: 0, end: 59, step: 1 },
  minute: { start: 0, end: 59, step: 1 },
  hour: { start: 0, end: 23, step: 1 },
  dayOfMonth: { start: 1, end: 31, step: 1 },
  month: { start: 1, end: 12, step: 1 },
  dayOfWeek: { start: 0, end: 6, step: 1 },
};

/**
 * Writes a set of numbers as ranges in one normal form, so that two cron texts with the same meaning compile to the
 * same calendar: one stepped range where the numbers are evenly spaced, else runs of neighbours.
 */
export function toRanges(values: Iterable<number>): CalendarRange[] {
  const sorted = [...new Set(values)].sort((left, right) => left - right);
  const [first, second] = sorted;
  const last = sorted.at(-1);
  if (first === undefined || last === undefined) return [];
  const step = second === undefined ? 1 : second - first;
  if (sorted.every((value, index) => value === first + index * step)) return [{ start: first, end: last, step }];
  const runs: CalendarRange[] = [];
  for (const value of sorted) {
    const run = runs.at(-1);
    if (run && run.end + 1 === value) run.end = value;
    else runs.push({ start: value, end: value, step: 1 });
  }
  return runs;
}

/** Lists the numbers that ranges stand for, in rising order. */
export function fromRanges(ranges: readonly CalendarRange[]): number[] {
  const values = new Set<number>();
  for (const { start, end, step } of ranges) {
    for (let value = start; value <= end; value += step) values.add(value);
  }
  return [...values].sort((left, right) => left - right);
}
