import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openHistory } from '../../history/database.ts';
import { readHeadroom } from '../../history/headroom.ts';
import { createLedger } from '../../history/ledger.ts';
import { migrate } from '../../history/migrate.ts';
import { findRun, listRuns, reportOf } from '../../history/queries.ts';
import { runIdOf } from '../../history/run-id.ts';
import type { FailedAttempt, RunReport } from '../../workflows/contract.ts';
import { createTestDatabase } from '../support/database.ts';
import { makeOrder, makeReport, makeTick, openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

const stages = { queueMs: 12, connectMs: 1.25, tlsMs: 0, firstByteMs: 300, bodyMs: 4, retryMs: 0, pollMs: 0 };
const targets = { total: 200, completed: 197, failed: 1, lockSkipped: 0, notReached: 2 };

function makeAttempts(count: number, error = 'refused'): FailedAttempt[] {
  return Array.from({ length: count }, (_, index) => ({
    ...(index % 2 === 0 ? { target: `repo-${index}` } : {}),
    attempt: index + 1,
    at: `2026-03-01T00:15:01.${String(index).padStart(3, '0')}Z`,
    error,
    rescued: index === count - 1,
  }));
}

it('what a report says of stages, attempts, targets, length and drops is on the run, and is the report again', async () => {
  const order = makeOrder();
  const firing = makeTick();
  const runId = runIdOf(order.definition.uuid, firing);
  const failedAttempts = makeAttempts(12);
  const whole = { stages, targets, failedAttempts, isTooShort: true, detailsDropped: 3 } as const;
  const report = makeReport({ runId, ...whole });
  await createLedger(history.pool).recordEnd(order, firing, report);
  const run = await findRun(history.pool, runId);
  expect(run).toMatchObject(whole);
  expect(reportOf(run!)).toEqual({ ...report, recorded: true });
  const [listed] = await listRuns(history.pool, { definitionId: order.definition.id, limit: 1 });
  expect(listed).toMatchObject({ stages, targets, isTooShort: true, detailsDropped: 3 });
});

it('a report of a worker of old, without any of them, is a run without any of them', async () => {
  const order = makeOrder();
  const firing = makeTick();
  const runId = runIdOf(order.definition.uuid, firing);
  const report = makeReport({ runId });
  await createLedger(history.pool).recordEnd(order, firing, report);
  const run = await findRun(history.pool, runId);
  const bare = { stages: null, targets: null, failedAttempts: [], isTooShort: false, detailsDropped: 0 };
  expect(run).toMatchObject(bare);
  expect(reportOf(run!)).toEqual({ ...report, recorded: true });
});

it('failed attempts and the rest are replaced with the row, and by none that may not replace it', async () => {
  const order = makeOrder();
  const firing = makeTick();
  const ledger = createLedger(history.pool);
  const write = (certainty: RunReport['certainty'], count: number, error: string) =>
    ledger.recordEnd(
      order,
      firing,
      makeReport({ certainty, failedAttempts: makeAttempts(count, error), detailsDropped: count }),
    );
  const read = () => findRun(history.pool, runIdOf(order.definition.uuid, firing));
  await write('inferred', 5, 'inferred');
  expect(await read()).toMatchObject({ failedAttempts: makeAttempts(5, 'inferred'), detailsDropped: 5 });
  await write('witnessed', 2, 'witnessed');
  await write('inferred', 7, 'late');
  await write('witnessed', 7, 'again');
  await ledger.recordStart(order, firing, { startedAt: '2026-03-01T00:15:01.000Z', attempt: 1 });
  expect(await read()).toMatchObject({ failedAttempts: makeAttempts(2, 'witnessed'), detailsDropped: 2 });
});

it('an error and a target that Postgres has no place for are kept nearly as they are', async () => {
  const order = makeOrder();
  const firing = makeTick();
  const [attempt] = makeAttempts(1);
  const odd = { ...attempt!, target: 'a\0"b', error: `\\u0000 and half ${'😀'.slice(1)}` };
  await createLedger(history.pool).recordEnd(order, firing, makeReport({ failedAttempts: [odd] }));
  const run = await findRun(history.pool, runIdOf(order.definition.uuid, firing));
  expect(run?.failedAttempts).toEqual([{ ...odd, target: 'a\uFFFD"b', error: '\\u0000 and half \uFFFD' }]);
});

it('a history of old is brought up to date with its runs, its months and the workers that still write the old way', async () => {
  const database = await createTestDatabase();
  const pool = openHistory(`${database.url}?options=-c%20timezone%3DAmerica/Los_Angeles`);
  const insertOldWay = (scheduledAt: string) =>
    pool.query(
      `INSERT INTO actcore.runs (id, scheduled_at, definition_id, definition_uuid, kind, source, trigger, actor, revision,
         contract_hash, workflow_id, workflow_run_id, standing, outcome, assessment, assessment_failure_count, exit_code,
         reason, attempt, started_at, finished_at)
       SELECT gen_random_uuid(), $1::timestamptz, 'test.old', gen_random_uuid(), 'sweep', 'activity-core', 'schedule',
         'schedule', 'r', 'c', 'w', 'r', 2, 'completed', 'passed', 0, 0, 'r', 1, $1::timestamptz, $1::timestamptz
       RETURNING actcore.replace_assessments(id, scheduled_at, '{a}', '{b}', '{c}')`,
      [scheduledAt],
    );
  try {
    await pool.query('CREATE SCHEMA actcore');
    await pool.query('CREATE TABLE actcore.migrations (name text PRIMARY KEY, applied_at timestamptz DEFAULT now())');
    for (const name of ['001-runs.sql', '002-definitions.sql']) {
      await pool.query(await readFile(new URL(`../../history/migrations/${name}`, import.meta.url), 'utf8'));
      await pool.query('INSERT INTO actcore.migrations (name) VALUES ($1)', [name]);
    }
    await pool.query("SELECT actcore.ensure_month('2020-02-29')");
    await insertOldWay('2020-02-29T23:59:59.999Z');
    expect(await migrate(pool)).toContain('003-details.sql');
    await insertOldWay('2020-02-01T00:00:00Z');
    const runs = await listRuns(pool, { definitionId: 'test.old', limit: 9 });
    expect(runs.map(({ scheduledAt, targets: tally }) => [scheduledAt, tally])).toEqual([
      ['2020-02-29T23:59:59.999Z', null],
      ['2020-02-01T00:00:00.000Z', null],
    ]);
    const { rows } = await pool.query<{ months: string[] }>(
      `SELECT array_agg(substring(part.relname FROM '\\d.*') ORDER BY part.relname) AS months
       FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid JOIN pg_class parent ON parent.oid = inhparent
       WHERE parent.relname IN ('runs', 'assessments', 'errors', 'results') AND parent.relkind = 'p'
       GROUP BY parent.oid`,
    );
    expect(rows).toHaveLength(4);
    for (const { months } of rows) expect(months).toEqual(rows[0]?.months);
    expect(rows[0]?.months).toContain('2020_02');
  } finally {
    await pool.end();
    await database.drop();
  }
});

/** Runs of these lengths, one tick after the other. */
async function writeLengths(lengthsMs: number[], changes: Partial<RunReport> = {}, order = makeOrder()) {
  const ledger = createLedger(history.pool);
  const { rows } = await history.pool.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM actcore.runs WHERE definition_id = $1',
    [order.definition.id],
  );
  for (const [index, lengthMs] of lengthsMs.entries()) {
    const startedAt = new Date(Date.parse('2026-03-01T00:00:00Z') + ((rows[0]?.count ?? 0) + index) * 60_000);
    const finishedAt = new Date(startedAt.getTime() + lengthMs).toISOString();
    const report = makeReport({ startedAt: startedAt.toISOString(), finishedAt, ...changes });
    await ledger.recordEnd(order, makeTick({ scheduledAt: startedAt.toISOString() }), report);
  }
  return order;
}

