import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Definition } from '../../compiler/definition.ts';
import { chooseAnyPort } from '../../dev/ports.ts';
import { startPostgres } from '../../dev/postgres.ts';
import { openHistory } from '../../history/database.ts';
import { migrate } from '../../history/migrate.ts';
import { runOptions } from '../../schedules/desired.ts';
import { workflowType } from '../../workflows/contract.ts';
import type { RunReport } from '../../workflows/contract.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { openHoldingProxy } from '../support/holding-proxy.ts';
import type { HoldingProxy } from '../support/holding-proxy.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import type { WorkerProcess } from '../support/worker-process.ts';
import { defineWatchdog } from '../support/watchdogs.ts';

let runner: Runner;
let watched: TestDatabase;
let client: pg.Client;
let proxy: HoldingProxy | undefined;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  runner = await startRunner();
  watched = await createTestDatabase();
  client = new pg.Client({ connectionString: watched.url });
  await client.connect();
});
beforeEach(() =>
  client.query(`DROP TABLE IF EXISTS jobs, audit, pace;
    CREATE TABLE jobs (id int PRIMARY KEY, attempts int NOT NULL DEFAULT 0);
    INSERT INTO jobs (id) SELECT generate_series(1, 2);
    CREATE TABLE audit (key text); CREATE TABLE pace (seconds float8); INSERT INTO pace VALUES (0)`),
);
afterEach(async () => {
  for (const worker of workers.splice(0)) {
    worker.signal('SIGKILL');
    await worker.ended;
  }
  await proxy?.close();
  proxy = undefined;
});
afterAll(async () => {
  await client.end();
  await runner.close();
  await watched.drop();
});

function define() {
  return defineWatchdog(`test.ending-${randomUUID().slice(0, 8)}`, {
    jobs: {
      keys: { mode: 'auto' },
      detect: 'SELECT id FROM jobs WHERE attempts = 0',
      remedy: 'UPDATE jobs SET attempts = attempts + 1 FROM (SELECT pg_sleep(seconds) FROM pace) p WHERE id = :id',
      audit: 'INSERT INTO audit VALUES (:finding_key)',
    },
  });
}

async function startOn(databaseUrl = runner.databaseUrl, watchedUrl = watched.url): Promise<WorkerProcess> {
  const environment = { ...runner.environment, WATCHED_URL: watchedUrl };
  const worker = await startWorkerProcess({ ...runner, databaseUrl, environment });
  workers.push(worker);
  return worker;
}

async function fire(definition: Definition) {
  return runner.client.workflow.start(workflowType, {
    ...runOptions(definition, 'canary', 'tester'),
    ...{ taskQueue: runner.taskQueue, workflowId: `${definition.id}-${randomUUID()}` },
    args: [definition.order, { trigger: 'canary', actor: 'tester' }],
  });
}

const readWatched = async () =>
  (
    await client.query<{ done: number; most: number; audited: number }>(
      `SELECT count(*) FILTER (WHERE attempts > 0)::int AS done, max(attempts) AS most,
         (SELECT count(*)::int FROM audit) AS audited FROM jobs`,
    )
  ).rows[0];

/** The triplets by what became of them, and how many the journal tells of. */
async function readKept({ id, uuid }: Definition, history = runner.history) {
  const { rows } = await history.query<{ fate: string; count: number }>(
    `SELECT fate, count(*)::int FROM actcore.actions JOIN actcore.action_batches AS batch ON batch.id = batch_id
     WHERE actions.definition_uuid = $1 AND outcome = 'cured' GROUP BY fate`,
    [uuid],
  );
  const journaled = await history.query<{ count: number }>(
    "SELECT count(*)::int FROM actcore.journal WHERE entity_type = 'finding' AND entity_id LIKE $1 || '/%'",
    [id],
  );
  const fates = Object.fromEntries(rows.map(({ fate, count }) => [fate, count]));
  return { ...fates, journaled: journaled.rows[0]?.count };
}

const noRunIsThere = async () =>
  (await client.query("SELECT FROM pg_stat_activity WHERE application_name LIKE 'actcore %'")).rowCount === 0;

/** Kills the worker once this is so, and lets another one run the definition again. */
async function killOnce(worker: WorkerProcess, definition: Definition, isSo: () => Promise<boolean>) {
  const handle = await fire(definition);
  await eventually(isSo, { everyMs: 20 });
  worker.signal('SIGKILL');
  await worker.ended;
  await handle.terminate();
  await proxy?.close();
  proxy = undefined;
  await eventually(noRunIsThere);
}

