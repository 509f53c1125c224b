import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WorkflowFailedError } from '@temporalio/client';
import { applySchedule } from '../../schedules/apply.ts';
import { compileSchedule, runOptions } from '../../schedules/desired.ts';
import type { Definition } from '../../compiler/definition.ts';
import type { RunReport } from '../../workflows/contract.ts';
import { searchAttributes, workflowType } from '../../workflows/contract.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { answerAfter, healthy, sendJson } from '../support/target.ts';
import { slackMs } from '../support/slack.ts';

let runner: Runner;

beforeAll(async () => {
  runner = await startRunner();
  await runner.startWorker();
});

afterAll(() => runner.close());

function define(changes: Frontmatter = {}): Definition {
  return defineSweep(`test.run-${randomUUID().slice(0, 8)}`, changes);
}

/** Fires by hand, as canary does. */
async function fire(definition: Definition) {
  const { client, taskQueue } = runner;
  return client.workflow.start(workflowType, {
    ...runOptions(definition, 'canary', 'tester'),
    taskQueue,
    workflowId: `${definition.id}-${randomUUID()}`,
    args: [definition.order, { trigger: 'canary', actor: 'tester' }],
  });
}

/** Applies a definition, gives `use` its schedule, and deletes it. */
async function withSchedule<Result>(definition: Definition, use: () => Promise<Result>): Promise<Result> {
  await applySchedule(runner.client, compileSchedule(definition, runner.taskQueue));
  try {
    return await use();
  } finally {
    await runner.client.schedule.getHandle(definition.id).delete();
  }
}

/** The first run of a schedule that the server has started. */
async function firstScheduled(definition: Definition) {
  const { client } = runner;
  const execution = await eventually(async () => {
    for await (const found of client.workflow.list({ query: `${searchAttributes.definition} = "${definition.id}"` })) {
      return found;
    }
    return undefined;
  });
  return client.workflow.getHandle(execution.workflowId, execution.runId);
}

/** Everything that a history holds, payloads as the text they are. */
function readPayloads(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.values(value).map(readPayloads).join('\n');
}

it('a tick becomes a sweep, a row and a result that agree, in at most 12 history events', async () => {
  runner.target.answer = (_, response) =>
    sendJson(response, { ...healthy, assessment_failures: [{ target: 'repo-a', rule: 'C-07', message: 'differs' }] });
  const definition = define({ schedule: '{ every: 2s }' });
  const handle = await withSchedule(definition, () => firstScheduled(definition));
  const report = (await handle.result()) as RunReport;
  expect(report).toMatchObject({ outcome: 'completed', assessment: 'failed', exitCode: 0, trigger: 'schedule' });

  const rows = await runner.runsOf(definition.id);
  const row = rows.find(({ id }) => id === report.runId);
  expect(row).toMatchObject({
    outcome: 'completed',
    assessmentFailureCount: 1,
    certainty: 'witnessed',
    actor: 'schedule',
  });
  expect(Date.parse(row?.scheduledAt ?? '') % 2_000).toBe(0);

  const { history } = await handle.fetchHistory().then((events) => ({ history: events.events ?? [] }));
  expect(history.length).toBeLessThanOrEqual(12);

  const description = await handle.describe();
  const attribute = (name: string) => (description.searchAttributes as Record<string, unknown[]>)[name]?.[0];
  expect(Object.values(searchAttributes).map(attribute)).toEqual([
    ...[definition.id, 'activity-core', 'schedule', 'schedule', 'completed', definition.order.revision.slice(0, 12)],
  ]);
  expect(await description.staticSummary()).toBe('A sweep under test');
  expect(await description.staticDetails()).toContain('# What this does');
});

it('the target gets its budget as a number, and the same id as key, trace and row', async () => {
  runner.target.calls.length = 0;
  runner.target.answer = (_, response) => sendJson(response, healthy);
  const handle = await fire(define());
  const { runId } = (await handle.result()) as RunReport;
  const [call] = runner.target.calls;
  expect(JSON.parse(call?.body ?? '')).toEqual({ max_seconds: 30, source: 'activity-core', run_id: runId });
  expect(call?.headers['idempotency-key']).toBe(runId);
  expect(call?.headers.traceparent).toContain(runId.replaceAll('-', ''));
  expect(call?.headers.authorization).toBe(`Bearer ${runner.secret}`);
});

it('no value of a secret reaches Temporal or the row, even when the target echoes it', async () => {
  runner.target.answer = (call, response) =>
    sendJson(response, { ...healthy, automation_error: `bad token ${call.headers.authorization}` });
  const definition = define();
  const handle = await fire(definition);
  const report = (await handle.result()) as RunReport;
  expect(report.outcome).toBe('automation_error');
  expect(report.reason).toContain('[redacted TARGET_TOKEN]');
  const events = readPayloads(await handle.fetchHistory());
  expect(events).toContain('[redacted TARGET_TOKEN]');
  expect(events).not.toContain(runner.secret);
  const { rows } = await runner.history.query(
    'SELECT row_to_json(runs)::text AS text FROM actcore.runs WHERE definition_id = $1',
    [definition.id],
  );
  expect(rows).toHaveLength(1);
  expect(rows[0]?.text).not.toContain(runner.secret);
});

it('cancelling in Temporal stops the request, and the row says so', async () => {
  runner.target.calls.length = 0;
  runner.target.answer = answerAfter(60_000);
  const definition = define();
  const handle = await fire(definition);
  const call = await eventually(async () => runner.target.calls[0]);
  const cancelledAt = Date.now();
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  expect(call.abortedAt ?? Infinity).toBeLessThan(cancelledAt + 5_000 + slackMs);
  expect(await runner.runsOf(definition.id)).toMatchObject([
    { outcome: 'cancelled', certainty: 'witnessed', exitCode: 0 },
  ]);
});

