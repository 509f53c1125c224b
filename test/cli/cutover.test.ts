import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCutover, describeCheck } from '../../cli/cutover-check.ts';
import type { CutoverCheck } from '../../cli/cutover-check.ts';
import { openOutput } from '../../cli/output.ts';
import type { Definition } from '../../compiler/definition.ts';
import { listRetiredReports } from '../../history/health-queries.ts';
import { listJournal } from '../../history/journal.ts';
import { findSourceRetirement, recordSourceRetirement, recordSourceReturn } from '../../history/source-retirement.ts';
import { applyLongAgo } from '../support/applied-long-ago.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { tellRun } from '../support/told-runs.ts';
import type { ToldRun } from '../support/told-runs.ts';
import { envOf, readActcore, runActcore } from './support/actcore.ts';

const own = 'activity-core';
const timer = 'local-timer';
const minute = 60_000;

let runner: Runner;

beforeAll(async () => {
  runner = await startRunner();
});

afterAll(() => runner.close());

const done: ToldRun = { outcome: 'completed' };
const locked: ToldRun = { outcome: 'lock_skipped', afterMs: 500, tookMs: 20 };
type Pair = [mine: ToldRun | undefined, theirs: ToldRun | undefined];
const turns = (index: number): Pair => (index % 2 === 0 ? [done, locked] : [locked, done]);

/** A definition of two hours with both sources, and their rows of the last `count` minutes; the newest first by `fateOf`. */
async function runBoth(
  count: number,
  fateOf: (agoMinutes: number) => Pair = turns,
  changes: Frontmatter = {},
): Promise<Definition> {
  const definition = await applyLongAgo(runner.history, {
    ...{ enabled: 'true', schedule: '{ every: 1m }', sources: `{ ${timer}: { every: 1m } }` },
    cutover: '{ window: 15m, min_pairs: 10 }',
    ...changes,
  });
  const newestMs = Math.floor(Date.now() / minute) * minute;
  for (let ago = 0; ago < count; ago += 1) {
    const [mine, theirs] = fateOf(ago);
    if (mine !== undefined) await tellRun(runner.history, definition, own, newestMs - ago * minute, mine);
    if (theirs !== undefined) await tellRun(runner.history, definition, timer, newestMs - ago * minute, theirs);
  }
  return definition;
}

/** As the command does it, without a process of its own. */
async function check(
  { id }: Definition,
  changes: { from?: string; to?: string; since?: Date } = {},
): Promise<CutoverCheck> {
  const settings = {
    ...{ temporalAddress: '', namespace: 'default', taskQueue: runner.taskQueue, databaseUrl: runner.databaseUrl },
    ...{ uiUrl: undefined, actor: 'tester' },
  };
  const session = { settings, output: openOutput(true), env: {}, signal: new AbortController().signal };
  return checkCutover(session, runner.client, runner.history, { id, from: timer, to: own, ...changes });
}

const unmetOf = ({ criteria }: CutoverCheck) => criteria.flatMap(({ isMet, name }) => (isMet ? [] : [name]));

