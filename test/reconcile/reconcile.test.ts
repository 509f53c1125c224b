import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHistory } from '../../history/database.ts';
import { migrate } from '../../history/migrate.ts';
import { listRuns } from '../../history/queries.ts';
import { listJournal } from '../../history/journal.ts';
import type { RunRow } from '../../history/queries.ts';
import { envOf, runActcore, writeFolder } from '../cli/support/actcore.ts';
import { createTestDatabase } from '../support/database.ts';
import { writeDefinition } from '../support/definitions.ts';
import { checkout } from '../support/program.ts';
import { eventually } from '../support/eventually.ts';
import { answerAfter, healthy, sendJson } from '../support/target.ts';
import { writeWatchdog } from '../support/watchdogs.ts';
import { applyFolder, audit, startOwnRunner, tickingSweep } from './support/ticks.ts';
import type { AuditDocument, OwnRunner } from './support/ticks.ts';

let own: OwnRunner;
let before: AuditDocument;
let after: AuditDocument;
let exitCodes: (number | undefined)[];

const names = ['slow', 'paused', 'seen', 'lost', 'changed'];
const folder = writeFolder(
  Object.fromEntries([
    ...names.map((name) => [`activity-definitions/${name}.md`, writeDefinition(`test.${name}`, tickingSweep(name))]),
    [
      'activity-definitions/failing.md',
      writeDefinition('test.failing', tickingSweep('failing', { on_failure: 'pause' })),
    ],
    [
      'activity-definitions/watching.md',
      writeWatchdog('test.watching', { one: { detect: 'select 1 as id' } }, { schedule: '{ every: 2s }' }),
    ],
    [
      'activity-definitions/off.md',
      writeDefinition('test.off', tickingSweep('off', { enabled: 'false', schedule: '{ every: 300d }' })),
    ],
  ]),
);

const actcore = (...args: string[]) => runActcore(args, { env: envOf(own.runner), cwd: folder });
const runsOf = (name: string) => own.runner.runsOf(`test.${name}`);
const accountOf = ({ definitions }: AuditDocument, name: string) => definitions.find(({ id }) => id === `test.${name}`);
const ended = (runs: RunRow[]) => runs.filter(({ outcome }) => outcome === 'completed');

/** Everything that can befall a tick, at once; then an audit, a reconciliation, and an audit of the same ticks. */
beforeAll(async () => {
  own = await startOwnRunner();
  const { runner } = own;
  runner.target.answer = (call, response) =>
    call.path === '/slow'
      ? answerAfter(5_000)(call, response)
      : sendJson(response, healthy, call.path === '/failing' ? 500 : 200);
  await applyFolder(runner, folder);
  await eventually(async () => (await Promise.all(names.slice(1).map(runsOf))).every((runs) => ended(runs).length > 0));
  await Promise.all([
    actcore('pause', 'test.paused', '--note', 'the disk is full'),
    runner.client.schedule.getHandle('test.seen').pause('paused in the UI'),
  ]);
  const changed = writeDefinition('test.changed', tickingSweep('changed', { schedule: '{ every: 3s }' }));
  writeFileSync(join(folder, 'activity-definitions/changed.md'), changed);
  await eventually(async () => (await runsOf('changed')).length >= 3);
  await applyFolder(runner, folder);
  await sleep(5_000);
  await actcore('resume', 'test.paused');
  await runner.client.schedule.getHandle('test.off').trigger();
  await eventually(async () => ended(await runsOf('slow')).length >= 2);
  await sleep(4_000);
  // What is younger than it takes to be judged is left alone by a reconciliation that comes at once.
  const since = new Date(Date.now() - 5_000).toISOString();
  await runner.history.query(
    `DELETE FROM actcore.runs WHERE definition_id = 'test.lost' AND outcome IS NOT NULL AND scheduled_at < $1`,
    [since],
  );
  const first = await audit(runner);
  const fixed = await audit(runner, '--fix');
  [before, after] = [first.document, fixed.document];
  exitCodes = [first.exitCode, fixed.exitCode];
}, 240_000);

