import { cronFields } from '../compiler/cron-fields.ts';
import { toRanges } from '../ticks/ranges.ts';

/** Local times as a product of five sets, all of which have to match; numbers as cron counts them, Sunday is 0. */
export interface TimeSets {
  minute: readonly number[];
  hour: readonly number[];
  day: readonly number[];
  month: readonly number[];
  weekday: readonly number[];
}

/** One of the five. */
export type TimeField = keyof TimeSets;

/** The fields in the order of cron. */
export const timeFields = ['minute', 'hour', 'day', 'month', 'weekday'] as const;

/** Every number from one to another, both included. */
export function listNumbers(first: number, last: number, step = 1): number[] {
  const values: number[] = [];
  for (let value = first; value <= last; value += step) values.push(value);
  return values;
}

/** Every time there is, to the minute. */
export const everyMinute: TimeSets = {
  minute: listNumbers(0, 59),
  hour: listNumbers(0, 23),
  day: listNumbers(1, 31),
  month: listNumbers(1, 12),
  weekday: listNumbers(0, 6),
};

/** Whether a field asks for nothing. */
export function isFull(sets: TimeSets, field: TimeField): boolean {
  return sets[field].length === everyMinute[field].length;
}

/** Writes sets as a cron text, which matches either where day and weekday are both restricted. */
export function writeCron(sets: TimeSets): string {
  return timeFields.map((field, index) => writeField(sets[field], field, cronFields[index]?.min ?? 0)).join(' ');
}

function writeField(values: readonly number[], field: TimeField, least: number): string {
  const all = everyMinute[field];
  if (values.length === all.length) return '*';
  const ranges = toRanges(values);
  const [only] = ranges;
  if (ranges.length === 1 && only && only.step > 1 && values.length > 2) {
    // Beside the other kind of day a `*` with a step is read in two ways, so it is written out.
    const isDay = field === 'day' || field === 'weekday';
    const isWhole = !isDay && only.start === least && only.end + only.step > (all.at(-1) ?? 0);
    return isWhole ? `*/${only.step}` : `${only.start}-${only.end}/${only.step}`;
  }
  if (values.length <= 2) return values.join(',');
  return ranges
    .map(({ start, end }) => (start === end ? `${start}` : end === start + 1 ? `${start},${end}` : `${start}-${end}`))
    .join(',');
}
