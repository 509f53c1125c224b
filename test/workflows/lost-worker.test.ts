import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runOptions } from '../../schedules/desired.ts';
import type { RunReport } from '../../workflows/contract.ts';
import { workflowType } from '../../workflows/contract.ts';
import { defineSweep } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { answerAfter } from '../support/target.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import type { WorkerProcess } from '../support/worker-process.ts';
import { slackMs } from '../support/slack.ts';

let runner: Runner;
let worker: WorkerProcess;

beforeEach(async () => {
  runner = await startRunner();
  worker = await startWorkerProcess(runner);
});

afterEach(async () => {
  worker.signal('SIGKILL');
  await worker.ended;
  await runner.close();
});

/** Fires a sweep by hand, and waits until the target has been called. */
async function fireAndReachTarget(id: string) {
  const definition = defineSweep(id, { budget: '{ max_seconds: 100 }' });
  const handle = await runner.client.workflow.start(workflowType, {
    ...runOptions(definition, 'canary', 'tester'),
    taskQueue: runner.taskQueue,
    workflowId: `${id}-${randomUUID()}`,
    args: [definition.order, { trigger: 'canary', actor: 'tester' }],
  });
  await eventually(async () => runner.target.calls[0]);
  return handle;
}

it('a worker killed in the middle of a sweep leaves exactly one row that says so', async () => {
  runner.target.answer = answerAfter(60_000);
  const handle = await fireAndReachTarget('test.killed');
  expect(await runner.runsOf('test.killed')).toMatchObject([{ outcome: null, certainty: 'running' }]);
  worker.signal('SIGKILL');
  await runner.startWorker();
  const report = (await handle.result()) as RunReport;
  expect(report).toMatchObject({ outcome: 'automation_error', exitCode: 1, recorded: true });
  expect(await runner.runsOf('test.killed')).toMatchObject([
    { id: report.runId, outcome: 'automation_error', certainty: 'inferred' },
  ]);
  expect(report.reason).toContain('the worker that ran it died or froze');
  expect(runner.target.calls).toHaveLength(1);
}, 60_000);

it('a worker that froze and woke up again leaves exactly one row, and its own word counts most', async () => {
  runner.target.answer = answerAfter(2_000);
  const handle = await fireAndReachTarget('test.frozen');
  worker.signal('SIGSTOP');
  await runner.startWorker();
  expect(await handle.result()).toMatchObject({ outcome: 'automation_error', certainty: 'inferred' });
  worker.signal('SIGCONT');
  const rows = await eventually(async () => {
    const found = await runner.runsOf('test.frozen');
    return found.some(({ certainty }) => certainty === 'witnessed') ? found : undefined;
  });
  expect(rows).toMatchObject([{ outcome: 'completed', certainty: 'witnessed' }]);
}, 240_000);

it('a worker that is told to stop ends its run as cancelled, and says why', async () => {
  runner.target.answer = answerAfter(60_000);
  await fireAndReachTarget('test.stopped');
  const toldAt = Date.now();
  worker.signal('SIGTERM');
  await worker.ended;
  expect(Date.now() - toldAt).toBeLessThan(10_000 + slackMs);
  expect(await runner.runsOf('test.stopped')).toMatchObject([
    { outcome: 'cancelled', certainty: 'witnessed', reason: 'the worker was shut down before the target had answered' },
  ]);
  await expect.poll(() => runner.target.calls[0]?.abortedAt, { timeout: 10_000 }).toBeDefined();
}, 60_000);