afterAll(() => own.close());

it('a watchdog is in the account like a sweep', () => {
  const account = accountOf(after, 'watching')?.sources[0];
  expect(account?.expected).toBeGreaterThanOrEqual(3);
  expect(account?.rows).toBe(account?.expected);
});

it('the account does not add up before the reconciliation, and does after it', () => {
  expect(exitCodes).toEqual([1, 0]);
  expect(before.addsUp).toBe(false);
  expect(after).toMatchObject({ addsUp: true });
  for (const { sources } of after.definitions) {
    for (const { expected, rows } of sources) expect(rows).toBe(expected);
  }
});

it('a tick whose predecessor was still going is a row that names it', async () => {
  const runs = await runsOf('slow');
  const skipped = runs.filter(({ outcome }) => outcome === 'overlap_skipped');
  expect(skipped.length).toBeGreaterThanOrEqual(3);
  for (const { reason, scheduledAt, certainty, exitCode } of skipped) {
    expect({ certainty, exitCode }).toEqual({ certainty: 'concluded', exitCode: 0 });
    const runId = /^the run of \S+ was in the way: .*\(run (\S+), workflow test\.slow-\S+\)$/.exec(reason)?.[1];
    const other = runs.find(({ id }) => id === runId);
    expect(Date.parse(other?.scheduledAt ?? '')).toBeLessThan(Date.parse(scheduledAt));
    expect(other?.outcome ?? 'completed').toBe('completed');
  }
});

describe('a paused tick is a row that says who paused it and why', () => {
  it('where our own command did', async () => {
    const paused = (await runsOf('paused')).filter(({ outcome }) => outcome === 'paused');
    expect(paused.length).toBeGreaterThanOrEqual(2);
    expect(paused[0]?.reason).toMatch(
      /^the schedule was paused since \S+ by tester: paused by tester: the disk is full$/,
    );
    expect(await listJournal(own.runner.history, { entityId: 'test.paused', limit: 2 })).toMatchObject([
      { field: 'paused', actor: 'tester', source: 'resume', newValue: { paused: false } },
      { field: 'paused', actor: 'tester', source: 'pause', newValue: { paused: true } },
    ]);
  });

  it('where somebody did in the Temporal UI, seen by the reconciler and remembered with the time of that', async () => {
    const paused = (await runsOf('seen')).filter(({ outcome }) => outcome === 'paused');
    expect(paused.length).toBeGreaterThanOrEqual(2);
    expect(paused[0]?.reason).toMatch(/^the schedule was paused by then .*: paused in the UI$/);
    expect(await listJournal(own.runner.history, { entityId: 'test.seen', limit: 1 })).toMatchObject([
      { field: 'paused', action: 'ingest', actor: 'temporal', newValue: { note: 'paused in the UI' } },
    ]);
  });
});

it('a tick after a failed run that paused the schedule names that run', async () => {
  const runs = await runsOf('failing');
  const failed = runs.find(({ outcome }) => outcome === 'automation_error');
  const paused = runs.filter(({ outcome }) => outcome === 'paused');
  expect(paused.length).toBeGreaterThanOrEqual(3);
  const since = `since ${failed?.finishedAt} by on_failure: pause: actcore: run ${failed?.id} ended as automation_error`;
  for (const { reason } of paused) expect(reason).toContain(since);
});

it('a run whose row was lost has it again, as the run itself reported it', async () => {
  const { differences = [] } = accountOf(before, 'lost')?.sources[0] ?? {};
  const lost = differences.filter(({ kind }) => kind === 'lost_row');
  expect(lost.length).toBeGreaterThanOrEqual(3);
  const runs = await runsOf('lost');
  for (const { scheduledAt } of lost) {
    const run = runs.find((one) => one.scheduledAt === scheduledAt);
    expect(run).toMatchObject({ outcome: 'completed', certainty: 'witnessed', trigger: 'schedule' });
    expect(run?.reason).toMatch(/^the target answered 200/);
  }
});