describe('a check', () => {
  it('is go where both were there for the window and made way for each other', async () => {
    const found = await check(await runBoth(24));
    expect(unmetOf(found)).toEqual([]);
    expect(found.isGo).toBe(true);
    expect(found.window.toMs - found.window.fromMs).toBe(15 * minute);
    expect(found.criteria.map(({ name, figure, threshold }) => [name, figure, threshold])).toEqual([
      ['window_covered', 15 * minute, 15 * minute],
      ['ticks_covered', 0, 0],
      ['enough_pairs', 15, 10],
      ['agreement', 100, 95],
      ['new_completed', expect.toSatisfy((runs: number) => runs === 7 || runs === 8), 1],
      ['completion', 100, 100],
      ['no_new_failure', 0, 0],
      ['no_double_execution', 0, 0],
      ['account', 0, 0],
    ]);
  });

  it('is no-go before the window is over', async () => {
    expect(unmetOf(await check(await runBoth(10)))).toEqual([
      'window_covered',
      'enough_pairs',
      'no_new_failure',
      'account',
    ]);
  });

  it('is no-go while the new one was away within the window, and go again when the window has moved past that', async () => {
    const away =
      (first: number) =>
      (ago: number): Pair =>
        ago === first ? [undefined, done] : turns(ago);
    const recent = await check(await runBoth(24, away(8)));
    expect(unmetOf(recent)).toEqual(['agreement', 'completion', 'no_new_failure', 'account']);
    expect(describeCheck(recent).comparison.instants).toMatchObject([
      {
        verdict: { why: 'only_one_completed' },
        ticks: { [own]: { state: 'missed' }, [timer]: { state: 'completed' } },
      },
    ]);
    expect(unmetOf(await check(await runBoth(24, away(20))))).toEqual([]);
  });

  it('counts what the old one alone did not do against agreement and not against the new one', async () => {
    const away = (ago: number): Pair =>
      ago === 8 ? [done, { outcome: 'automation_error', afterMs: 5_000 }] : turns(ago);
    expect(unmetOf(await check(await runBoth(24, away)))).toEqual(['agreement']);
    const lenient = { cutover: '{ window: 15m, min_pairs: 10, min_agreement: 90 }' };
    expect(unmetOf(await check(await runBoth(24, away, lenient)))).toEqual([]);
  });

  it('sees two runs at once', async () => {
    const both = (ago: number): Pair => (ago === 8 ? [done, { outcome: 'completed', afterMs: 300 }] : turns(ago));
    expect(unmetOf(await check(await runBoth(24, both)))).toEqual(['agreement', 'no_double_execution']);
  });

  it('is go where the new one has ticks that the old one does not', async () => {
    const changes = {
      schedule: '{ cron: "* * * * *" }',
      sources: `{ ${timer}: { every: 2m } }`,
      cutover: '{ window: 20m, min_pairs: 5, tolerance: 10s }',
    };
    const newestMs = Math.floor(Date.now() / minute) * minute;
    const every = (ago: number): Pair => [
      done,
      (newestMs / minute - ago) % 2 === 0 ? { ...done, afterMs: 5_000 } : undefined,
    ];
    expect(unmetOf(await check(await runBoth(30, every, changes)))).toEqual([]);
  });

  it('is no-go where the old one has ticks that the new one does not', async () => {
    const changes = { schedule: '{ every: 2m }', cutover: '{ window: 15m, min_pairs: 3, tolerance: 10s }' };
    const newestMs = Math.floor(Date.now() / minute) * minute;
    const every = (ago: number): Pair => [
      (newestMs / minute - ago) % 2 === 0 ? { ...done, afterMs: 5_000 } : undefined,
      done,
    ];
    expect(unmetOf(await check(await runBoth(30, every, changes)))).toEqual(['ticks_covered']);
  });

  it('may look further back than the window and not less far', async () => {
    const definition = await runBoth(30, (ago) => (ago === 20 ? [undefined, done] : turns(ago)));
    expect(unmetOf(await check(definition))).toEqual([]);
    const since = new Date(Date.now() - 25 * minute);
    expect(unmetOf(await check(definition, { since }))).toContain('no_new_failure');
    await expect(check(definition, { since: new Date(Date.now() - 10 * minute) })).rejects.toThrow(
      /^--since is shorter than the window of 15m that the definition asks for$/,
    );
  });

  it.each([
    [{ from: own, to: timer }, /^activity-core is this scheduler itself and is not retired as a source$/],
    [{ from: timer, to: timer }, /^--from and --to are the same source$/],
    [{ from: 'cron' }, /has no source cron; it has: activity-core, local-timer$/],
    [{ to: 'cron' }, /has no source cron; it has/],
  ])('%j is refused', async (changes, says) => {
    await expect(check(await runBoth(1), changes)).rejects.toThrow(says);
  });

  it('of an id that the history does not know is refused', async () => {
    const unknown = { id: 'test.nothing' } as Definition;
    await expect(check(unknown)).rejects.toThrow(/^The history has no definition test\.nothing/);
  });
});

