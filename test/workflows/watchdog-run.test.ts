import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Definition } from '../../compiler/definition.ts';
import { runOptions } from '../../schedules/desired.ts';
import { searchAttributes, workflowType } from '../../workflows/contract.ts';
import type { HandFiring, RunReport } from '../../workflows/contract.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
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

function define(checks: Record<string, WrittenCheck>): Promise<Definition> {
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

it('the shutdown of its worker ends it within the grace, and the row says so', async () => {
  const definition = await define({ sleeping });
  const handle = await fire(definition, { trigger: 'canary', actor: 'tester' });
  await eventually(async () =>
    (await handle.describe()).raw.pendingActivities?.[0]?.lastStartedTime ? true : undefined,
  );
  await runner.stopWorker();
  const [row] = await runner.runsOf(definition.id);
  expect(row).toMatchObject({ outcome: 'cancelled', certainty: 'witnessed' });
  expect(row?.reason).toContain('the worker was shut down before the run had ended');
  await runner.startWorker();
  expect(await handle.result()).toMatchObject({ outcome: 'cancelled' });
});
