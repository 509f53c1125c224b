import { everyMinute, listNumbers } from './time-sets.ts';
import type { TimeSets } from './time-sets.ts';
import { combineTimes } from './combine-times.ts';
import type { CalendarEvent } from './calendar-event.ts';

/** The times of calendar events as a definition says them. */
export interface EventTimes {
  cron?: string;
  every?: string;
  skip: string[];
  start?: string;
  end?: string;
  /** How many seconds after the minute the original fires; a definition fires at the full minute. */
  secondsLate: number;
}

/** Months by the number of their days; the second is February. */
const monthsOf: ReadonlyMap<number, readonly number[]> = new Map([
  [31, [1, 3, 5, 7, 8, 10, 12]],
  [30, [4, 6, 9, 11]],
  [28, [2]],
]);

/** The leap years that the server knows, from the one that begins this list on. */
const leapYears = listNumbers(2024, 2096, 4);

/** Says several calendar events at once, or why that cannot be said. */
export function sayEvents(events: readonly CalendarEvent[]): EventTimes | { message: string; hint: string } {
  const seconds = [...new Set(events.map((event) => (event.seconds ?? listNumbers(0, 59)).join()))];
  const [first] = events;
  const ofMinute = first?.seconds ?? listNumbers(0, 59);
  if (first === undefined || seconds.length > 1) {
    return { message: 'the entries differ in their seconds', hint: 'let all of them fire at second 00' };
  }
  if (ofMinute.length > 1) return sayInterval(first, ofMinute, events.length);
  const span = saySpan(events);
  if ('message' in span) return span;
  const parts = events.map(listProducts);
  const times = parts.includes(undefined) ? undefined : combineTimes(parts.flatMap((part) => part?.products ?? []));
  if (times === undefined) {
    const hint =
      events.length > 1
        ? 'make a timer of each OnCalendar= and import them one by one'
        : 'name the days in another way';
    return { message: 'one cron text with what is left out of it cannot say these days', hint };
  }
  const dates = parts.flatMap((part) => part?.skipped ?? []);
  return { cron: times.cron, skip: [...times.skip, ...new Set(dates)], ...span, secondsLate: ofMinute[0] ?? 0 };
}

/** Several times a minute can only be said as an interval from the full minute on. */
function sayInterval(
  event: CalendarEvent,
  seconds: readonly number[],
  count: number,
): EventTimes | { message: string; hint: string } {
  const step = (seconds[1] ?? 0) - (seconds[0] ?? 0);
  const { weekdays, years, months, days, hours, minutes } = event;
  const isAlways = [weekdays, years, months, days, hours].every((values) => values === undefined);
  const isEven = 60 % step === 0 && seconds[0] === 0 && seconds.length === 60 / step;
  if (isAlways && isEven && count === 1 && (minutes?.length ?? 60) === 60) {
    return { every: `${step}s`, skip: [], secondsLate: 0 };
  }
  return {
    message: 'several times a minute is more than a cron text can say',
    hint: 'the nearest is `every:`, such as { every: 15s }, all day long; or fire once a minute',
  };
}

function saySpan(
  events: readonly CalendarEvent[],
): { start?: string; end?: string } | { message: string; hint: string } {
  const spans = new Set(events.map(({ years }) => years?.join() ?? ''));
  const years = events[0]?.years;
  if (spans.size > 1) return { message: 'the entries name different years', hint: 'make a timer of each' };
  if (years === undefined) return {};
  const [from = 0, to = 0] = [years[0], years.at(-1)];
  if (to - from + 1 !== years.length) {
    return { message: 'the years are no unbroken span', hint: 'name years that follow one another' };
  }
  return { start: `${from}-01-01`, end: `${to}-12-31` };
}

interface Products {
  products: TimeSets[];
  /** Dates on which the products fire and the event does not. */
  skipped: string[];
}

function listProducts(event: CalendarEvent): Products | undefined {
  const times = {
    minute: event.minutes ?? everyMinute.minute,
    hour: event.hours ?? everyMinute.hour,
    month: event.months ?? everyMinute.month,
    weekday: event.weekdays ?? everyMinute.weekday,
  };
  if (!event.isFromEnd || event.days === undefined) {
    return { products: [{ ...times, day: event.days ?? everyMinute.day }], skipped: [] };
  }
  const products: TimeSets[] = [];
  let skipped: string[] = [];
  for (const [length, months] of monthsOf) {
    const month = times.month.filter((value) => months.includes(value));
    const day = countFromEnd(event.days, length);
    if (month.length === 0) continue;
    if (length > 28) {
      if (day.length > 0) products.push({ ...times, month, day });
      continue;
    }
    const inLeapYear = countFromEnd(event.days, 29);
    // In a year without it the 29th is not there to be left out.
    if (inLeapYear.some((value) => value < 29 && !day.includes(value))) return undefined;
    const all = [...new Set([...day, ...inLeapYear])].sort((left, right) => left - right);
    if (all.length > 0) products.push({ ...times, month, day: all });
    const surplus = day.filter((value) => !inLeapYear.includes(value));
    skipped = leapYears.flatMap((year) => surplus.map((value) => `${year}-02-${String(value).padStart(2, '0')}`));
  }
  return { products, skipped };
}

function countFromEnd(days: readonly number[], length: number): number[] {
  return days
    .map((day) => length + 1 - day)
    .filter((day) => day >= 1)
    .sort((left, right) => left - right);
}
