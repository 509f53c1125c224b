import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileCadence } from '../../compiler/cadence.ts';
import { compileCron } from '../../compiler/cron.ts';
import { combineTimes } from '../../importers/combine-times.ts';
import { everyMinute, timeFields } from '../../importers/time-sets.ts';
import type { TimeSets } from '../../importers/time-sets.ts';
import { listTicks } from '../../ticks/ticks.ts';

const fromMs = Date.UTC(2027, 6, 1);
const toMs = Date.UTC(2028, 6, 1);

/** As plainly as it can be said: every day of the span, every hour and minute that a product names. */
function listPlainly(products: readonly TimeSets[]): number[] {
  const instants = new Set<number>();
  for (let day = fromMs; day < toMs; day += 86_400_000) {
    const date = new Date(day);
    for (const product of products) {
      const isDay =
        product.month.includes(date.getUTCMonth() + 1) &&
        product.day.includes(date.getUTCDate()) &&
        product.weekday.includes(date.getUTCDay());
      if (!isDay) continue;
      for (const hour of product.hour)
        for (const minute of product.minute) instants.add(day + (hour * 60 + minute) * 60_000);
    }
  }
  return [...instants].sort((left, right) => left - right);
}

const few = (field: keyof TimeSets, most: number) =>
  fc.oneof(
    { arbitrary: fc.constant([...everyMinute[field]]), weight: field === 'minute' || field === 'hour' ? 0 : 2 },
    { arbitrary: fc.uniqueArray(fc.constantFrom(...everyMinute[field]), { minLength: 1, maxLength: most }), weight: 2 },
  );
const product = fc
  .tuple(few('minute', 2), few('hour', 3), few('day', 5), few('month', 4), few('weekday', 3))
  .map((sets) =>
    Object.fromEntries(
      timeFields.map((field, index) => [field, [...(sets[index] ?? [])].sort((one, other) => one - other)]),
    ),
  )
  .map((sets) => sets as unknown as TimeSets);

it('whatever is said by one cron text and a skip fires when one of the products does, and never else', () => {
  let said = 0;
  fc.assert(
    fc.property(fc.array(product, { minLength: 1, maxLength: 3 }), (products) => {
      const times = combineTimes(products);
      const compiled = times && compileCron(times.cron);
      if (times === undefined || compiled === undefined || 'faults' in compiled) return;
      for (const skip of times.skip) expect(compileCron(skip)).toHaveProperty('calendars');
      const cadence = compileCadence({ cron: compiled.calendars, skip: times.skip, timezone: 'UTC' }, 'x', 2027);
      expect(listTicks(cadence, fromMs, toMs, 100_000)).toEqual({ ticksMs: listPlainly(products) });
      said += 1;
    }),
    { numRuns: 60, seed: 20_261_121 },
  );
  expect(said).toBeGreaterThan(30);
});
