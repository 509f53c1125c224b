import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { applySchedule } from '../../schedules/apply.ts';
import { compileSchedule, runOptions } from '../../schedules/desired.ts';
import { progressSignal, searchAttributes, workflowType } from '../../workflows/contract.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { defineWatchdog } from '../support/watchdogs.ts';
import { eventually } from '../support/eventually.ts';
import { fanOut } from '../support/fan-outs.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { loadBundle } from '../support/shipped.ts';
import { answerAfter, healthy, sendJson } from '../support/target.ts';
import { startWorkerProcess } from '../support/worker-process.ts';

const { History } = temporal.api.history.v1;
const folder = join(import.meta.dirname, '../histories');

/**
 * Each way through the workflow. UPDATE_GOLDEN=1 records those that have no file yet; one that has stays as the code of then
 * left it, for that is what it is kept for.
 */
const scenarios: Record<string, (runner: Runner) => Promise<WorkflowHandle>> = {
  async completed(runner) {
    runner.target.answer = (_, response) => sendJson(response, healthy);
    return settle(await fire(runner));
  },
  async failed(runner) {
    runner.target.answer = (_, response) => sendJson(response, {}, 500);
    return settle(await fire(runner, { on_failure: 'fail' }));
  },
  async cancelled(runner) {
    runner.target.answer = answerAfter(30_000);
    const calls = runner.target.calls.length;
    const handle = await fire(runner);
    await eventually(async () => runner.target.calls.length > calls);
    await handle.cancel();
    return settle(handle);
  },
  async 'fanned-out'(runner) {
    runner.target.answer = (_, response) => sendJson(response, healthy);
    return settle(await fire(runner, fanOut('{ targets: [a, b, c] }')));
  },
  async 'told-of-progress'(runner) {
    runner.target.answer = answerAfter(2_000);
    const handle = await fire(runner, fanOut('{ targets: [a, b], concurrency: 1 }'));
    await eventually(async () => runner.target.calls.some(({ path }) => path === '/at/a'));
    await handle.signal(progressSignal, '2 targets: 0 completed, 2 not reached');
    return settle(handle);
  },
  async watched(runner) {
    const { order, file, runbook } = await defineWatchdog('test.replay-watchdog', {
      found: { detect: 'SELECT 1 AS id' },
    });
    return settle(await start(runner, { order, file, runbook }));
  },
  async 'timed-out-under-pause'(runner) {
    runner.target.answer = answerAfter(30_000);
    const keys = { schedule: '{ every: 2s }', budget: '{ max_seconds: 1, hard_timeout: 1s }', on_failure: 'pause' };
    const definition = defineSweep('test.replay-ticks', keys);
    await applySchedule(runner.client, compileSchedule(definition, runner.taskQueue));
    const handle = await settle(await findRun(runner, definition.id));
    await runner.client.schedule.getHandle(definition.id).delete();
    return handle;
  },
  async unrecorded(runner) {
    runner.target.answer = (_, response) => sendJson(response, healthy);
    await runner.history.query('ALTER TABLE actcore.runs RENAME TO runs_hidden');
    const handle = await fire(runner);
    await eventually(async () =>
      (await handle.describe()).raw.pendingActivities?.some(
        ({ activityType }) => activityType?.name === 'recordOutcome',
      ),
    );
    await runner.history.query('ALTER TABLE actcore.runs_hidden RENAME TO runs');
    return settle(handle);
  },
  async misfired(runner) {
    const definition = defineSweep('test.replay-late', { schedule: '{ every: 1h }' });
    await applySchedule(runner.client, compileSchedule(definition, runner.taskQueue));
    const schedule = runner.client.schedule.getHandle(definition.id);
    const hourMs = 3_600_000;
    const span = { start: new Date(Date.now() - 2 * hourMs), end: new Date(Date.now() - hourMs) };
    await schedule.backfill({ ...span, overlap: 'ALLOW_ALL' });
    const handle = await settle(await findRun(runner, definition.id));
    await schedule.delete();
    return handle;
  },
  async 'handed-over'(runner) {
    runner.target.answer = answerAfter(2_000);
    const calls = runner.target.calls.length;
    const handle = await fire(runner, fanOut('{ targets: [a, b], concurrency: 1 }'));
    await eventually(async () => runner.target.calls.length > calls);
    await runner.stopWorker();
    await runner.startWorker();
    return settle(handle);
  },
  async 'lost-worker'(runner) {
    await runner.stopWorker();
    const worker = await startWorkerProcess(runner);
    runner.target.answer = answerAfter(30_000);
    const calls = runner.target.calls.length;
    const handle = await fire(runner);
    await eventually(async () => runner.target.calls.length > calls);
    worker.signal('SIGKILL');
    await worker.ended;
    await runner.startWorker();
    return settle(handle);
  },
};

/** The first run of a schedule. */
async function findRun(runner: Runner, definitionId: string): Promise<WorkflowHandle> {
  const { workflowId, runId } = await eventually(async () => {
    const query = `${searchAttributes.definition} = "${definitionId}"`;
    for await (const found of runner.client.workflow.list({ query })) return found;
    return undefined;
  });
  return runner.client.workflow.getHandle(workflowId, runId);
}

async function fire(runner: Runner, changes: Frontmatter = {}): Promise<WorkflowHandle> {
  return start(runner, defineSweep('test.replay', changes));
}

function start(runner: Runner, definition: Parameters<typeof runOptions>[0]): Promise<WorkflowHandle> {
  return runner.client.workflow.start(workflowType, {
    ...runOptions(definition, 'canary', 'tester'),
    taskQueue: runner.taskQueue,
    workflowId: randomUUID(),
    args: [definition.order, { trigger: 'canary', actor: 'tester' }],
  });
}

async function settle(handle: WorkflowHandle): Promise<WorkflowHandle> {
  await handle.result().catch(() => {});
  return handle;
}

async function record(names: string[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const runner = await startRunner();
  runner.environment['WATCHED_URL'] = runner.databaseUrl;
  await runner.startWorker();
  for (const name of names) {
    const handle = await scenarios[name]?.(runner);
    if (handle !== undefined) {
      writeFileSync(join(folder, `${name}.bin`), History.encode(await handle.fetchHistory()).finish());
    }
  }
  await runner.close();
}

const listRecorded = () => readdirSync(folder).filter((name) => name.endsWith('.bin'));

/** What whoever changed the workflow has to know. */
const advice = `
A run that is in flight when this code is rolled out would fail like that. Do not record the history anew: make the change by
patched() or deprecatePatch() of @temporalio/workflow, so that runs of before take the old way (docs/worker.md, "Changed
workflow code"), and record a history of the new way beside the old one.`;

it('every way through the workflow has a recorded history', async () => {
  const missing = () => Object.keys(scenarios).filter((name) => !listRecorded().includes(`${name}.bin`));
  if (process.env['UPDATE_GOLDEN'] === '1' && missing().length > 0) await record(missing());
  // UPDATE_GOLDEN=1 records them.
  expect(missing()).toEqual([]);
}, 180_000);

it('runs that were recorded by earlier workflow code replay on this one', async () => {
  const histories = listRecorded().map((name) => ({
    workflowId: name,
    history: History.decode(readFileSync(join(folder, name))),
  }));
  const failures: string[] = [];
  const { obtainBundle } = await loadBundle();
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle: await obtainBundle() },
    histories,
  )) {
    if (error !== undefined) failures.push(`${workflowId}: ${error.message}`);
  }
  expect(failures.length === 0 ? '' : [...failures, advice].join('\n')).toBe('');
}, 60_000);
