import { expect, it } from 'vitest';
import { compareTicks } from '../../schedules/tick-change.ts';
import { defineSweep } from '../support/definitions.ts';

const now = new Date('2027-06-01T10:07:00Z');
const cadenceOf = (schedule: string) => defineSweep('test.tick-change', { schedule }).order.cadence;

it.each<[string, string, RegExp]>([
  [
    '{ cron: "*/15 * * * *" }',
    '{ cron: "0 * * * *" }',
    /^skips a tick: the one that is due at 2027-06-01T10:15:00.000Z does not come; the next is at 2027-06-01T11:00/,
  ],
  [
    '{ cron: "0 * * * *" }',
    '{ cron: "*/15 * * * *" }',
    /^3 ticks come before the one that was due at 2027-06-01T11:00:00.000Z, the first at 2027-06-01T10:15:00.000Z$/,
  ],
  [
    '{ cron: "0 * * * *" }',
    '{ cron: "30 * * * *" }',
    /^a tick comes before .*11:00:00.000Z, the first at .*10:30:00.000Z; that one does not come$/,
  ],
  ['{ cron: "0 * * * *" }', '{ cron: "0 11-15 * * *" }', /^nothing$/],
  ['{ cron: "0 * * * *" }', '{ every: 1h, end: 2027-01-01 }', /it never fires again$/],
  ['{ every: 1h, end: 2027-01-01 }', '{ every: 1h }', /^it would not have fired any more/],
  ['{ every: 1h }', '{ every: 1m }', /^at least 5 ticks come before/],
])('from %s to %s', (before, after, says) => {
  const { remark } = compareTicks(cadenceOf(before), cadenceOf(after), now)!;
  expect(remark ?? 'nothing').toMatch(says);
});

it('the same times are no change', () => {
  expect(compareTicks(cadenceOf('{ every: 1h }'), cadenceOf('{ every: 60m }'), now)).toBeUndefined();
});

it('a side that does not fire has no ticks, and nothing is skipped', () => {
  const cadence = cadenceOf('{ cron: "0 * * * *" }');
  const five = ['11', '12', '13', '14', '15'].map((hour) => `2027-06-01T${hour}:00:00.000Z`);
  expect(compareTicks(undefined, cadence, now)).toEqual({ before: [], after: five });
  expect(compareTicks(cadence, undefined, now)).toEqual({ before: five, after: [] });
  expect(compareTicks(undefined, undefined, now)).toBeUndefined();
});
