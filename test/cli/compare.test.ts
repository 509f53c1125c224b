import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareSources } from '../../comparison/compare.ts';
import { formatComparison } from '../../cli/comparison-output.ts';
import { requireSource } from '../../cli/source-survey.ts';
import { cutStrips } from '../../cli/strip.ts';
import { chooseColors } from '../../cli/output.ts';
import type { Definition } from '../../compiler/definition.ts';
import { surveySources } from '../../reconcile/source-ticks.ts';
import type { SourceSurvey } from '../../reconcile/source-ticks.ts';
import { applyLongAgo } from '../support/applied-long-ago.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { tellRun } from '../support/told-runs.ts';
import type { ToldRun } from '../support/told-runs.ts';
import { envOf, readActcore, runActcore } from './support/actcore.ts';

const own = 'activity-core';
const timer = 'local-timer';
const intervalMs = 300_000;

let runner: Runner;
let definition: Definition;

/** The last of the ticks, old enough to be judged, and the first. */
const lastMs = Math.floor((Date.now() - 200_000) / intervalMs) * intervalMs;
const firstMs = lastMs - 11 * intervalMs;
const at = (index: number) => firstMs + index * intervalMs;
const iso = (ms: number) => new Date(ms).toISOString();
const span = ['--since', iso(firstMs), '--until', iso(lastMs + 60_000)];

const found = { target: 'repo-1', rule: 'C-13', message: 'it lags behind' };
const done: ToldRun = { outcome: 'completed' };
const locked: ToldRun = { outcome: 'lock_skipped', afterMs: 500, tookMs: 20 };
const after: ToldRun = { outcome: 'completed', afterMs: 10_000 };

/** What became of each tick: of our own, and of the timer. */
const fates: [ToldRun | undefined, ToldRun | undefined][] = [
  [done, locked],
  [locked, done],
  [done, after],
  [done, { outcome: 'completed', afterMs: 500 }],
  [done, undefined],
  [{ outcome: 'automation_error' }, { outcome: 'completed', afterMs: 10_000, flags: ['late', 'spooled'] }],
  [undefined, done],
  [{ ...done, failures: [found] }, after],
  [{ outcome: 'running' }, after],
  [
    { outcome: 'timed_out', tookMs: 40_000 },
    { outcome: 'timed_out', afterMs: 45_000 },
  ],
  [after, done],
  [done, locked],
];

beforeAll(async () => {
  runner = await startRunner();
  definition = await applyLongAgo(runner.history, {
    enabled: 'true',
    schedule: '{ every: 5m }',
    sources: `{ ${timer}: { every: 5m } }`,
  });
  for (const [index, [mine, theirs]] of fates.entries()) {
    if (mine !== undefined) await tellRun(runner.history, definition, own, at(index), mine);
    if (theirs !== undefined) await tellRun(runner.history, definition, timer, at(index), theirs);
  }
}, 60_000);

afterAll(() => runner.close());

interface CompareDocument {
  toleranceMs: number;
  addsUp: boolean;
  sources: Record<string, unknown>[];
  pairs: {
    sources: [string, string];
    agreementPercent: number;
    disagreements: Record<string, number>;
    wins: Record<string, number>;
    doubles: { first: { source: string }; second: { source: string; tick: string } }[];
    assessmentDifferences: { at: string; only: Record<string, unknown[]> }[];
    instants: {
      at: string;
      verdict: Record<string, string>;
      ticks: Record<string, { state: string; reason: string; runId: string | null } | null>;
    }[];
  }[];
}

const compare = (...args: string[]) =>
  readActcore<CompareDocument>(['compare', definition.id, ...span, ...args], { env: envOf(runner) });

async function surveyAgain(id = definition.id): Promise<SourceSurvey> {
  const request = { id, from: new Date(firstMs), settleMs: 0, taskQueue: '', now: new Date() };
  const survey = await surveySources(runner.client, runner.history, request);
  if (survey === undefined || 'tooMany' in survey) throw new Error('nothing to compare');
  const sources = survey.sources.map((one) => {
    const settledMs = lastMs + 60_000;
    return { ...one, settledMs, ticks: one.ticks.filter(({ tickMs }) => tickMs < settledMs) };
  });
  return { ...survey, sources };
}

