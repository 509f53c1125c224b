import { longestMonths } from '../compiler/cron-fields.ts';
import { everyMinute, isFull, timeFields, writeCron } from './time-sets.ts';
import type { TimeField, TimeSets } from './time-sets.ts';

/** Times as a definition can say them: one cron text, and cron texts for what is left out of it. */
export interface CombinedTimes {
  cron: string;
  skip: string[];
}

/** A definition with more of them could not be read by anybody. */
const mostSkips = 12;

/** In which order fields are looked at decides whether what is left over can be said, and how shortly. */
const orders: TimeField[][] = [
  ['weekday', 'day', 'month', 'hour', 'minute'],
  ['hour', 'minute', 'month', 'weekday', 'day'],
  ['minute', 'hour', 'month', 'day', 'weekday'],
  ['month', 'day', 'weekday', 'hour', 'minute'],
];

/**
 * Says the union of several products of times by one cron text that covers them all, and a `skip` for what it covers too
 * much. Undefined where no skip can say it: one of cron that restricts day and weekday means either of them, not both.
 */
export function combineTimes(products: readonly TimeSets[]): CombinedTimes | undefined {
  const merged = mergeProducts(products);
  const cover = coverAll(merged);
  const skips = orders
    .map((order) => listSkips(cover, merged, order))
    .filter((list) => list !== undefined)
    .sort((left, right) => left.length - right.length);
  return skips[0] && { cron: writeCron(cover), skip: skips[0] };
}

function listSkips(cover: TimeSets, wanted: readonly TimeSets[], order: readonly TimeField[]): string[] | undefined {
  const rest = wanted.reduce((left, product) => left.flatMap((one) => subtract(one, product, order)), [cover]);
  const skips = new Set<string>();
  for (const product of rest.filter(comesEver)) {
    const wide = widen(product, wanted);
    if (!isFull(wide, 'day') && !isFull(wide, 'weekday')) return undefined;
    skips.add(writeCron(wide));
    if (skips.size > mostSkips) return undefined;
  }
  return [...skips];
}

/** Whether a month has one of the days. */
function comesEver({ month, day }: TimeSets): boolean {
  return month.some((value) => Math.min(...day) <= (longestMonths[value - 1] ?? 0));
}

/** Puts those together that differ in one field only. */
function mergeProducts(products: readonly TimeSets[]): TimeSets[] {
  const merged = [...products];
  for (let left = 0; left < merged.length; left += 1) {
    for (let right = left + 1; right < merged.length; right += 1) {
      const joined = joinPair(merged[left], merged[right]);
      if (joined === undefined) continue;
      merged.splice(right, 1);
      merged[left] = joined;
      right = left;
    }
  }
  return merged;
}

function joinPair(left: TimeSets | undefined, right: TimeSets | undefined): TimeSets | undefined {
  if (left === undefined || right === undefined) return undefined;
  const different = timeFields.filter((field) => left[field].join() !== right[field].join());
  const [field] = different;
  if (field === undefined) return left;
  return different.length === 1 ? { ...left, [field]: unite(left[field], right[field]) } : undefined;
}

/** Where it names days of the month it takes every weekday, for cron has no "and". */
function coverAll(products: readonly TimeSets[]): TimeSets {
  const united = Object.fromEntries(
    timeFields.map((field) => [field, products.map((product) => product[field]).reduce(unite, [])]),
  ) as unknown as TimeSets;
  return isFull(united, 'day') ? united : { ...united, weekday: everyMinute.weekday };
}

function unite(left: readonly number[], right: readonly number[]): number[] {
  return [...new Set([...left, ...right])].sort((one, other) => one - other);
}

/** A product without another, as products that do not overlap. */
function subtract(from: TimeSets, taken: TimeSets, order: readonly TimeField[]): TimeSets[] {
  if (!overlaps(from, taken)) return [from];
  const parts: TimeSets[] = [];
  const inside = { ...from };
  for (const field of order) {
    const outside = inside[field].filter((value) => !taken[field].includes(value));
    if (outside.length > 0) parts.push({ ...inside, [field]: outside });
    inside[field] = inside[field].filter((value) => taken[field].includes(value));
  }
  return parts;
}

function overlaps(left: TimeSets, right: TimeSets): boolean {
  return timeFields.every((field) => left[field].some((value) => right[field].includes(value)));
}

/** Lets fields go that are not needed to miss every time that is wanted: a shorter text, which means the same here. */
function widen(product: TimeSets, wanted: readonly TimeSets[]): TimeSets {
  const wide = { ...product };
  for (const field of ['day', 'month', 'hour', 'minute', 'weekday'] as const) {
    const wider = { ...wide, [field]: everyMinute[field] };
    if (!wanted.some((times) => overlaps(wider, times))) wide[field] = everyMinute[field];
  }
  return wide;
}
