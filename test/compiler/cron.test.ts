import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromRanges, toRanges } from '../../ticks/ranges.ts';
import { compileCron } from '../../compiler/cron.ts';
import type { Calendar } from '../../workflows/contract.ts';

function compile(text: string): Calendar[] {
  const result = compileCron(text);
  if ('faults' in result) throw new Error(JSON.stringify(result.faults));
  return result.calendars;
}

/** The values of one field of a cron that compiles to one calendar. */
function read(text: string, field: keyof Calendar): number[] {
  const [calendar, ...more] = compile(text);
  expect(more).toEqual([]);
  return fromRanges(calendar?.[field] ?? []);
}

test.each([
  ['*/15 * * * *', 'minute', [0, 15, 30, 45]],
  ['5,1-3 * * * *', 'minute', [1, 2, 3, 5]],
  ['0 9-17/4 * * *', 'hour', [9, 13, 17]],
  ['0 0 1-7 * *', 'dayOfMonth', [1, 2, 3, 4, 5, 6, 7]],
  ['0 0 1 JAN,jul-SEP *', 'month', [1, 7, 8, 9]],
  ['0 0 * * MON-FRI', 'dayOfWeek', [1, 2, 3, 4, 5]],
  ['0 0 * * 7', 'dayOfWeek', [0]],
  ['0 0 * * 5-7', 'dayOfWeek', [0, 5, 6]],
  ['0 0 * * SAT-SUN', 'dayOfWeek', [0, 6]],
  ['0 0 * * SUN-TUE', 'dayOfWeek', [0, 1, 2]],
  ['0 0 * * */2', 'dayOfWeek', [0, 2, 4, 6]],
  ['0 0 * * 1-7/3', 'dayOfWeek', [0, 1, 4]],
  ['@hourly', 'hour', Array.from({ length: 24 }, (_, hour) => hour)],
  ['@weekly', 'dayOfWeek', [0]],
  ['@monthly', 'dayOfMonth', [1]],
  ['@Yearly', 'month', [1]],
  ['@annually', 'month', [1]],
  ['  0\t 3  * * * ', 'hour', [3]],
] as const)('%s fires at %s %j', (text, field, values) => {
  expect(read(text, field)).toEqual(values);
});

test('every star is the full range and the second is 0', () => {
  const one = (start: number, end: number, step = 1) => [{ start, end, step }];
  expect(compile('* * * * *')).toEqual([
    {
      second: one(0, 0),
      minute: one(0, 59),
      hour: one(0, 23),
      dayOfMonth: one(1, 31),
      month: one(1, 12),
      dayOfWeek: one(0, 6),
    },
  ]);
});

test('the 13th or a Friday is two calendars', () => {
  const [byDate, byWeekday, ...more] = compile('0 0 13 * 5');
  expect(more).toEqual([]);
  expect([byDate?.dayOfMonth, byDate?.dayOfWeek].map((ranges) => fromRanges(ranges ?? []).length)).toEqual([1, 7]);
  expect([byWeekday?.dayOfMonth, byWeekday?.dayOfWeek].map((ranges) => fromRanges(ranges ?? []).length)).toEqual([
    31, 1,
  ]);
});

test('two texts that mean the same compile to the same', () => {
  expect(compile('0,15,30,45 * * * *')).toEqual(compile('*/15 * * * *'));
  expect(compile('0 0 * * 0')).toEqual(compile('@weekly'));
  expect(compile('0 0 * * SUN')).toEqual(compile('0 0 * * 7'));
});