describe('actcore compare', () => {
  let document: CompareDocument;
  let exitCode: number | undefined;

  beforeAll(async () => {
    const ended = await compare();
    document = ended.document;
    exitCode = ended.exitCode;
  }, 60_000);

  it('says of every tick of both what became of it, also where there is no row', () => {
    expect(exitCode).toBe(0);
    const instants = document.pairs[0]?.instants ?? [];
    const shown = instants.map(({ verdict, ticks }) => [
      ...[ticks[own]?.state, ticks[timer]?.state, verdict['how'] ?? verdict['why'] ?? verdict['kind']],
    ]);
    expect(shown).toEqual([
      ['completed', 'lock_skipped', 'lock_held'],
      ['lock_skipped', 'completed', 'lock_held'],
      ['completed', 'completed', 'both_completed'],
      ['completed', 'completed', 'double_execution'],
      ['completed', 'missed', 'only_one_completed'],
      ['automation_error', 'completed', 'only_one_completed'],
      ['missed', 'completed', 'only_one_completed'],
      ['completed', 'completed', 'both_completed'],
      ['running', 'completed', 'open'],
      ['timed_out', 'timed_out', 'same_outcome'],
      ['completed', 'completed', 'both_completed'],
      ['completed', 'lock_skipped', 'lock_held'],
    ]);
    expect(instants.map((instant) => instant.at)).toEqual(fates.map((_, index) => iso(at(index))));
    expect(instants[6]?.ticks[own]).toMatchObject({ runId: null, reason: expect.stringMatching(/^nothing fired: /) });
    expect(instants[4]?.ticks[timer]?.reason).toBe('no report of this tick came from local-timer');
  });

  it('counts each source, and how far they agree', () => {
    expect(document).toMatchObject({ toleranceMs: 60_000, addsUp: false });
    expect(document.sources).toMatchObject([
      {
        ...{ source: own, expected: 12, rows: 11, unexpected: 0, assessmentFailed: 1, hasReported: true, flags: {} },
        states: { automation_error: 1, completed: 7, lock_skipped: 1, missed: 1, running: 1, timed_out: 1 },
        ...{ duration: { p50Ms: 2_000, p95Ms: 2_000 }, lateness: { p50Ms: 0, p95Ms: 10_000 } },
      },
      {
        ...{ source: timer, expected: 12, rows: 11, retirement: null, flags: { late: 1, spooled: 1 } },
        states: { completed: 8, lock_skipped: 2, missed: 1, timed_out: 1 },
      },
    ]);
    expect(document.pairs).toMatchObject([
      {
        ...{ sources: [own, timer], judged: 11, agreeing: 7, done: 10, open: 1 },
        disagreements: { double_execution: 1, only_one_completed: 3 },
        ...{ wins: { [own]: 2, [timer]: 1 }, ranAlone: { [own]: 1, [timer]: 2 } },
      },
    ]);
    expect(document.pairs[0]?.agreementPercent).toBeCloseTo(63.64, 1);
  });

  it('names both runs of a double execution, and what only one found wrong in the data', () => {
    const [pair] = document.pairs;
    expect(pair?.doubles).toMatchObject([
      { first: { source: own }, second: { source: timer, tick: iso(at(3)) }, overlapMs: 1_500 },
    ]);
    expect(pair?.assessmentDifferences).toMatchObject([
      { at: iso(at(7)), only: { [own]: [{ target: 'repo-1', rule: 'C-13' }], [timer]: [] } },
    ]);
  });

  it('prints a table, a strip for each source and each disagreement with its runs', async () => {
    const { stdout } = await runActcore(['compare', definition.id, ...span], { env: envOf(runner) });
    expect(stdout).toMatch(/^activity-core +12 +7 +1 +1 +1 +1 +2000 ms, 2000 ms +0 ms, 10 s +1 failed$/m);
    expect(stdout).toContain('activity-core  █░███Ex█>T██\nlocal-timer    ░███x████T█░\n');
    expect(stdout).toContain('activity-core and local-timer: 63.6 % agreement, 7 of 11 pairs; the work was done in 10');
    expect(stdout).toMatch(/completed +missed +[0-9a-f]{8} - +no report of this tick came from local-timer/);
    expect(stdout).toMatch(/C-13 +repo-1/);
    expect(stdout).toMatch(/one of the runs whole: actcore run [0-9a-f]{8}/);
  }, 60_000);
});

describe('what cannot be compared is refused in a sentence', () => {
  it.each([
    [['test.nothing'], 'Neither the server nor the history knows test.nothing'],
    [['ID', '--since', '1h', '--until', '2h'], '--until is not after --since'],
  ])(
    '%j',
    async ([id = '', ...args], says) => {
      const words = ['compare', id === 'ID' ? definition.id : id, ...args];
      const { exitCode, stdout, stderr } = await runActcore(words, { env: envOf(runner) });
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toContain(says);
      expect(stderr).not.toContain('    at ');
    },
    60_000,
  );

  it('a source that the definition does not have, with those that it has', async () => {
    const survey = await surveyAgain();
    expect(() => requireSource(survey, 'local-timr')).toThrow(/has no source local-timr; did you mean local-timer\?$/);
    expect(() => requireSource(survey, 'cron')).toThrow(/has no source cron; it has: activity-core, local-timer$/);
  });
});

it('a strip that is too long shows the worst of several ticks in a sign, and both sources in the same columns', async () => {
  const { sources } = await surveyAgain();
  const draw = (width: number) =>
    cutStrips(sources, firstMs, 60_000, width).lines.map(({ cells }) => cells.map((cell) => cell?.[0] ?? ' ').join(''));
  expect(draw(12)).toEqual(['clcccamcrtcc', 'lcccmcccctcl']);
  expect(draw(6)).toEqual(['ccamtc', 'ccmctc']);
  expect(cutStrips(sources, firstMs, 60_000, 6).ticksACell).toBe(2);
});

it('without colours nothing but the signs is printed, and with them the signs are the same', async () => {
  const survey = await surveyAgain();
  const comparison = compareSources(survey.sources, firstMs, 60_000);
  const print = (env: NodeJS.ProcessEnv) =>
    formatComparison(survey, comparison, { colors: chooseColors({ isTTY: true }, env), columns: 100 });
  const plain = print({ NO_COLOR: '1' });
  expect(plain).not.toContain('\u001b');
  const colored = print({ FORCE_COLOR: '1' });
  expect(colored).toContain('\u001b');
  // oxlint-disable-next-line no-control-regex
  expect(colored.replaceAll(/\u001b\[[0-9;]*m/g, '')).toBe(plain);
});

it('a source that never reported is told as one', async () => {
  const lonely = await applyLongAgo(runner.history, { sources: '{ laptop: { every: 5m } }' });
  const survey = await surveyAgain(lonely.id);
  const comparison = compareSources(survey.sources, firstMs, 60_000);
  const printed = formatComparison(survey, comparison, { colors: chooseColors({}, {}), columns: undefined });
  expect(printed).toContain('laptop: it has never reported');
  expect(printed).toContain('activity-core and laptop: no pair of ticks to judge');
});