describe('the way of a cutover by its commands', () => {
  let definition: Definition;
  const actcore = (...args: string[]) => runActcore(args, { env: envOf(runner) });

  beforeAll(async () => {
    definition = await runBoth(24, (ago) => (ago === 8 ? [undefined, done] : turns(ago)));
  }, 60_000);

  it('check says no-go with each criterion, its figure and what to do', async () => {
    const { exitCode, stdout } = await actcore('cutover', 'check', definition.id, '--from', timer);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^yes +15m +at least 15m +both were in the account for the whole window$/m);
    expect(stdout).toMatch(
      /^no +93\.3 % +at least 95 % +pairs that agree -> actcore compare lists those that do not$/m,
    );
    expect(stdout).toMatch(/^no-go: 4 of 9 criteria are not met$/m);
  }, 60_000);

  it('confirm refuses what check says no to, and --force needs a reason', async () => {
    const { exitCode, stderr } = await actcore('cutover', 'confirm', definition.id, '--from', timer);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('local-timer is not retired; --force with a --reason does it all the same');
    const { id, order } = definition;
    const retired = { definitionUuid: order.definition.uuid, source: timer };
    expect(await findSourceRetirement(runner.history, retired)).toBeUndefined();
    const forced = await actcore('cutover', 'confirm', id, '--from', timer, '--force');
    expect(forced).toMatchObject({ exitCode: 1, stdout: '' });
    expect(forced.stderr).toContain('--force needs a --reason');
  }, 60_000);

  it('confirm keeps the evidence and who decided, and tells how the timer is switched off', async () => {
    const { id } = definition;
    const args = ['cutover', 'confirm', id, '--from', timer, '--force', '--reason', 'the outage was ours'];
    const { exitCode, stdout, stderr } = await actcore(...args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('local-timer is retired in favour of activity-core, against the check');
    expect(stdout).toContain('systemctl disable --now local-timer.timer');
    const [event] = await listJournal(runner.history, { entityId: id, limit: 1 });
    expect(event).toMatchObject({
      ...{ entityType: 'source', entityId: `${id}/${timer}`, field: 'retired', actor: 'tester' },
      ...{ source: 'cutover confirm', oldValue: null },
      newValue: { successor: own, evidence: { isGo: false, forced: true, reason: 'the outage was ours' } },
    });
    const again = await readActcore<{ wasRetired: boolean }>(args, { env: envOf(runner) });
    expect(again).toMatchObject({ exitCode: 0, document: { wasRetired: true, retiredBy: 'tester', successor: own } });
    expect(await listJournal(runner.history, { entityType: 'source', entityId: id, limit: 9 })).toHaveLength(1);
    await expect(check(definition)).rejects.toThrow(
      /^local-timer was retired at \S+ by tester in favour of activity-core$/,
    );
  }, 60_000);

  it('a retired source that fires again makes health fail by its name, until the period is over', async () => {
    const tickMs = Math.floor(Date.now() / minute) * minute;
    const fired: ToldRun = { outcome: 'automation_error', flags: ['retired_source'] };
    await tellRun(runner.history, definition, timer, tickMs, fired);
    const health = await readActcore<{ problems: { rule: string; subject: string; message: string }[] }>(['health'], {
      env: envOf(runner),
    });
    expect(health.exitCode).toBe(1);
    const problem = health.document.problems.find(({ rule }) => rule === 'retired_source');
    expect(problem).toMatchObject({
      subject: definition.id,
      count: 1,
      command: `actcore cutover status ${definition.id}`,
    });
    expect(problem?.message).toMatch(/^local-timer has fired 1 time, the last at .* UTC; tester retired it at .* UTC$/);
    const [span, later] = [tickMs, tickMs + 1].map((ms) => ({ since: new Date(ms), until: new Date(ms + minute) }));
    expect(await listRetiredReports(runner.history, span!)).toMatchObject([{ source: timer, reports: 1 }]);
    expect(await listRetiredReports(runner.history, later!)).toEqual([]);
  }, 60_000);

  it('revert lets it fire again, and status tells of both', async () => {
    const { id } = definition;
    const { exitCode, stdout } = await actcore('cutover', 'revert', id, '--from', timer, '--reason', 'too early');
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^local-timer may fire again; it was retired since \S+Z\. Switch it on where it runs\.$/,
      ),
    });
    const status = await actcore('cutover', 'status', id);
    expect(status.stdout).toMatch(/local-timer +activity-core +taken back +\S+ \S+ by tester +\S+ \S+ by tester$/m);
    const [event] = await listJournal(runner.history, { entityId: id, limit: 1 });
    expect(event).toMatchObject({ oldValue: { successor: own, by: 'tester' }, newValue: { reason: 'too early' } });
    expect((await check(definition)).isGo).toBe(false);
  }, 60_000);
});

it('of many who retire and take back at once, one does it each time', async () => {
  const { id, order } = (await runBoth(0)) satisfies Definition;
  const { uuid } = order.definition;
  const grounds = {
    definitionUuid: uuid,
    definitionId: id,
    source: timer,
    successor: own,
    evidence: {},
    reason: undefined,
  };
  const signature = { actor: 'tester', source: 'test', workspace: '' };
  const atOnce = async <Result>(work: (db: Parameters<typeof recordSourceReturn>[0]) => Promise<Result>) =>
    Promise.all(
      Array.from({ length: 5 }, async () => {
        const db = await runner.history.connect();
        try {
          return await work(db);
        } finally {
          db.release();
        }
      }),
    );
  const retired = await atOnce((db) => recordSourceRetirement(db, grounds, signature));
  expect(retired.filter(Boolean)).toHaveLength(1);
  const returned = await atOnce((db) => recordSourceReturn(db, grounds, undefined, signature));
  expect(returned.filter((one) => one !== undefined)).toHaveLength(1);
  expect(await listJournal(runner.history, { entityType: 'source', entityId: id, limit: 9 })).toHaveLength(2);
});
