import { describe, expect, test } from 'vitest';
import { fromRanges } from '../../ticks/ranges.ts';
import type { Cadence } from '../../workflows/contract.ts';
import { change, compileGood } from './sample.ts';

function cadenceOf(schedule: string, id = 'team.nightly-sweep'): Cadence {
  return compileGood(change('team.nightly-sweep', id, change('{ cron: "0 3 * * *" }', schedule))).order.cadence;
}

const ids = Array.from({ length: 40 }, (_, index) => `team.job-${index}`);

test('an interval is whole seconds in milliseconds and has no calendar', () => {
  expect(cadenceOf('{ every: 1m30s }')).toMatchObject({ calendars: [], intervals: [{ everyMs: 90_000, offsetMs: 0 }] });
});

test('jitter may be below a second', () => {
  expect(cadenceOf('{ every: 30s, jitter: 250ms }').jitterMs).toBe(250);
});

describe('spread', () => {
  const secondOf = (id: string) =>
    fromRanges(cadenceOf('{ cron: "0 0 13 * 5", spread: 20s }', id).calendars[1]?.second ?? []);

  test('gives each definition a second of its own below the spread, the same in every calendar', () => {
    const seconds = ids.map((id) => secondOf(id)[0] ?? -1);
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...seconds)).toBeLessThan(20);
    expect(new Set(seconds).size).toBeGreaterThan(8);
  });

  test('is the same each time', () => {
    expect(secondOf('team.job-1')).toEqual(secondOf('team.job-1'));
  });

  test('shifts an interval by less than itself', () => {
    const offsets = ids.map((id) => cadenceOf('{ every: 30s, spread: 30s }', id).intervals[0]?.offsetMs ?? -1);
    expect(offsets.every((offset) => offset >= 0 && offset < 30_000 && offset % 1_000 === 0)).toBe(true);
    expect(new Set(offsets).size).toBeGreaterThan(8);
  });
});

describe('start and end', () => {
  test('instants are kept, in UTC', () => {
    expect(cadenceOf('{ every: 1h, start: 2026-12-25T10:00:00+02:00, end: 2026-12-26T00:00:00Z }')).toMatchObject({
      startAt: '2026-12-25T08:00:00.000Z',
      endAt: '2026-12-26T00:00:00.000Z',
    });
  });

  test.each([
    ['UTC', '2026-12-25T00:00:00.000Z', '2026-12-25T23:59:59.000Z'],
    ['Europe/Berlin', '2026-12-24T23:00:00.000Z', '2026-12-25T22:59:59.000Z'],
    ['America/New_York', '2026-12-25T05:00:00.000Z', '2026-12-26T04:59:59.000Z'],
    ['Asia/Kolkata', '2026-12-24T18:30:00.000Z', '2026-12-25T18:29:59.000Z'],
  ])('a date is a whole day in %s', (timezone, startAt, endAt) => {
    const cadence = cadenceOf(`{ every: 1h, timezone: ${timezone}, start: 2026-12-25, end: 2026-12-25 }`);
    expect(cadence).toMatchObject({ timezone, startAt, endAt });
  });

  test.each([
    ['a day that loses an hour', 'Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00.000Z', '2026-03-29T21:59:59.000Z'],
    [
      'a day whose midnight is skipped',
      'Africa/Cairo',
      '2026-04-24',
      '2026-04-23T22:00:00.000Z',
      '2026-04-24T20:59:59.000Z',
    ],
  ])('%s begins and ends on time', (_what, timezone, date, startAt, endAt) => {
    expect(cadenceOf(`{ every: 1h, timezone: ${timezone}, start: ${date}, end: ${date} }`)).toMatchObject({
      startAt,
      endAt,
    });
  });

  test('without them the cadence has no such keys', () => {
    expect(Object.keys(cadenceOf('{ every: 1h }'))).not.toContain('startAt');
  });
});

describe('skip', () => {
  test('a date is left out whole, in its year only', () => {
    const [calendar] = cadenceOf('{ every: 1h, skip: [2026-12-25] }').skip;
    expect(calendar).toEqual({
      second: [{ start: 0, end: 59, step: 1 }],
      minute: [{ start: 0, end: 59, step: 1 }],
      hour: [{ start: 0, end: 23, step: 1 }],
      dayOfMonth: [{ start: 25, end: 25, step: 1 }],
      month: [{ start: 12, end: 12, step: 1 }],
      dayOfWeek: [{ start: 0, end: 6, step: 1 }],
      year: [{ start: 2026, end: 2026, step: 1 }],
    });
  });

  test('a cron leaves out its minutes with every second of them, so that a spread is caught too', () => {
    const skip = cadenceOf('{ cron: "0 3 * * *", spread: 30s, skip: ["0 3 13 * 5"] }').skip;
    expect(skip).toHaveLength(2);
    expect(skip.map((calendar) => fromRanges(calendar.second).length)).toEqual([60, 60]);
  });
});
