import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listTicks } from '../../ticks/ticks.ts';
import type { Cadence } from '../../workflows/contract.ts';
import { defineSweep } from '../support/definitions.ts';
import { openServerTicks } from './support/server-ticks.ts';
import type { ServerTicks } from './support/server-ticks.ts';

const most = 5_000;

let server: ServerTicks;

beforeAll(async () => {
  server = await openServerTicks();
});

afterAll(() => server.close());

const iso = (times: number[]) => times.map((time) => new Date(time).toISOString());

function listOurs(cadence: Cadence, from: string, to: string): string[] {
  const list = listTicks(cadence, Date.parse(from), Date.parse(to), most);
  if ('tooMany' in list) throw new Error(`more than ${list.tooMany} ticks`);
  return iso(list.ticksMs);
}

/** From one moment on and before another; the server's list is of what is after the one, up to the other itself. */
async function listTheirs(cadence: Cadence, from: string, to: string): Promise<string[]> {
  const secondBefore = (text: string) => new Date(Date.parse(text) - 1_000).toISOString();
  return iso(await server.list(cadence, secondBefore(from), secondBefore(to)));
}

describe('the ticks are those of the ListScheduleMatchingTimes of the server', () => {
  it.for<[schedule: string, from: string, to: string, count: number]>([
    ['{ cron: "*/15 * * * *" }', '2026-03-01T00:00:00Z', '2026-03-03T00:00:00Z', 192],
    ['{ cron: "3-50/7 8-18/3 * * *" }', '2026-03-01T00:00:00Z', '2026-03-06T00:00:00Z', 140],
    ['{ cron: "0 0 13 * 5" }', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z', 61],
    ['{ cron: "0 0 29 2 *" }', '2023-01-01T00:00:00Z', '2033-01-01T00:00:00Z', 3],
    ['{ cron: "5 4 31 * *" }', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z', 7],
    ['{ cron: "*/20 * * * *", spread: 59s }', '2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z', 72],
    ['{ every: 90s }', '2026-03-01T00:00:00Z', '2026-03-01T06:00:00Z', 240],
    ['{ every: 1h, spread: 50m }', '2026-03-01T00:00:00Z', '2026-03-04T00:00:00Z', 72],
    ['{ every: 7d }', '2026-01-01T00:00:00Z', '2026-12-01T00:00:00Z', 48],
    ['{ cron: "0 12 25 12 *", skip: [2026-12-25] }', '2024-01-01T00:00:00Z', '2029-01-01T00:00:00Z', 4],
    ['{ cron: "*/30 * * * *", skip: ["* 0-5 * * *"] }', '2026-03-01T00:00:00Z', '2026-03-03T00:00:00Z', 72],
    [
      '{ every: 10m, timezone: Asia/Kolkata, skip: ["* * * * 0"] }',
      '2026-02-28T00:00:00Z',
      '2026-03-03T00:00:00Z',
      288,
    ],
    [
      '{ every: 10s, start: "2026-03-01T00:00:20.500Z", end: "2026-03-01T00:05:00.500Z" }',
      '2026-02-28T23:59:00Z',
      '2026-03-01T00:10:00Z',
      29,
    ],
    [
      '{ cron: "0 * * * *", timezone: America/New_York, start: 2026-03-07, end: 2026-03-08 }',
      '2026-03-01T00:00:00Z',
      '2026-03-12T00:00:00Z',
      47,
    ],
    ['{ cron: "0 0 29 2 *" }', '2026-03-01T00:00:00Z', '2028-02-29T00:00:00Z', 0],
  ])('%s from %s to %s', async ([schedule, from, to, count]) => {
    const { cadence } = defineSweep('test.cadence', { schedule }).order;
    const ours = listOurs(cadence, from, to);
    expect(ours).toEqual(await listTheirs(cadence, from, to));
    expect(ours).toHaveLength(count);
  });

  it.for<[timezone: string, from: string, to: string]>([
    ['Europe/Berlin', '2026-03-28T00:00:00Z', '2026-03-30T12:00:00Z'],
    ['Europe/Berlin', '2026-10-24T00:00:00Z', '2026-10-26T12:00:00Z'],
    ['Europe/London', '2026-10-24T00:00:00Z', '2026-10-26T12:00:00Z'],
    ['America/New_York', '2026-03-07T00:00:00Z', '2026-03-09T12:00:00Z'],
    ['America/New_York', '2026-10-31T00:00:00Z', '2026-11-02T12:00:00Z'],
    ['America/Santiago', '2026-04-04T00:00:00Z', '2026-04-06T12:00:00Z'],
    ['America/Santiago', '2026-09-05T00:00:00Z', '2026-09-07T12:00:00Z'],
    ['Australia/Sydney', '2026-04-04T00:00:00Z', '2026-04-06T12:00:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T00:00:00Z', '2026-04-06T12:00:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T00:00:00Z', '2026-10-05T12:00:00Z'],
  ])('around the clock change of %s from %s, also where it skips or repeats an hour', async ([timezone, from, to]) => {
    for (const cron of ['*/15 * * * *', '30 1,2,3 * * *', '0 2 * * *', '15 0-4 * * 0', '45 0,23 * * *']) {
      const compiled = defineSweep('test.clock-change', { schedule: `{ cron: "${cron}" }` }).order.cadence;
      for (const skip of [
        [],
        defineSweep('test.s', { schedule: '{ every: 1h, skip: ["* 2 * * *"] }' }).order.cadence.skip,
      ]) {
        const cadence = { ...compiled, timezone, skip };
        expect(listOurs(cadence, from, to)).toEqual(await listTheirs(cadence, from, to));
      }
    }
  });
});

it('the first tick may be the start of the span, and the last is before its end', () => {
  const { cadence } = defineSweep('test.edges', { schedule: '{ every: 10s }' }).order;
  const ours = listOurs(cadence, '2026-03-01T00:00:00Z', '2026-03-01T00:00:20Z');
  expect(ours).toEqual(['2026-03-01T00:00:00.000Z', '2026-03-01T00:00:10.000Z']);
});

it('more ticks than were asked for are not listed, and neither are endless skips', () => {
  const from = Date.parse('2026-03-01T00:00:00Z');
  const every = defineSweep('test.many', { schedule: '{ every: 1s }' }).order.cadence;
  expect(listTicks(every, from, from + 10_000, 10)).toMatchObject({ ticksMs: { length: 10 } });
  expect(listTicks(every, from, from + 11_000, 10)).toEqual({ tooMany: 10, reachedMs: from + 10_000 });
  const skipping = defineSweep('test.none', { schedule: '{ every: 1s, skip: ["* * * * *"] }' }).order.cadence;
  expect(listTicks(skipping, from, from + 86_400_000, 10)).toEqual({ tooMany: 10, reachedMs: from + 100_000 });
});
