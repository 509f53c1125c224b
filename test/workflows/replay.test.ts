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

const { History } = temporal.api.history.v1;
const folder = join(import.meta.dirname, '../histories');

/** Each way through the workflow; UPDATE_GOLDEN=1 records them anew, which is right only after a versioned change. */
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
    const { workflowId, runId } = await eventually(async () => {
      const query = `${searchAttributes.definition} = "${definition.id}"`;
      for await (const found of runner.client.workflow.list({ query })) return found;
      return undefined;
    });
    const handle = await settle(runner.client.workflow.getHandle(workflowId, runId));
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
};

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

async function record(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const runner = await startRunner();
  runner.environment['WATCHED_URL'] = runner.databaseUrl;
  await runner.startWorker();
  for (const [name, play] of Object.entries(scenarios)) {
    const handle = await play(runner);
    writeFileSync(join(folder, `${name}.bin`), History.encode(await handle.fetchHistory()).finish());
  }
  await runner.close();
}

it('runs that were recorded by earlier workflow code replay on this one', async () => {
  if (process.env['UPDATE_GOLDEN'] === '1') await record();
  const names = readdirSync(folder).filter((name) => name.endsWith('.bin'));
  expect(names.length).toBeGreaterThanOrEqual(Object.keys(scenarios).length);
  const histories = names.map((name) => ({
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
  expect(failures).toEqual([]);
}, 60_000);