it('headroom is p95 of the last 100 runs against the budget, tight from 80 % on', async () => {
  const order = await writeLengths([99_999, 99_999, ...Array.from({ length: 100 }, (_, index) => 1_000 + index)]);
  const { id } = order.definition;
  expect(await readHeadroom(history.pool, id, 2_000)).toEqual({
    ...{ runs: 100, p95Ms: 1_094, budgetMs: 2_000, usedPercent: 55, isTight: false },
  });
  expect(await readHeadroom(history.pool, id, 1_094 / 0.79)).toMatchObject({ usedPercent: 79, isTight: false });
  expect(await readHeadroom(history.pool, id, 1_094 / 0.8)).toMatchObject({ usedPercent: 80, isTight: true });
});

it('headroom counts a run that timed out, and none that says nothing of how long the work takes', async () => {
  const order = await writeLengths([1_000]);
  await writeLengths([30_000], { outcome: 'automation_error', exitCode: 1 }, order);
  await writeLengths([20_000], { outcome: 'lock_skipped' }, order);
  await createLedger(history.pool).recordEnd(
    order,
    makeTick({ source: 'local-timer' }),
    makeReport({ finishedAt: '2026-03-01T09:00:00.000Z' }),
  );
  expect(await readHeadroom(history.pool, order.definition.id, 10_000)).toMatchObject({ runs: 1, p95Ms: 1_000 });
  await writeLengths([11_000], { outcome: 'timed_out', exitCode: 1 }, order);
  expect(await readHeadroom(history.pool, order.definition.id, 10_000)).toMatchObject({
    ...{ runs: 2, p95Ms: 11_000, usedPercent: 110, isTight: true },
  });
  expect(await readHeadroom(history.pool, `nobody-${randomUUID()}`, 10_000)).toBeUndefined();
});