it('kill -9 between the kept triplets and the COMMIT leaves neither; the next run finds that out, and does both once', async () => {
  const definition = await define();
  proxy = await openHoldingProxy(runner.databaseUrl);
  const worker = await startOn(proxy.url);
  const held = proxy.hold(['actcore.prepare_actions']);
  await killOnce(worker, definition, async () => {
    await held;
    return 'pending' in (await readKept(definition));
  });
  expect(await readWatched()).toEqual({ done: 0, most: 0, audited: 0 });
  expect(await readKept(definition)).toEqual({ pending: 2, journaled: 0 });
  await startOn();
  expect(await (await fire(definition)).result()).toMatchObject({ outcome: 'completed', checks: [{ cured: 2 }] });
  expect(await readWatched()).toEqual({ done: 2, most: 1, audited: 2 });
  expect(await readKept(definition)).toEqual({ aborted: 2, committed: 2, journaled: 2 });
}, 120_000);

it('kill -9 after the COMMIT and before anybody was told leaves both; the next run settles the triplets', async () => {
  const definition = await define();
  proxy = await openHoldingProxy(watched.url);
  const worker = await startOn(runner.databaseUrl, proxy.url);
  void proxy.hold(['FETCH ALL FROM actcore_outcome', 'COMMIT\0']);
  await killOnce(worker, definition, async () => (await readWatched())?.done === 2);
  expect(await readWatched()).toEqual({ done: 2, most: 1, audited: 2 });
  expect(await readKept(definition)).toEqual({ pending: 2, journaled: 0 });
  await startOn();
  expect(await (await fire(definition)).result()).toMatchObject({ outcome: 'completed', checks: [{ findings: 0 }] });
  expect(await readWatched()).toEqual({ done: 2, most: 1, audited: 2 });
  expect(await readKept(definition)).toEqual({ committed: 2, journaled: 2 });
}, 120_000);

it('of two workers and two definitions on the same rows, no row is acted on twice', async () => {
  await client.query('TRUNCATE jobs; INSERT INTO jobs (id) SELECT generate_series(1, 90)');
  await Promise.all([startOn(), startOn()]);
  const definitions = await Promise.all([define(), define()]);
  const handles = await Promise.all(definitions.flatMap((one) => [fire(one), fire(one), fire(one)]));
  const reports = (await Promise.all(handles.map((handle) => handle.result()))) as RunReport[];
  for (const { outcome } of reports) expect(['completed', 'lock_skipped']).toContain(outcome);
  const last = (await (await fire(definitions[0])).result()) as RunReport;
  expect(last.outcome).toBe('completed');
  expect(await readWatched()).toEqual({ done: 90, most: 1, audited: 90 });
  const kept = await Promise.all(definitions.map((one) => readKept(one)));
  expect(kept.reduce((sum, { journaled = 0 }) => sum + journaled, 0)).toBe(90);
}, 120_000);

it('where the history goes away during the run, what is audited is done, and arrives there once when it is back', async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'actcore-watch-'));
  const port = await chooseAnyPort();
  let server = await startPostgres({ stateDir, port, fast: true });
  const history = openHistory(server.url);
  try {
    await migrate(history);
    await client.query('UPDATE pace SET seconds = 3');
    await startOn(server.url);
    const definition = await define();
    const handle = await fire(definition);
    await eventually(
      async () => (await client.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).rowCount === 1,
    );
    await server.stop();
    await eventually(async () => (await readWatched())?.done === 2);
    server = await startPostgres({ stateDir, port, fast: true });
    const report = (await handle.result()) as RunReport;
    expect(report).toMatchObject({ outcome: 'completed', recorded: true, checks: [{ cured: 2 }] });
    expect(report.reason).toContain('the history is away');
    expect(await readWatched()).toEqual({ done: 2, most: 1, audited: 2 });
    expect(await readKept(definition, history)).toEqual({ committed: 2, journaled: 2 });
    expect(await (await fire(definition)).result()).toMatchObject({ checks: [{ findings: 0 }] });
    expect(await readKept(definition, history)).toEqual({ committed: 2, journaled: 2 });
  } finally {
    await history.end();
    await server.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}, 120_000);
