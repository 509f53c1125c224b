import fc from 'fast-check';
import { expect, it } from 'vitest';
import { listCronTimes } from '../../cli/cron-reference.ts';
import { compileCadence } from '../../compiler/cadence.ts';
import { compileCron } from '../../compiler/cron.ts';
import { readCronText } from '../../importers/cron-line.ts';
import type { CronDialect } from '../../importers/cron-line.ts';
import { listTicks } from '../../ticks/ticks.ts';

const fromMs = Date.UTC(2026, 10, 21);
const toMs = fromMs + 400 * 86_400_000;

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

function field(least: number, most: number, names: string[] = [], isDense = true) {
  const number = fc.integer({ min: least, max: most });
  const value = names.length === 0 ? number.map(String) : fc.oneof(number.map(String), fc.constantFrom(...names));
  const range = fc.tuple(number, number).map(([one, other]) => `${Math.min(one, other)}-${Math.max(one, other)}`);
  const step = fc.integer({ min: 2, max: most - least });
  const wide = isDense ? [fc.constant('*'), step.map((width) => `*/${width}`)] : [];
  const item = fc.oneof(
    value,
    range,
    fc.tuple(range, step).map(([span, width]) => `${span}/${width}`),
    ...wide,
  );
  return fc.oneof(
    { arbitrary: fc.constant('*'), weight: isDense ? 2 : 0 },
    { arbitrary: item, weight: 3 },
    {
      arbitrary: fc.array(isDense ? item : value, { minLength: 2, maxLength: 3 }).map((items) => items.join(',')),
      weight: 1,
    },
  );
}

/** Few minutes, so that 400 days are few thousand firings. */
const minute = fc.oneof(
  fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 2 }).map((list) => list.join(',')),
  fc.integer({ min: 20, max: 59 }).map((step) => `*/${step}`),
  fc
    .tuple(fc.integer({ min: 0, max: 58 }), fc.integer({ min: 0, max: 1 }))
    .map(([from, more]) => `${from}-${from + more}`),
);

const text = fc
  .tuple(minute, field(0, 23), field(1, 31), field(1, 12, months), field(0, 6, weekdays))
  .map((fields) => fields.join(' '));

/** How many of the random texts were read, and fired at least once. */
function checkAll(dialect: CronDialect, timezone: string, seed: number): number {
  let fired = 0;
  fc.assert(
    fc.property(text, (cron) => {
      const times = readCronText(cron, dialect);
      if ('faults' in times) {
        return /never fires|out of range/.test(times.faults[0]?.message ?? '');
      }
      const compiled = compileCron(times.cron);
      const calendars = 'calendars' in compiled ? compiled.calendars : [];
      const cadence = compileCadence({ cron: calendars, skip: times.skip, timezone }, 'x', 2026);
      const ticks = listTicks(cadence, fromMs, toMs, 600_000);
      const expected = listCronTimes({ text: cron, dialect, timezone }, fromMs, toMs);
      expect(ticks, `${cron} as ${times.cron} without ${times.skip.join('; ')}`).toEqual({ ticksMs: expected });
      if (expected.length > 0) fired += 1;
      return true;
    }),
    { numRuns: 50, seed },
  );
  return fired;
}

it('a random line of a crontab fires for 400 days when cron-parser says so', () => {
  expect(checkAll('vixie', 'UTC', 1)).toBeGreaterThan(30);
}, 120_000);

it('a random schedule of a CronJob does so by the rules of Kubernetes', () => {
  expect(checkAll('kubernetes', 'UTC', 2)).toBeGreaterThan(30);
}, 120_000);

it.each<[CronDialect, string, string, string]>([
  ['vixie', '0 4 */2 * 1', '0 4 1-31/2 * *', '* * * * 0,2-6'],
  ['kubernetes', '0 4 */2 * 1', '0 4 1-31/2 * 1', ''],
  ['kubernetes', '0 4 */1 * 1', '0 4 * * 1', ''],
  ['kubernetes', '5/20 4 ? JAN sun', '5-45/20 4 * 1 0', ''],
  ['kubernetes', '*/90 4 * * *', '0 4 * * *', ''],
  ['vixie', '@weekly', '0 0 * * 0', ''],
  ['vixie', '0  4\t* * 5-7', '0 4 * * 5-7', ''],
])('%s reads %j as %j', (dialect, cron, said, skip) => {
  expect(readCronText(cron, dialect)).toMatchObject({ cron: said, skip: skip === '' ? [] : [skip] });
});