it('a terminated run stops its request too, and leaves a row', async () => {
  runner.target.calls.length = 0;
  runner.target.answer = answerAfter(60_000);
  const definition = define();
  const handle = await fire(definition);
  const call = await eventually(async () => runner.target.calls[0]);
  await handle.terminate('by the test');
  const rows = await eventually(async () => {
    const found = await runner.runsOf(definition.id);
    return found[0]?.outcome === 'cancelled' ? found : undefined;
  });
  expect(rows).toMatchObject([{ certainty: 'inferred' }]);
  expect(rows[0]?.reason).toContain('no longer waits');
  await expect.poll(() => call.abortedAt, { timeout: 10_000 }).toBeDefined();
});

it('the hard timeout aborts within a second of its time and closes the socket', async () => {
  runner.target.calls.length = 0;
  runner.target.answer = answerAfter(60_000);
  const definition = define({ budget: '{ max_seconds: 2, hard_timeout: 3s }' });
  const report = (await (await fire(definition)).result()) as RunReport;
  expect(report).toMatchObject({ outcome: 'timed_out', exitCode: 1, assessment: 'none' });
  const [call] = runner.target.calls;
  const tookMs = Date.parse(report.finishedAt) - Date.parse(report.startedAt);
  expect(tookMs).toBeGreaterThanOrEqual(3_000);
  expect(tookMs).toBeLessThan(4_000 + slackMs);
  expect(call?.abortedAt).toBeLessThan(Date.parse(report.startedAt) + 4_000 + slackMs);
});

it('on_failure: fail fails the workflow for an automation error, and not for an assessment failure', async () => {
  runner.target.answer = (_, response) => sendJson(response, { error: 'broken' }, 500);
  const definition = define({ on_failure: 'fail' });
  const failed = await fire(definition);
  await expect(failed.result()).rejects.toThrow(WorkflowFailedError);
  expect((await failed.describe()).status.name).toBe('FAILED');
  expect(await runner.runsOf(definition.id)).toMatchObject([
    { outcome: 'automation_error', exitCode: 1, responseStatus: 500 },
  ]);

  const failure = { target: 'a', rule: 'C-01', message: 'unreadable' };
  runner.target.answer = (_, response) => sendJson(response, { ...healthy, assessment_failures: [failure] });
  const completed = await fire(definition);
  expect(await completed.result()).toMatchObject({ outcome: 'completed', assessment: 'failed', exitCode: 0 });
});

it('on_failure: pause pauses the schedule with a note that names run and reason', async () => {
  runner.target.answer = (_, response) => sendJson(response, { error: 'broken' }, 503);
  const definition = define({ schedule: '{ every: 2s }', on_failure: 'pause' });
  await withSchedule(definition, async () => {
    const handle = await firstScheduled(definition);
    const report = (await handle.result()) as RunReport;
    const { state } = await runner.client.schedule.getHandle(definition.id).describe();
    expect(state.paused).toBe(true);
    expect(state.note).toContain(report.runId);
    expect(state.note).toContain('answered 503');
  });
});

it('on_failure: pause does not pause the schedule for a timeout', async () => {
  runner.target.answer = answerAfter(30_000);
  const budget = '{ max_seconds: 1, hard_timeout: 1s }';
  const definition = define({ schedule: '{ every: 2s }', on_failure: 'pause', budget });
  await withSchedule(definition, async () => {
    const handle = await firstScheduled(definition);
    expect(await handle.result()).toMatchObject({ outcome: 'timed_out', trigger: 'schedule', exitCode: 1 });
    const { state } = await runner.client.schedule.getHandle(definition.id).describe();
    expect(state.paused).toBe(false);
  });
});

it('the Trigger button of the Temporal UI is a firing by hand, not a tick', async () => {
  runner.target.answer = (_, response) => sendJson(response, healthy);
  const definition = define({ schedule: '{ cron: "0 0 1 1 *" }' });
  await withSchedule(definition, async () => {
    await runner.client.schedule.getHandle(definition.id).trigger();
    const handle = await firstScheduled(definition);
    expect(await handle.result()).toMatchObject({ outcome: 'completed', trigger: 'manual' });
  });
  expect(await runner.runsOf(definition.id)).toMatchObject([{ trigger: 'manual', actor: 'temporal' }]);
});

it('a run that cannot write its row because the history is away is written by the workflow once it is back', async () => {
  runner.target.answer = (_, response) => sendJson(response, healthy);
  const definition = define();
  await runner.history.query('ALTER TABLE actcore.runs RENAME TO runs_hidden');
  const handle = await fire(definition);
  await eventually(async () => {
    const { raw } = await handle.describe();
    return raw.pendingActivities?.some(
      (activity) => activity.activityType?.name === 'recordOutcome' && (activity.attempt ?? 0) > 1,
    );
  });
  expect((await handle.describe()).status.name).toBe('RUNNING');
  await runner.history.query('ALTER TABLE actcore.runs_hidden RENAME TO runs');
  const report = (await handle.result()) as RunReport;
  expect(report).toMatchObject({ outcome: 'completed', recorded: true });
  expect(await runner.runsOf(definition.id)).toMatchObject([
    { id: report.runId, outcome: 'completed', responseStatus: 200 },
  ]);
});
