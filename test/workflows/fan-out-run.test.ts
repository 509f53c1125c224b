import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { WorkflowFailedError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { runOptions } from '../../schedules/desired.ts';
import type { RunReport } from '../../workflows/contract.ts';
import { workflowType } from '../../workflows/contract.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { fanOut, nameTargets } from '../support/fan-outs.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { healthy, sendJson } from '../support/target.ts';

let runner: Runner;

beforeAll(async () => {
  runner = await startRunner();
  await runner.startWorker();
});

beforeEach(() => {
  runner.target.calls.length = 0;
  runner.target.answer = (_, response) => sendJson(response, healthy);
});

afterAll(() => runner.close());

async function fire(changes: Frontmatter) {
  const definition = defineSweep(`test.fan-run-${randomUUID().slice(0, 8)}`, changes);
  return runner.client.workflow.start(workflowType, {
    ...runOptions(definition, 'canary', 'tester'),
    taskQueue: runner.taskQueue,
    workflowId: `${definition.id}-${randomUUID()}`,
    args: [definition.order, { trigger: 'canary', actor: 'tester' }],
  });
}

async function readDetails(handle: WorkflowHandle): Promise<string> {
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}

async function countEvents(handle: WorkflowHandle): Promise<number> {
  return (await handle.fetchHistory()).events?.length ?? 0;
}

it('a short fan-out costs no more events than any other run, and its details say how its targets ended', async () => {
  const handle = await fire(fanOut(`{ targets: [${nameTargets(50).join(', ')}] }`));
  expect(await handle.result()).toMatchObject({ outcome: 'completed', targets: { total: 50, completed: 50 } });
  expect(await countEvents(handle)).toBeLessThanOrEqual(12);
  expect(await readDetails(handle)).toBe('**completed** (assessment: passed): 50 targets: 50 completed');
});

it('a long one says every ten seconds in the Temporal UI how far it is, and in its heartbeats all the time', async () => {
  runner.target.answer = async (_, response) => {
    await sleep(250);
    sendJson(response, healthy);
  };
  const handle = await fire(fanOut(`{ targets: [${nameTargets(100).join(', ')}], concurrency: 2 }`));
  const told = await eventually(async () => {
    const details = await readDetails(handle);
    return /^100 targets: \d+ completed, \d+ not reached$/.test(details) ? details : undefined;
  });
  expect(told).toBeDefined();
  const { raw } = await handle.describe();
  const beat = Buffer.from(raw.pendingActivities?.[0]?.heartbeatDetails?.payloads?.[0]?.data ?? '').toString();
  expect(JSON.parse(beat)).toMatchObject({
    progress: expect.stringMatching(/^\d+ of 100 targets$/) as string,
    targets: { total: 100 },
  });
  expect(((await handle.result()) as RunReport).outcome).toBe('completed');
  expect(await countEvents(handle)).toBeLessThanOrEqual(12 + 4);
}, 60_000);

it('on_failure: fail fails the workflow of a fan-out whose targets all failed', async () => {
  runner.target.answer = (_, response) => sendJson(response, {}, 500);
  const handle = await fire({ ...fanOut('{ targets: [a, b] }'), on_failure: 'fail' });
  await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
  expect((await handle.describe()).status.name).toBe('FAILED');
});
