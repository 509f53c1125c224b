import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Definition } from '../../compiler/definition.ts';
import { openHistory } from '../../history/database.ts';
import type { RunRow } from '../../history/queries.ts';
import { applySchedule } from '../../schedules/apply.ts';
import { compileSchedule, runOptions } from '../../schedules/desired.ts';
import { searchAttributes, workflowType } from '../../workflows/contract.ts';
import type { HandFiring, RunReport } from '../../workflows/contract.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import { defineWatchdog } from '../support/watchdogs.ts';
import type { WrittenCheck } from '../support/watchdogs.ts';

let runner: Runner;
let watched: TestDatabase;

beforeAll(async () => {
  runner = await startRunner();
  watched = await createTestDatabase();
  runner.environment['WATCHED_URL'] = watched.url;
  await runner.startWorker();
});

afterAll(async () => {
  await runner.close();
  await watched.drop();
});

const sleeping: WrittenCheck = { detect: 'SELECT 1 AS id, pg_sleep(60)' };
const found: WrittenCheck = { detect: 'SELECT 1 AS id', remedy: 'SELECT 1 WHERE :id = 1', keys: { mode: 'auto' } };

function define(checks: Record<string, WrittenCheck>) {
  return defineWatchdog(`test.watching-${randomUUID().slice(0, 8)}`, checks);
}

async function fire(definition: Definition, firing: HandFiring) {
  const { client, taskQueue } = runner;
  return client.workflow.start(workflowType, {
    ...runOptions(definition, firing.trigger, firing.actor),
    ...{ taskQueue, workflowId: `${definition.id}-${randomUUID()}`, args: [definition.order, firing] },
  });
}

it('a firing by notification becomes a watchdog, a row and a result that agree, in at most 12 history events', async () => {
  const definition = await define({ found });
  const handle = await fire(definition, { trigger: 'notify', actor: 'channel jobs', dryRun: true });
  const report = (await handle.result()) as RunReport;
  expect(report).toMatchObject({ outcome: 'completed', assessment: 'failed', trigger: 'notify', recorded: true });
  expect(report.checks).toMatchObject([{ name: 'found', mode: 'dry_run', findings: 1, proposed: 1 }]);
  const [row] = await runner.runsOf(definition.id);
  expect(row).toMatchObject({ id: report.runId, trigger: 'notify', actor: 'channel jobs', reason: report.reason });
  expect((await handle.fetchHistory()).events?.length).toBeLessThanOrEqual(12);
  const attributes = (await handle.describe()).searchAttributes as Record<string, unknown[]>;
  expect(attributes[searchAttributes.trigger]).toEqual(['notify']);
});

it('its heartbeats say which check it is at, and a cancel ends the statement and the workflow', async () => {
  const definition = await define({ found: { ...found, keys: { mode: 'dry_run' } }, sleeping });
  const handle = await fire(definition, { trigger: 'canary', actor: 'tester' });
  await eventually(async () => {
    const [pending] = (await handle.describe()).raw.pendingActivities ?? [];
    return Buffer.from(pending?.heartbeatDetails?.payloads?.[0]?.data ?? '').includes('check sleeping');
  });
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
  const [row] = await runner.runsOf(definition.id);
  expect(row).toMatchObject({ outcome: 'cancelled', certainty: 'witnessed' });
  expect(row?.reason).toContain('while it was at the check sleeping');
});

it('kill -9 of the worker inside a remedy leaves neither the remedy nor a triplet, and the next run has the lock', async () => {
  const client = new pg.Client({ connectionString: watched.url });
  await client.connect();
  await client.query(`CREATE TABLE jobs (id int, done bool); INSERT INTO jobs VALUES (1, false), (2, false);
    CREATE TABLE audit (key text); CREATE TABLE pace (seconds int); INSERT INTO pace VALUES (30)`);
  const definition = await define({
    jobs: {
      keys: { mode: 'auto' },
      detect: 'SELECT id FROM jobs WHERE NOT done',
      remedy: 'UPDATE jobs SET done = true FROM (SELECT pg_sleep(seconds) FROM pace) p WHERE id = :id',
      audit: 'INSERT INTO audit VALUES (:finding_key)',
    },
  });
  await runner.stopWorker();
  const worker = await startWorkerProcess(runner);
  const handle = await fire(definition, { trigger: 'canary', actor: 'tester' });
  const isAtWork = async () => {
    const text = "SELECT FROM pg_stat_activity WHERE application_name LIKE 'actcore %' AND wait_event = 'PgSleep'";
    return ((await client.query(text)).rowCount ?? 0) > 0;
  };
  await eventually(isAtWork);
  worker.signal('SIGKILL');
  await worker.ended;
  await handle.terminate();
  await eventually(async () => !(await isAtWork()));
  const left =
    'SELECT (SELECT count(*)::int FROM jobs WHERE done) AS done, (SELECT count(*)::int FROM audit) AS audited';
  expect((await client.query(left)).rows).toEqual([{ done: 0, audited: 0 }]);
  const actions = 'SELECT count(*)::int FROM actcore.actions WHERE definition_uuid = $1';
  expect((await runner.history.query(actions, [definition.uuid])).rows).toEqual([{ count: 0 }]);

  await client.query('UPDATE pace SET seconds = 0');
  await runner.startWorker();
  const next = await fire(definition, { trigger: 'canary', actor: 'tester' });
  expect(await next.result()).toMatchObject({ outcome: 'completed', checks: [{ cured: 2 }] });
  expect((await client.query(left)).rows).toEqual([{ done: 2, audited: 2 }]);
  expect((await runner.history.query(actions, [definition.uuid])).rows).toEqual([{ count: 2 }]);
  await client.end();
});

it('a notification on its channel fires it again, as long as its worker is there to listen', async () => {
  const definition = await define({ found: { ...found, keys: { mode: 'dry_run' } } });
  definition.order.watchdog.listen = { channel: 'jobs', debounceMs: 50 };
  await applySchedule(runner.client, compileSchedule(definition, runner.taskQueue));
  await (await fire(definition, { trigger: 'manual', actor: 'tester' })).result();
  const database = openHistory(watched.url);
  const countListeners = async () => {
    const name = `actcore listen ${definition.id}`;
    const asked = `SELECT FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'LISTEN%' AND state = 'idle'`;
    return (await database.query(asked, [name])).rowCount;
  };
  try {
    await eventually(async () => (await countListeners()) === 1);
    await database.query('NOTIFY jobs');
    const run = await eventually(async () => (await runner.runsOf(definition.id)).find(isNotified));
    expect(run).toMatchObject({ outcome: 'completed', actor: 'channel jobs' });
    await runner.stopWorker();
    // The server lets go of a session a little after its client has left.
    await eventually(async () => (await countListeners()) === 0);
  } finally {
    await database.end();
  }
});

const isNotified = ({ trigger, outcome }: RunRow) => trigger === 'notify' && outcome === 'completed';
