import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isTick } from '../../ticks/ticks.ts';
import type { Cadence } from '../../workflows/contract.ts';
import { defineSweep } from '../support/definitions.ts';
import { openServerTicks } from './support/server-ticks.ts';
import type { ServerTicks } from './support/server-ticks.ts';

let server: ServerTicks;

beforeAll(async () => {
  server = await openServerTicks();
});

afterAll(() => server.close());

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Ticks of the server that are none to us, and ticks of ours, beside those or on a grid over the time, that are none to it. */
function compareTicks(cadence: Cadence, ticks: number[], from: string, to: string) {
  const isServerTick = new Set(ticks);
  const gaps = [-day, -hour, -minute, -second, 0, second, minute, hour, day];
  const asked = new Set(ticks.flatMap((tick) => gaps.map((gap) => tick + gap)));
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  const step = 7.5 * minute * Math.ceil((toMs - fromMs) / (7.5 * minute) / 1_000);
  for (let time = fromMs; time <= toMs; time += step) asked.add(time);
  // The server's range begins after its start.
  const inRange = [...asked].filter((time) => time > fromMs && time <= toMs);
  const iso = (times: number[]) => times.map((time) => new Date(time).toISOString());
  return {
    unknown: iso(ticks.filter((tick) => !isTick(cadence, tick))),
    surplus: iso(inRange.filter((time) => !isServerTick.has(time) && isTick(cadence, time))),
  };
}

/** Whether the clocks of a zone show this time twice on that day. */
function isRepeated(iso: string, timezone: string): boolean {
  const show = (time: number) => new Date(time).toLocaleString('en-GB', { timeZone: timezone });
  const time = Date.parse(iso);
  return [time - hour, time + hour].some((other) => show(other) === show(time));
}

describe('isTick agrees with the ListScheduleMatchingTimes of the server', () => {
  it.for<[claim: string, schedule: string, from: string, to: string, atLeast: number]>([
    ['every quarter', '{ cron: "*/15 * * * *" }', '2026-03-01T00:00:00Z', '2026-03-03T00:00:00Z', 190],
    ['steps within ranges', '{ cron: "3-50/7 8-18/3 * * *" }', '2026-03-01T00:00:00Z', '2026-03-06T00:00:00Z', 100],
    ['days of the week', '{ cron: "30 6 * * 1-5" }', '2026-03-01T00:00:00Z', '2026-05-01T00:00:00Z', 40],
    ['Sunday as 7', '{ cron: "0 0 * * 7" }', '2026-03-01T00:00:00Z', '2026-06-01T00:00:00Z', 13],
    ['the 13th or a Friday', '{ cron: "0 0 13 * 5" }', '2026-01-01T00:00:00Z', '2026-12-31T00:00:00Z', 60],
    ['a leap day', '{ cron: "0 0 29 2 *" }', '2023-01-01T00:00:00Z', '2033-01-01T00:00:00Z', 3],
    ['the 31st', '{ cron: "5 4 31 * *" }', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z', 7],
    [
      'spread over the minute',
      '{ cron: "*/20 * * * *", spread: 59s }',
      '2026-03-01T00:00:00Z',
      '2026-03-02T00:00:00Z',
      70,
    ],
    ['an interval', '{ every: 90s }', '2026-03-01T00:00:00Z', '2026-03-01T06:00:00Z', 239],
    ['an interval with an offset', '{ every: 1h, spread: 50m }', '2026-03-01T00:00:00Z', '2026-03-04T00:00:00Z', 71],
    ['an interval of 7 days', '{ every: 7d }', '2026-01-01T00:00:00Z', '2026-12-01T00:00:00Z', 45],
    [
      'a day that is skipped, in one year only',
      '{ cron: "0 12 25 12 *", skip: [2026-12-25] }',
      '2024-01-01T00:00:00Z',
      '2029-01-01T00:00:00Z',
      4,
    ],
    [
      'nights that are skipped',
      '{ cron: "*/30 * * * *", skip: ["* 0-5 * * *"] }',
      '2026-03-01T00:00:00Z',
      '2026-03-03T00:00:00Z',
      70,
    ],
    [
      'a skip in an interval',
      '{ every: 10m, timezone: Asia/Kolkata, skip: ["* * * * 0"] }',
      '2026-02-28T00:00:00Z',
      '2026-03-03T00:00:00Z',
      200,
    ],
    [
      'start and end',
      '{ cron: "*/10 * * * *", start: 2026-03-01T00:10:00Z, end: 2026-03-01T02:00:00Z }',
      '2026-02-28T00:00:00Z',
      '2026-03-02T00:00:00Z',
      12,
    ],
    [
      'a start within a second',
      '{ every: 10s, start: "2026-03-01T00:00:20.500Z", end: "2026-03-01T00:05:00.500Z" }',
      '2026-02-28T23:59:00Z',
      '2026-03-01T00:10:00Z',
      28,
    ],
    [
      'days as start and end in a zone',
      '{ cron: "0 * * * *", timezone: America/New_York, start: 2026-03-07, end: 2026-03-08 }',
      '2026-03-01T00:00:00Z',
      '2026-03-12T00:00:00Z',
      47,
    ],
    [
      'half an hour off',
      '{ cron: "0 9 * * *", timezone: Asia/Kolkata }',
      '2026-03-01T00:00:00Z',
      '2026-04-01T00:00:00Z',
      31,
    ],
  ])('%s: %s', async ([, schedule, from, to, atLeast]) => {
    const { cadence } = defineSweep('test.cadence', { schedule }).order;
    const ticks = await server.list(cadence, from, to);
    expect(ticks.length).toBeGreaterThanOrEqual(atLeast);
    expect(compareTicks(cadence, ticks, from, to)).toEqual({ unknown: [], surplus: [] });
    expect(ticks.filter((tick) => isTick(cadence, tick + 500))).toEqual([]);
  });

  it.for<[timezone: string, from: string, to: string]>([
    ['Europe/Berlin', '2026-03-28T00:00:00Z', '2026-03-30T12:00:00Z'],
    ['Europe/Berlin', '2026-10-24T00:00:00Z', '2026-10-26T12:00:00Z'],
    ['America/New_York', '2026-03-07T00:00:00Z', '2026-03-09T12:00:00Z'],
    ['America/New_York', '2026-10-31T00:00:00Z', '2026-11-02T12:00:00Z'],
    ['Australia/Sydney', '2026-04-04T00:00:00Z', '2026-04-06T12:00:00Z'],
  ])(
    'around the clock change of %s from %s, but for a repeated hour that the server leaves out',
    async ([timezone, from, to]) => {
      for (const cron of ['*/30 * * * *', '30 1,2,3 * * *', '0 2 * * *', '15 0-4 * * 0']) {
        const compiled = defineSweep('test.clock-change', { schedule: `{ cron: "${cron}" }` }).order.cadence;
        const cadence = { ...compiled, timezone };
        const { unknown, surplus } = compareTicks(cadence, await server.list(cadence, from, to), from, to);
        expect(unknown).toEqual([]);
        expect(surplus.filter((time) => !isRepeated(time, timezone))).toEqual([]);
      }
    },
  );
});
