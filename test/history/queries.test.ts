import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readHeadroom } from '../../history/headroom.ts';
import { createLedger } from '../../history/ledger.ts';
import { findCanaried, findLastRuns, findRun, findRunIds, listRuns } from '../../history/queries.ts';
import { readResults } from '../../history/results.ts';
import type { Outcome, Trigger } from '../../workflows/contract.ts';
import { makeOrder, makeReport, makeTick, openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

const [first, second] = [makeOrder(), makeOrder()];
const days = ['2026-05-30', '2026-06-02', '2026-05-31', '2026-06-01'];

async function writeDays(): Promise<void> {
  const ledger = createLedger(history.pool);
  for (const day of days) {
    for (const order of [first, second]) {
      await ledger.recordEnd(order, makeTick({ scheduledAt: `${day}T00:00:00.000Z` }), makeReport({ reason: day }));
    }
  }
}

it('runs are listed newest tick first over the months, of one definition, since a time, at most so many', async () => {
  await writeDays();
  const { id: definitionId } = first.definition;
  const dates = async (filter: { since?: Date; limit?: number }) =>
    (await listRuns(history.pool, { definitionId, limit: 10, ...filter })).map((row) => row.scheduledAt.slice(0, 10));
  expect(await dates({})).toEqual([...days].sort().reverse());
  expect(await dates({ limit: 2 })).toEqual(['2026-06-02', '2026-06-01']);
  expect(await dates({ since: new Date('2026-05-31T00:00:00Z') })).toEqual(['2026-06-02', '2026-06-01', '2026-05-31']);
  expect(await dates({ since: new Date('2027-01-01T00:00:00Z') })).toEqual([]);
  expect(await listRuns(history.pool, { definitionId: 'nobody', limit: 10 })).toEqual([]);
});

it('without a definition the runs of all are listed', async () => {
  const ids = (await listRuns(history.pool, { limit: 2 })).map((row) => row.definitionId);
  expect(ids.sort()).toEqual([first.definition.id, second.definition.id].sort());
});

it('a run is found by the beginning of its id, with or without dashes, in upper case too', async () => {
  const [run] = await listRuns(history.pool, { definitionId: first.definition.id, limit: 1 });
  const id = run?.id ?? '';
  for (const prefix of [id, id.slice(0, 10), id.replaceAll('-', '').slice(0, 12), id.slice(0, 10).toUpperCase()])
    expect(await findRunIds(history.pool, prefix, 3)).toEqual([id]);
  expect(await findRunIds(history.pool, '', 3)).toHaveLength(3);
  expect(await findRunIds(history.pool, '', 99)).toHaveLength(8);
});

it.for(['no hex', '0'.repeat(33), "'; SELECT", '%'])('no run has an id that begins with %s', async (prefix) => {
  expect(await findRunIds(history.pool, prefix, 3)).toEqual([]);
});

it('the last run of each definition is found, and none of one that never ran', async () => {
  const last = await findLastRuns(history.pool, [first.definition.id, 'never', second.definition.id]);
  expect([...last.keys()].sort()).toEqual([first.definition.id, second.definition.id].sort());
  expect([...last.values()].map((run) => run.reason)).toEqual(['2026-06-02', '2026-06-02']);
  expect(await findLastRuns(history.pool, [])).toEqual(new Map());
});

it("a canary is nobody's last run, and opens the gate of its contract only when it completed", async () => {
  const order = { ...makeOrder(), contractHash: 'of-this-test' };
  const ledger = createLedger(history.pool);
  const write = (outcome: Outcome, trigger: Trigger) =>
    ledger.recordEnd(
      order,
      makeTick({ trigger, workflowRunId: randomUUID(), scheduledAt: '2026-06-03T00:00:00.000Z' }),
      makeReport({ outcome, trigger }),
    );
  const ask = () => findCanaried(history.pool, ['of-this-test', 'another']);
  await write('lock_skipped', 'canary');
  await write('completed', 'manual');
  expect(await ask()).toEqual(new Set());
  await write('completed', 'canary');
  expect(await ask()).toEqual(new Set(['of-this-test']));
  const last = await findLastRuns(history.pool, [order.definition.id]);
  expect(last.get(order.definition.id)?.trigger).toBe('manual');
});

it('a run that the history does not have is undefined', async () => {
  expect(await findRun(history.pool, randomUUID())).toBeUndefined();
});

/** 20,000 rows of 200 definitions in one month, and their assessments. */
async function fillMonth(pool: pg.Pool): Promise<void> {
  await pool.query("SELECT actcore.ensure_month('2025-01-01')");
  await pool.query(`
    INSERT INTO actcore.runs (id, scheduled_at, definition_id, definition_uuid, kind, source, trigger, actor, revision,
      contract_hash, workflow_id, workflow_run_id, standing, outcome, assessment, assessment_failure_count, exit_code,
      reason, attempt, started_at, finished_at)
    SELECT gen_random_uuid(), tick, 'filler.' || n % 200, gen_random_uuid(), 'sweep', 'activity-core', 'schedule', 'schedule',
      'r', 'c', 'w', 'r', 2, 'completed', 'passed', 0, 0, 'r', 1, tick, tick
    FROM (SELECT n, timestamptz '2025-01-01Z' + n * interval '2 minutes' AS tick FROM generate_series(0, 19999) n) ticks`);
  await pool.query(`
    INSERT INTO actcore.assessments (run_id, scheduled_at, ordinal, target, rule, message)
    SELECT id, scheduled_at, ordinal, 't', 'C-01', 'm' FROM actcore.runs, generate_series(1, 3) ordinal
    WHERE definition_id LIKE 'filler.%'`);
  await pool.query(`
    INSERT INTO actcore.errors (run_id, scheduled_at, ordinal, definition_id, attempt, at, error, rescued)
    SELECT id, scheduled_at, 1, definition_id, 1, started_at, 'e', true FROM actcore.runs WHERE definition_id LIKE 'filler.%'`);
  await pool.query(`
    INSERT INTO actcore.results (run_id, scheduled_at, ordinal, target, outcome, assessment, assessment_failure_count,
      reason, attempt)
    SELECT id, scheduled_at, ordinal, 't', 'completed', 'passed', 0, 'r', 1 FROM actcore.runs, generate_series(0, 1) ordinal
    WHERE definition_id LIKE 'filler.%'`);
  await pool.query('ANALYZE actcore.runs, actcore.assessments, actcore.errors, actcore.results');
}

/** Runs a query of the product and gives the plans of the statements that it sent. */
async function explain(ask: (pool: pg.Pool) => Promise<unknown>): Promise<string> {
  const plans: string[] = [];
  const spy = Object.assign(Object.create(history.pool) as pg.Pool, {
    query: async (text: string, values: unknown[]) => {
      const { rows } = await history.pool.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN (ANALYZE, TIMING OFF) ${text}`,
        values,
      );
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
      return history.pool.query(text, values);
    },
  });
  await ask(spy);
  return plans.join('\n');
}

it('no query of one run or one definition reads a month of 20,000 rows from end to end', async () => {
  await fillMonth(history.pool);
  const [row] = await listRuns(history.pool, { definitionId: 'filler.7', limit: 1 });
  const asks: ((pool: pg.Pool) => Promise<unknown>)[] = [
    (pool) => findRun(pool, row?.id ?? ''),
    (pool) => findRunIds(pool, (row?.id ?? '').slice(0, 8), 3),
    (pool) => listRuns(pool, { definitionId: 'filler.7', limit: 20 }),
    (pool) => listRuns(pool, { definitionId: 'filler.7', since: new Date('2025-01-20T00:00:00Z'), limit: 20 }),
    (pool) => listRuns(pool, { limit: 20 }),
    (pool) => findLastRuns(pool, ['filler.1', 'filler.2']),
    (pool) => findCanaried(pool, ['c', 'd']),
    (pool) => readResults(pool, row?.id ?? '', row?.scheduledAt ?? ''),
    (pool) => readHeadroom(pool, 'filler.7', 1_000),
  ];
  for (const ask of asks) {
    const plan = await explain(ask);
    expect(plan).toMatch(/Index/);
    expect(plan).not.toMatch(/Seq Scan on (runs|assessments|errors|results)_2025_01/);
    expect(plan).not.toMatch(/Rows Removed by Filter: \d{3}/);
  }
});
