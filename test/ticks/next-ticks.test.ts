import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { applySchedule } from '../../schedules/apply.ts';
import { compileSchedule } from '../../schedules/desired.ts';
import { nextTicks } from '../../ticks/ticks.ts';
import { defineSweep } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';

let runner: Runner;
const id = `test.ticks-${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  runner = await startRunner();
});
afterAll(async () => {
  await runner.client.schedule.getHandle(id).delete();
  await runner.close();
});

const seconds = (time: number) => ({ seconds: Math.floor(time / 1_000) as never });

/** Applies a schedule and asks the server for its ticks in a period: those after its start, up to its end. */
async function compare(schedule: string, from: number, until: number): Promise<number> {
  const desired = compileSchedule(defineSweep(id, { schedule }), runner.taskQueue);
  await applySchedule(runner.client, desired);
  const { startTime } = await runner.connection.workflowService.listScheduleMatchingTimes({
    ...{ namespace: 'default', scheduleId: id, startTime: seconds(from), endTime: seconds(until) },
  });
  const theirs = startTime.map((time) => new Date(Number(time.seconds) * 1_000).toISOString());
  const ours = nextTicks(desired.order.cadence, from, theirs.length + 1).filter((tick) => tick <= until);
  expect(
    ours.map((tick) => new Date(tick).toISOString()),
    schedule,
  ).toEqual(theirs.filter((time) => Date.parse(time) > from));
  return theirs.length;
}

/** Each with a change of its clocks in 2027, forwards and back. */
const changes: [string, string, string][] = [
  ['Europe/Berlin', '2027-03-27T12:00:00Z', '2027-10-30T12:00:00Z'],
  ['America/New_York', '2027-03-13T12:00:00Z', '2027-11-06T12:00:00Z'],
  ['Australia/Lord_Howe', '2027-10-02T06:00:00Z', '2027-04-03T06:00:00Z'],
  ['America/St_Johns', '2027-03-13T12:00:00Z', '2027-11-06T12:00:00Z'],
  ['Pacific/Chatham', '2027-09-25T06:00:00Z', '2027-04-03T06:00:00Z'],
  ['Africa/Cairo', '2027-04-29T12:00:00Z', '2027-10-28T12:00:00Z'],
];

it.each(changes)(
  'ticks around the changes of the clocks in %s are those of the server',
  async (zone, ...days) => {
    let compared = 0;
    for (const day of days) {
      for (const cron of ['*/10 0-4 * * *', '30 1,2 * * *', '0 2 * * SUN', '15 * * * *', '30 2 * * *', '0 0 * * *']) {
        compared += await compare(
          `{ cron: "${cron}", timezone: ${zone} }`,
          Date.parse(day),
          Date.parse(day) + 2 * 86_400_000,
        );
      }
    }
    expect(compared).toBeGreaterThan(100);
  },
  60_000,
);

it.each([
  ['{ every: 7m }', 1],
  ['{ every: 90s, spread: 60s }', 1],
  ['{ every: 6h, skip: ["2027-06-02"] }', 4],
  ['{ cron: "*/15 * * * *", skip: ["2027-06-01", "* 3-5 * * *"] }', 2],
  ['{ cron: "0 12 * * *", timezone: Asia/Kolkata, skip: ["0-59 12 * * MON"] }', 30],
  ['{ cron: "5 4 13 * 5", spread: 40s }', 90],
  ['{ cron: "0 0 29 2 *" }', 2_000],
  ['{ cron: "*/30 * * * *", start: 2027-06-02, end: 2027-06-03, timezone: Europe/Berlin }', 5],
  ['{ every: 1h, start: 2027-06-01T05:00:00Z, end: 2027-06-01T08:00:00Z }', 2],
])('ticks of %s are those of the server', async (schedule, days) => {
  const from = Date.parse('2027-06-01T00:00:30Z');
  expect(await compare(schedule, from, from + days * 86_400_000)).toBeGreaterThan(0);
});

it('ticks of generated schedules are those of the server', async () => {
  const number = (min: number, max: number) => fc.integer({ min, max }).map(String);
  const cron = fc
    .tuple(
      number(0, 59),
      fc.oneof(number(0, 23), fc.constant('*/3')),
      fc.oneof(fc.constant('*'), number(1, 31)),
      fc.constantFrom('*', '1-3', 'OCT'),
      fc.constantFrom('*', 'SUN', '1-5/2'),
    )
    .map((fields) => fields.join(' '));
  const from = Date.parse('2027-02-20T10:10:10Z');
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(cron, fc.constantFrom('UTC', ...changes.map(([zone]) => zone)), async (text, zone) => {
      compared += await compare(`{ cron: "${text}", timezone: ${zone} }`, from, from + 60 * 86_400_000);
    }),
    { numRuns: 40 },
  );
  expect(compared).toBeGreaterThan(200);
}, 60_000);

it('a cadence that never fires again has no ticks', () => {
  const { cadence } = defineSweep(id, { schedule: '{ every: 1h, end: 2020-01-01 }' }).order;
  expect(nextTicks(cadence, Date.parse('2027-01-01'), 5)).toEqual([]);
});
