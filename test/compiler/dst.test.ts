import { expect, test } from 'vitest';
import { compileFiles } from '../../compiler/compile-files.ts';
import { change } from './sample.ts';

const now = new Date('2026-11-21T00:00:00Z');

function compileOn(schedule: string, moment = now) {
  const text = change('{ cron: "0 3 * * *" }', `{ ${schedule} }`);
  const { definitions, problems } = compileFiles([{ file: 'a.md', text }], { now: moment });
  return {
    order: definitions[0]?.order,
    problems: problems.map(({ line, column, message, hint }) => `${line}:${column}: ${message} -> ${hint}`),
  };
}

test('a time that the clocks skip and repeat needs a word, which is told with its dates and choices', () => {
  expect(compileOn('cron: "30 2 * * *", timezone: Europe/Berlin').problems).toEqual([
    '6:43: Europe/Berlin: the clocks skip 02:00-03:00 on 2027-03-28, where this fires at 02:30; the clocks repeat 02:00-03:00 on 2027-10-31, where this fires at 02:30; say by `dst` what then -> `skip`: not at all on that day and the first 02:30 only; `once`: at 03:30 instead and the first 02:30 only; `both`: at 03:30 instead and 02:30 both times',
  ]);
});

test('where only one of the two happens only that is told', () => {
  expect(compileOn('cron: "15 1 * * 0", timezone: America/New_York').problems).toEqual([
    '6:43: America/New_York: the clocks repeat 01:00-02:00 on 2027-11-07, where this fires at 01:15; say by `dst` what then -> `skip`: the first 01:15 only; `once`: the first 01:15 only; `both`: 01:15 both times',
  ]);
});

test.each([
  'cron: "30 2 * * *"',
  'cron: "30 2 * * *", timezone: Asia/Tokyo',
  'cron: "30 4 * * *", timezone: Europe/Berlin',
  'cron: "30 2 * * 1-5", timezone: Europe/Berlin',
  'cron: "30 2 1 * *", timezone: Europe/Berlin',
  'every: 10m, timezone: Europe/Berlin',
  'cron: "30 2 * * *", timezone: Europe/Berlin, dst: skip',
  'cron: "30 2 * * *", timezone: Europe/Berlin, end: 2027-03-27',
  'cron: "30 2 * * *", timezone: Europe/Berlin, start: 2027-03-29, end: 2027-10-30T12:00:00Z',
])('nothing is asked where no time is touched, or where it is said: %s', (schedule) => {
  expect(compileOn(schedule).problems).toEqual([]);
});

test('a change that is past, or more than two years ahead, is not asked about', () => {
  const leap = 'cron: "30 2 28 3 *", timezone: Europe/Berlin';
  expect(compileOn(leap, new Date('2026-11-21T00:00:00Z')).problems).toHaveLength(1);
  expect(compileOn(leap, new Date('2027-04-01T00:00:00Z')).problems).toEqual([]);
});

test('a schedule that no change touches is one calendar, whatever is said', () => {
  const { order } = compileOn('cron: "30 4 * * *", timezone: Europe/Berlin, dst: both');
  expect(order?.cadence.calendars).toHaveLength(1);
  expect(order?.cadence.intervals).toEqual([]);
});

test('the contract hash depends on the policy and not on the year in which it is compiled', () => {
  const hash = (dst: string, moment: Date) =>
    compileOn(`cron: "30 2 * * *", timezone: Europe/Berlin, dst: ${dst}`, moment).order?.contractHash;
  const later = new Date('2028-05-01T00:00:00Z');
  expect(hash('once', later)).toBe(hash('once', now));
  expect(hash('both', now)).not.toBe(hash('once', now));
});

test('the same year compiles to the same cadence', () => {
  const cadence = (moment: string) =>
    compileOn('cron: "30 2 * * *", timezone: Europe/Berlin, dst: both', new Date(moment)).order?.cadence;
  expect(cadence('2026-12-31T23:00:00Z')).toEqual(cadence('2026-01-01T00:00:00Z'));
});

test('a dst that nobody knows is told', () => {
  expect(compileOn('cron: "30 2 * * *", timezone: Europe/Berlin, dst: never').problems).toEqual([
    '6:63: `schedule.dst` is `never`; expected one of skip, once, both -> undefined',
  ]);
});
