import { Client, Connection } from '@temporalio/client';
import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileCadence } from '../../compiler/cadence.ts';
import { compileCron } from '../../compiler/cron.ts';
import type { DstPolicy } from '../../compiler/dst.ts';
import { forEachAtOnce } from '../../schedules/each.ts';
import { compileSpec } from '../../schedules/spec.ts';
import type { Cadence } from '../../workflows/contract.ts';
import { readTestSetting } from '../support/database.ts';

const fromYear = 2026;
const windowEnd = Date.UTC(fromYear + 3, 0, 1);
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** A moment of a clock change in each zone: two that go forward, two back, one of half an hour, one at midnight. */
const zones = [
  { timezone: 'Europe/Berlin', changes: ['2027-03-28T01:00:00Z', '2027-10-31T01:00:00Z'] },
  { timezone: 'America/New_York', changes: ['2027-03-14T07:00:00Z', '2026-11-01T06:00:00Z'] },
  { timezone: 'Australia/Lord_Howe', changes: ['2027-04-03T15:00:00Z', '2027-10-02T15:30:00Z'] },
  { timezone: 'Pacific/Auckland', changes: ['2027-04-03T14:00:00Z', '2027-09-25T14:00:00Z'] },
  { timezone: 'America/Santiago', changes: ['2027-04-04T03:00:00Z', '2027-09-05T04:00:00Z'] },
  { timezone: 'Africa/Cairo', changes: ['2027-04-29T22:00:00Z', '2027-10-28T21:00:00Z'] },
];

let connection: Connection;
let client: Client;

beforeAll(async () => {
  connection = await Connection.connect({ address: readTestSetting('ACTCORE_TEST_TEMPORAL_ADDRESS') });
  client = new Client({ connection });
});

afterAll(() => connection.close());

/** What the server itself says a cadence fires at; it takes a schedule to ask. */
async function askServer(cadence: Cadence, from: number, to: number): Promise<string[]> {
  const scheduleId = `ask-${crypto.randomUUID()}`;
  const action = { type: 'startWorkflow' as const, workflowType: 'none', taskQueue: 'none' };
  const handle = await client.schedule.create({
    ...{ scheduleId, action, spec: compileSpec(cadence) },
    state: { paused: true },
  });
  const { startTime } = await client.workflowService.listScheduleMatchingTimes({
    ...{ namespace: 'default', scheduleId },
    startTime: { seconds: (from / 1_000) as unknown as Long },
    endTime: { seconds: (to / 1_000) as unknown as Long },
  });
  await handle.delete();
  return (startTime ?? []).map(({ seconds }) => new Date(Number(seconds) * 1_000).toISOString());
}
type Long = NonNullable<
  NonNullable<Parameters<Client['workflowService']['listScheduleMatchingTimes']>[0]['startTime']>['seconds']
>;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Local time minus UTC, read from the zone's own text and not as the compiler reads it. */
function offsetOf(timezone: string, instant: number): number {
  const format =
    formats.get(timezone) ?? new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
  formats.set(timezone, format);
  const text = format.formatToParts(instant).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * minuteMs;
}

/** The instants of a local time under a policy. */
function resolve(timezone: string, local: number, policy: DstPolicy): number[] {
  const earlier = offsetOf(timezone, local - 24 * hourMs);
  const later = offsetOf(timezone, local + 24 * hourMs);
  const real = [...new Set([local - earlier, local - later])]
    .filter((instant) => instant + offsetOf(timezone, instant) === local)
    .sort((left, right) => left - right);
  if (real.length === 0) return policy === 'skip' ? [] : [local - earlier];
  return policy === 'both' ? real : real.slice(0, 1);
}

/** The next 50 firings after `from` by the independent library, as far as clock changes are written out. */
function listReference(text: string, timezone: string, policy: DstPolicy, from: number): string[] {
  const currentDate = new Date(from - 36 * hourMs);
  const expression = CronExpressionParser.parse(text, { currentDate, tz: 'UTC' });
  const instants = new Set<number>();
  let enough = Number.POSITIVE_INFINITY;
  for (;;) {
    const local = expression.next().getTime();
    if (local > enough || local > windowEnd + 36 * hourMs) break;
    for (const instant of resolve(timezone, local, policy)) if (instant > from) instants.add(instant);
    if (instants.size >= 50 && enough === Number.POSITIVE_INFINITY) enough = local + 4 * hourMs;
  }
  return [...instants]
    .filter((instant) => instant < windowEnd - 36 * hourMs)
    .sort((left, right) => left - right)
    .slice(0, 50)
    .map((instant) => new Date(instant).toISOString());
}

const early = fc.constantFrom('0', '1', '2', '3', '23', '0-3', '1,2', '*', '*/2', '1-2', '9');
const minute = fc.constantFrom('0', '30', '*/15', '*', '7,45', '15', '59', '*/30');
const day = fc.constantFrom('*', '*', '*', '1-31/2', '28', '31', '1,14,28', '4,5', '29');
const month = fc.constantFrom('*', '*', '*', '3,4,9-11', '*/2', 'MAR,OCT');
const weekday = fc.constantFrom('*', '*', '*', '0', 'SAT', '1-5', '6,7', 'FRI');
const texts = [
  ...new Set(
    fc
      .sample(fc.tuple(minute, early, day, month, weekday), { numRuns: 900, seed: 20_261 })
      .map((fields) => fields.join(' ')),
  ),
]
  .filter((text) => 'calendars' in compileCron(text) && !/6,7|(\*.*){0}7,7/.test(text))
  .slice(0, 300);

const policies: DstPolicy[] = ['skip', 'once', 'both'];

test(
  '300 cron texts in 6 zones fire on the server when an independent library says, around clock changes',
  { timeout: 300_000 },
  async () => {
    expect(texts).toHaveLength(300);
    const cases = texts.flatMap((text, index) =>
      zones.map(({ timezone, changes }, zone) => {
        const policy = policies[(index + zone) % 3] ?? 'once';
        const change = Date.parse(changes[Math.floor(index / 3) % 2] ?? '');
        const from = change - ([10 * minuteMs, 3 * hourMs, 30 * hourMs][index % 3 === 0 ? index % 2 : 2] ?? 0);
        return { text, timezone, policy, from };
      }),
    );
    const wrong: unknown[] = [];
    let compared = 0;
    await forEachAtOnce(cases, async ({ text, timezone, policy, from }) => {
      const compiled = compileCron(text);
      if (!('calendars' in compiled)) return;
      const cadence = compileCadence({ cron: compiled.calendars, timezone, dst: policy }, 'team.sweep', fromYear);
      const expected = listReference(text, timezone, policy, from);
      const last = Date.parse(expected.at(-1) ?? '');
      if (Number.isNaN(last)) return;
      const actual = await askServer(cadence, from + 1_000, last);
      compared += 1;
      if (JSON.stringify(actual) !== JSON.stringify(expected)) {
        const missing = expected.filter((time) => !actual.includes(time));
        const extra = actual.filter((time) => !expected.includes(time));
        wrong.push({ text, timezone, policy, from: new Date(from).toISOString(), missing, extra });
      }
    });
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(compared).toBeGreaterThan(1_500);
  },
);
