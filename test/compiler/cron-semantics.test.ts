import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromRanges } from '../../ticks/ranges.ts';
import { compileCron } from '../../compiler/cron.ts';
import type { Calendar } from '../../workflows/contract.ts';

/** Fire times in UTC found by walking the minutes, as plainly as the calendars can be read. */
function listFireTimes(calendars: Calendar[], from: Date, count: number): string[] {
  const sets = calendars.map((calendar) => ({
    minute: new Set(fromRanges(calendar.minute)),
    hour: new Set(fromRanges(calendar.hour)),
    dayOfMonth: new Set(fromRanges(calendar.dayOfMonth)),
    month: new Set(fromRanges(calendar.month)),
    dayOfWeek: new Set(fromRanges(calendar.dayOfWeek)),
  }));
  const times: string[] = [];
  const last = Date.UTC(2036, 0, 1);
  for (let day = Date.UTC(2026, 0, 1); day < last && times.length < count; day += 86_400_000) {
    const date = new Date(day);
    const matching = sets.filter(
      (set) =>
        set.month.has(date.getUTCMonth() + 1) &&
        set.dayOfMonth.has(date.getUTCDate()) &&
        set.dayOfWeek.has(date.getUTCDay()),
    );
    if (matching.length === 0) continue;
    for (let minute = 0; minute < 1_440 && times.length < count; minute++) {
      const time = new Date(day + minute * 60_000);
      const fires = matching.some((set) => set.hour.has(Math.floor(minute / 60)) && set.minute.has(minute % 60));
      if (fires && time > from) times.push(time.toISOString());
    }
  }
  return times;
}

function listReferenceTimes(text: string, from: Date, count: number): string[] {
  const expression = CronExpressionParser.parse(text, { currentDate: from, tz: 'UTC' });
  return Array.from({ length: count }, () => expression.next().toDate().toISOString());
}

/** The library refuses a list that names a number twice; standard cron does not, and so neither do we. */
function isAcceptedByReference(text: string): boolean {
  try {
    CronExpressionParser.parse(text);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes('duplicate values')) return false;
    throw error;
  }
}

function arbitraryField(min: number, max: number, names: readonly string[] = []): fc.Arbitrary<string> {
  const number = fc.integer({ min, max });
  const range = fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const stepped = fc.tuple(range, fc.integer({ min: 1, max: 5 })).map(([text, step]) => `${text}/${step}`);
  const item = fc.oneof(number.map(String), range, stepped, ...(names.length > 0 ? [fc.constantFrom(...names)] : []));
  const list = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(','));
  return fc.oneof({ weight: 2, arbitrary: fc.constant('*') }, { weight: 3, arbitrary: list });
}

const arbitraryCron = fc
  .tuple(
    arbitraryField(0, 59),
    arbitraryField(0, 23),
    arbitraryField(1, 31),
    arbitraryField(1, 12, ['JAN', 'FEB', 'DEC']),
    arbitraryField(0, 7, ['SUN', 'MON', 'SAT']),
  )
  .map((fields) => fields.join(' '));

test('300 cron texts fire when an independent library says they do', { timeout: 120_000 }, () => {
  const from = new Date('2026-01-31T23:57:00Z');
  const law = fc.property(arbitraryCron, (text) => {
    const result = compileCron(text);
    fc.pre('calendars' in result && isAcceptedByReference(text));
    if (!('calendars' in result)) return;
    const ours = listFireTimes(result.calendars, from, 30);
    expect(ours).toEqual(listReferenceTimes(text, from, ours.length));
    expect(ours.length).toBeGreaterThan(0);
  });
  fc.assert(law, { numRuns: 300 });
});

test.each(['@hourly', '@daily', '@weekly', '@monthly', '@yearly'])('%s is what the library thinks it is', (text) => {
  const from = new Date('2026-01-01T00:00:00Z');
  const result = compileCron(text);
  const ours = 'calendars' in result ? listFireTimes(result.calendars, from, 5) : [];
  expect(ours).toEqual(listReferenceTimes(text, from, 5));
});