describe('what is not standard cron is refused at its character', () => {
  const fiveFields = 'cron has five fields (minute hour day-of-month month day-of-week), here are';
  test.each([
    ['60 * * * *', 0, 'minute 60 is out of range; allowed: 0-59', undefined],
    ['0 24 * * *', 2, 'hour 24 is out of range; allowed: 0-23', undefined],
    ['0 0 0 * *', 4, 'day-of-month 0 is out of range; allowed: 1-31', undefined],
    ['0 0 * 13 *', 6, 'month 13 is out of range; allowed: 1-12 or JAN-DEC', undefined],
    ['0 0 * * 8', 8, 'day-of-week 8 is out of range; allowed: 0-7 or SUN-SAT', undefined],
    ['0 0 * * MOM', 8, '`MOM` is not a day-of-week; allowed: 0-7 or SUN-SAT', 'did you mean `MON`?'],
    ['1,2,x * * * *', 4, '`x` is not a minute; allowed: 0-59', undefined],
    ['1,,2 * * * *', 2, 'a number is missing in the minute; allowed: 0-59', undefined],
    ['5- * * * *', 2, 'a number is missing in the minute; allowed: 0-59', undefined],
    ['-5 * * * *', 0, 'a number is missing in the minute; allowed: 0-59', undefined],
    ['*/0 * * * *', 2, 'the step `0` of the minute is out of range; allowed: 1-59', undefined],
    ['*/x * * * *', 2, 'the step `x` of the minute is out of range; allowed: 1-59', undefined],
    ['*/5/5 * * * *', 3, '`*/5/5` has two steps; allowed: 0-59', undefined],
    ['5/15 * * * *', 1, 'a step needs `*` or a range before it; allowed: 0-59', 'write `5-59/` and the step'],
    ['0 22-2 * * *', 2, 'the range `22-2` runs backwards; allowed: 0-23', 'write `22-23,0-2`'],
    ['0 0 * * 5-0', 8, 'the range `5-0` runs backwards; allowed: 0-7 or SUN-SAT', 'Sunday at the end of a range is 7'],
    ['0 0 ? * 1', 4, '`?` is not a day-of-month; allowed: 1-31', 'write `*`'],
    ['0 0 L * *', 4, '`L` is not a day-of-month; allowed: 1-31', '`L`, `W`, `#` and `?` are not standard cron'],
    ['H * * * *', 0, '`H` is not a minute; allowed: 0-59', 'use `spread:` for a fixed offset of each definition'],
    ['0 */15 * * * *', 13, `${fiveFields} 6`, 'for seconds use `every:`, such as `{ every: 30s }`'],
    ['0 0 12 * * ? 2026', 11, `${fiveFields} 7`, 'for seconds use `every:`, such as `{ every: 30s }`'],
    ['0 0 * *', 7, `${fiveFields} 4`, undefined],
    ['', 0, `${fiveFields} 0`, undefined],
    ['@reboot', 0, '`@reboot` is not a time', 'a schedule belongs to the cluster and not to the start of a machine'],
    ['@every 5m', 0, '`@every 5m` is not a cron nickname', 'write `every: 5m` instead of cron'],
    ['@every_day', 0, '`@every_day` is not a cron nickname', expect.stringContaining('@daily') as string],
    ['@dayly', 0, '`@dayly` is not a cron nickname', 'did you mean `@daily`?'],
    ['CRON_TZ=UTC 0 0 * * *', 0, '`CRON_TZ=UTC` cannot stand here', 'use `timezone:`'],
    ['0 0 31 2 *', 4, 'no month of `2` has a day 31, so this never fires', undefined],
    ['0 0 31 FEB,4 *', 4, 'no month of `FEB,4` has a day 31, so this never fires', undefined],
    ['0 0 30-31 2 1', 4, 'no month of `2` has a day 30, so that date never comes', undefined],
  ])('%s', (text, offset, message, hint) => {
    expect(compileCron(text)).toEqual({ faults: [{ offset, message, ...(hint === undefined ? {} : { hint }) }] });
  });

  test.each(['0 0 */2 * 1', '0 0 1-31 * 1', '0 0 1 * */2', '0 0 1 * 0-6'])(
    '%s, which crons read differently',
    (text) => {
      expect(compileCron(text)).toMatchObject({
        faults: [{ message: expect.stringContaining('"and" to some crons') }],
      });
    },
  );

  test('all fields at once', () => {
    const result = compileCron('99 99 99 99 99');
    expect('faults' in result ? result.faults.map((fault) => fault.offset) : []).toEqual([0, 3, 6, 9, 12]);
  });
});

test('the 29th of February comes', () => {
  expect(read('0 0 29 2 *', 'dayOfMonth')).toEqual([29]);
});

test('numbers in are numbers out, however they are grouped', () => {
  const law = fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1 }), (minutes) => {
    const sorted = minutes.toSorted((left, right) => left - right);
    expect(fromRanges(toRanges(minutes))).toEqual(sorted);
    expect(read(`${minutes.join(',')} * * * *`, 'minute')).toEqual(sorted);
  });
  fc.assert(law);
});

test('no text makes the compiler throw', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom('*', '/', '-', ',', '1', '7', ' ', '@', 'M', 'O', 'N') }),
  );
  fc.assert(
    fc.property(texts, (text) => void compileCron(text)),
    { numRuns: 2_000 },
  );
});
