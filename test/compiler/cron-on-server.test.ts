import { Client, Connection } from '@temporalio/client';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileCadence } from '../../compiler/cadence.ts';
import { compileCron } from '../../compiler/cron.ts';
import type { DstPolicy } from '../../compiler/dst.ts';
import { forEachAtOnce } from '../../schedules/each.ts';
import { compileSpec } from '../../schedules/spec.ts';
import type { Cadence } from '../../workflows/contract.ts';
import { readTestSetting } from '../support/database.ts';
import { listReference, policies } from './cron-reference.ts';

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

/** A cron text in a zone under a policy, and the next 50 firings after a moment by the independent library. */
interface Case {
  text: string;
  timezone: string;
  policy: DstPolicy;
  from: number;
  expected: string[];
  /** Whether another policy would have given other firings. */
  isDecided: boolean;
}

/** The most that the server lists at a time. */
const longestAnswer = 1_000;

/**
 * What the server itself says each case of a zone fires at. It takes a schedule to ask, which is what costs time: so
 * the cases share one, each with a second of its own by which its firings are told apart.
 */
async function askServer(cases: readonly Case[]): Promise<string[][]> {
  const scheduleId = `ask-${crypto.randomUUID()}`;
  const action = { type: 'startWorkflow' as const, workflowType: 'none', taskQueue: 'none' };
  const parts = cases.map((one, second) => atSecond(compileCase(one), second));
  const [first] = parts;
  if (!first) return [];
  const calendars = parts.flatMap((part) => part.calendars);
  const cadence = { ...first, calendars, intervals: parts.flatMap((part) => part.intervals) };
  const handle = await client.schedule.create({
    ...{ scheduleId, action, spec: compileSpec(cadence) },
    state: { paused: true },
  });
  const answers: string[][] = [];
  for (const [second, { from, expected }] of cases.entries()) {
    const last = Date.parse(expected.at(-1) ?? '');
    const times = await listTimes(scheduleId, from + minuteMs - 1_000, last + minuteMs - 1_000);
    answers.push(
      times.filter((time) => time % minuteMs === second * 1_000).map((time) => toIso(time - second * 1_000)),
    );
  }
  await handle.delete();
  return answers;
}

/** The server leaves the first moment out and takes the last one in. */
async function listTimes(scheduleId: string, from: number, to: number): Promise<number[]> {
  const { startTime } = await client.workflowService.listScheduleMatchingTimes({
    ...{ namespace: 'default', scheduleId },
    startTime: toTimestamp(from),
    endTime: toTimestamp(to),
  });
  const times = (startTime ?? []).map(({ seconds }) => Number(seconds) * 1_000);
  const last = times.at(-1);
  if (last === undefined || times.length < longestAnswer) return times;
  return [...times, ...(await listTimes(scheduleId, last, to))];
}

function compileCase({ text, timezone, policy }: Case): Cadence {
  const compiled = compileCron(text);
  if (!('calendars' in compiled)) throw new Error(`${text} is not a cron text`);
  return compileCadence({ cron: compiled.calendars, timezone, dst: policy }, 'team.sweep', fromYear);
}

function atSecond(cadence: Cadence, second: number): Cadence {
  return {
    ...cadence,
    calendars: cadence.calendars.map((calendar) => ({
      ...calendar,
      second: [{ start: second, end: second, step: 1 }],
    })),
    intervals: cadence.intervals.map((one) => ({ ...one, offsetMs: one.offsetMs + second * 1_000 })),
  };
}

function toIso(instant: number): string {
  return new Date(instant).toISOString();
}

function toTimestamp(instant: number): { seconds: Long } {
  return { seconds: (instant / 1_000) as unknown as Long };
}
type Long = NonNullable<
  NonNullable<Parameters<Client['workflowService']['listScheduleMatchingTimes']>[0]['startTime']>['seconds']
>;

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
  .filter((text) => 'calendars' in compileCron(text))
  .slice(0, 300);

/** Every text in every zone: each policy in turn, beginning shortly before one clock change or another. */
function* listCases(): Generator<Case> {
  for (const [index, text] of texts.entries()) {
    for (const [zone, { timezone, changes }] of zones.entries()) {
      const policy = policies[(index + zone) % 3] ?? 'once';
      const change = Date.parse(changes[Math.floor(index / 3) % 2] ?? '');
      const before = [10 * minuteMs, 3 * hourMs, 30 * hourMs][Math.floor(index / 6) % 3] ?? 0;
      const from = change - before;
      const all = listReference(text, timezone, from, windowEnd - 36 * hourMs);
      const expected = all[policy];
      const isDecided = policies.some((other) => all[other].join() !== expected.join());
      if (expected.length > 0) yield { text, timezone, policy, from, expected, isDecided };
    }
  }
}

/** Cases that one answer can hold: of one zone, and of about the same length. */
function groupCases(cases: readonly Case[]): Case[][] {
  const lengthOf = ({ from, expected }: Case): number => Date.parse(expected.at(-1) ?? '') - from;
  return zones.flatMap(({ timezone }) => {
    const ofZone = cases.filter((one) => one.timezone === timezone);
    ofZone.sort((left, right) => lengthOf(left) - lengthOf(right));
    const groups: Case[][] = [];
    for (const one of ofZone) {
      const group = groups.at(-1);
      const [shortest] = group ?? [];
      if (group && shortest && group.length < mostOfGroup && lengthOf(one) <= 1.5 * lengthOf(shortest)) group.push(one);
      else groups.push([one]);
    }
    return groups;
  });
}
const mostOfGroup = 4;

test(
  '300 cron texts in 6 zones fire on the server when an independent library says, around clock changes',
  { timeout: 300_000 },
  async () => {
    expect(texts).toHaveLength(300);
    const cases = [...listCases()];
    expect(cases.length).toBeGreaterThan(1_500);
    const wrong: unknown[] = [];
    await forEachAtOnce(groupCases(cases), async (group) => {
      const answers = await askServer(group);
      for (const [index, { text, timezone, policy, from, expected }] of group.entries()) {
        const actual = answers[index] ?? [];
        if (JSON.stringify(actual) === JSON.stringify(expected)) continue;
        const missing = expected.filter((time) => !actual.includes(time));
        const extra = actual.filter((time) => !expected.includes(time));
        wrong.push({ text, timezone, policy, from: toIso(from), missing, extra });
      }
    });
    expect(wrong.slice(0, 5)).toEqual([]);
    for (const { timezone } of zones) {
      for (const policy of policies) {
        const decided = cases.filter((one) => one.timezone === timezone && one.policy === policy && one.isDecided);
        expect(decided.length, `${policy} in ${timezone}`).toBeGreaterThanOrEqual(5);
      }
    }
  },
);
