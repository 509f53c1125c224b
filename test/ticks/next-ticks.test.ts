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

/** Applies a schedule and asks the server for its ticks in a period; the calendars are read in the zone as they stand. */
async function compare(schedule: string, timezone: string, from: number, until: number): Promise<number> {
  const plain = defineSweep(id, { schedule });
  const cadence = { ...plain.order.cadence, timezone };
  const desired = compileSchedule({ ...plain, order: { ...plain.order, cadence } }, runner.taskQueue);
  await applySchedule(runner.client, desired);
  const { startTime } = await runner.connection.workflowService.listScheduleMatchingTimes({
    ...{ namespace: 'default', scheduleId: id, startTime: seconds(from), endTime: seconds(until) },
  });
  const theirs = startTime.map((time) => new Date(Number(time.seconds) * 1_000).toISOString());
  const ours = nextTicks(cadence, from, theirs.length + 1).filter((tick) => tick <= until);
  expect(
    ours.map((tick) => new Date(tick).toISOString()),
    `${schedule} in ${timezone}`,
  ).toEqual(theirs.filter((time) => Date.parse(time) > from));
  return theirs.length;
}

it.each([
  ['{ every: 90s, spread: 60s }', 1],
  ['{ every: 6h, skip: ["2027-06-02"] }', 4],
  ['{ cron: "5 4 13 * 5", spread: 40s }', 90],
  ['{ cron: "0 0 29 2 *" }', 2_000],
  ['{ every: 1h, start: 2027-06-01T05:00:00Z, end: 2027-06-01T08:00:00Z }', 2],
])('the next ticks of %s are those of the server', async (schedule, days) => {
  const from = Date.parse('2027-06-01T00:00:30Z');
  expect(await compare(schedule, 'UTC', from, from + days * 86_400_000)).toBeGreaterThan(0);
});

it('the next ticks of generated schedules are those of the server, also where clocks are moved', async () => {
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
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'America/St_Johns', 'Pacific/Chatham', 'Africa/Cairo'];
  const from = Date.parse('2027-02-20T10:10:10Z');
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(cron, fc.constantFrom(...zones), async (text, zone) => {
      compared += await compare(`{ cron: "${text}" }`, zone, from, from + 60 * 86_400_000);
    }),
    { numRuns: 40 },
  );
  expect(compared).toBeGreaterThan(200);
}, 60_000);

it('a cadence that never fires again has no ticks, and neither has one that skips all of them', () => {
  const { cadence } = defineSweep(id, { schedule: '{ every: 1h, end: 2020-01-01 }' }).order;
  expect(nextTicks(cadence, Date.parse('2027-01-01'), 5)).toEqual([]);
  const skipping = defineSweep(id, { schedule: '{ every: 1h, skip: ["* * * * *"] }' }).order.cadence;
  expect(nextTicks(skipping, Date.parse('2027-01-01'), 5)).toEqual([]);
});