it('each revision accounts for the ticks of its own time', async () => {
  const [source] = accountOf(after, 'changed')?.sources ?? [];
  expect(source?.rows).toBe(source?.expected);
  const { info } = await own.runner.client.schedule.getHandle('test.changed').describe();
  const changedAt = info.lastUpdatedAt?.getTime() ?? 0;
  const runs = await runsOf('changed');
  const ticks = runs.map(({ scheduledAt }) => Date.parse(scheduledAt));
  const [earlier, later] = [ticks.filter((tick) => tick < changedAt), ticks.filter((tick) => tick >= changedAt)];
  expect(Math.min(earlier.length, later.length)).toBeGreaterThanOrEqual(2);
  expect(earlier.filter((tick) => tick % 2_000 !== 0)).toEqual([]);
  expect(later.filter((tick) => tick % 3_000 !== 0)).toEqual([]);
  // The server drops a tick that it has not begun when the change arrives.
  const missed = runs.filter(({ outcome }) => outcome === 'missed');
  for (const { reason } of missed) expect(reason).toMatch(/the schedule was changed at/);
});

it('nothing is expected of a definition that is off, and a press of the button is a firing by hand', () => {
  expect(accountOf(after, 'off')?.sources).toMatchObject([{ expected: 0, executions: 0, rows: 0 }]);
  expect(accountOf(after, 'off')?.byHand).toMatchObject({ executions: 1, rows: 1, differences: [] });
});

it('the definition that ships reconciles by the worker that runs it, in a run like any other', async () => {
  const file = join(checkout, 'activity-definitions/actcore.reconcile-ticks.md');
  const { exitCode, stdout } = await actcore('canary', file);
  expect(stdout).toMatch(/outcome +completed in .*: the target answered 200/);
  expect(exitCode).toBe(0);
  const [run] = await own.runner.runsOf('actcore.reconcile-ticks');
  expect(run).toMatchObject({ outcome: 'completed', trigger: 'canary', assessment: 'passed' });
});

it('an empty history is filled from what Temporal has kept, once, and says what is not brought back', async () => {
  const database = await createTestDatabase();
  const history = openHistory(database.url);
  try {
    await migrate(history);
    const env = { ...envOf(own.runner), ACTCORE_DATABASE_URL: database.url };
    // The server takes a moment to list what has ended.
    const listedBy = Date.now() - 5_000;
    const { exitCode, stdout, stderr } = await runActcore(['rebuild', '--since', '1h'], { env });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\d+ executions: \d+ rows written, 0 were there, \d+ still going, 0 could not be read$/);
    expect(stderr).toMatch(/^not brought back: what the targets answered, /m);
    const rebuilt = await listRuns(history, { limit: 1_000 });
    const original = new Map((await listRuns(own.runner.history, { limit: 1_000 })).map((run) => [run.id, run]));
    expect(rebuilt.length).toBeGreaterThan(20);
    for (const run of rebuilt) expect(run).toEqual({ ...original.get(run.id), responseStatus: run.responseStatus });
    const over = [...original.values()].filter(
      ({ certainty, finishedAt }) => certainty === 'witnessed' && Date.parse(finishedAt ?? '') < listedBy,
    );
    expect(rebuilt.map(({ id }) => id)).toEqual(expect.arrayContaining(over.map(({ id }) => id)));
    const again = await runActcore(['rebuild', '--since', '1h'], { env });
    const present = /(\d+) were there/.exec(again.stdout)?.[1];
    expect(Number(present)).toBeGreaterThanOrEqual(rebuilt.length);
  } finally {
    await history.end();
    await database.drop();
  }
}, 60_000);
