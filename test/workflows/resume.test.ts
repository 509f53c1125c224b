import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readResults } from '../../history/results.ts';
import { runOptions } from '../../schedules/desired.ts';
import type { RunReport } from '../../workflows/contract.ts';
import { workflowType } from '../../workflows/contract.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { fanOut, nameTargets, polled } from '../support/fan-outs.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { healthy, sendJson } from '../support/target.ts';
import type { Call } from '../support/target.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import type { WorkerProcess } from '../support/worker-process.ts';
import { slackMs } from '../support/slack.ts';

/** A runner of one test's own with two workers that may be killed; the tests wait for heartbeats and run side by side. */
interface Stage extends Runner {
  workers: WorkerProcess[];
}

let entry: Promise<unknown> = Promise.resolve();

async function onStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  const runner = await startRunner();
  // One after the other: five pairs of processes that start at once starve each other.
  const entered = entry.then(() => Promise.all([startWorkerProcess(runner), startWorkerProcess(runner)]));
  entry = entered.catch(() => {});
  const workers = await entered;
  try {
    await play({ ...runner, target: runner.target, workers });
  } finally {
    for (const worker of workers) worker.signal('SIGKILL');
    await Promise.all(workers.map(({ ended }) => ended));
    await runner.close();
  }
}

async function fire(runner: Stage, id: string, changes: Frontmatter) {
  const definition = defineSweep(id, { budget: '{ max_seconds: 120 }', ...changes });
  return runner.client.workflow.start(workflowType, {
    ...runOptions(definition, 'canary', 'tester'),
    taskQueue: runner.taskQueue,
    workflowId: `${id}-${randomUUID()}`,
    args: [definition.order, { trigger: 'canary', actor: 'tester' }],
  });
}

/** The worker that is at work on the only activity there is. */
async function findBusy({ workers }: Stage, handle: Awaited<ReturnType<typeof fire>>): Promise<WorkerProcess> {
  const { raw } = await handle.describe();
  const identity = raw.pendingActivities?.[0]?.lastWorkerIdentity ?? '';
  const busy = workers.find(({ pid }) => identity.startsWith(`${pid}@`));
  if (busy === undefined) throw new Error(`no worker is ${identity}`);
  return busy;
}

function groupByPath(calls: Call[]): Map<string, Call[]> {
  const groups = new Map<string, Call[]>();
  for (const call of calls) groups.set(call.path, [...(groups.get(call.path) ?? []), call]);
  return groups;
}

/** Within this time before its death a worker may have been told of an end that nobody else has heard of. */
const unheardMs = 400;

describe.concurrent('a run that another worker goes on with', () => {
  it(
    'an operation of 90 s whose worker is killed half-way is followed by another one, and no second one is started',
    () =>
      onStage(async (runner) => {
        const [tookMs, killAfterMs] = [90_000, 40_000];
        let acceptedAt = 0;
        runner.target.answer = (call, response) => {
          if (call.method === 'POST') {
            acceptedAt = Date.now();
            response.writeHead(202, { location: '/operations/1' }).end();
          } else sendJson(response, { ...healthy, state: Date.now() - acceptedAt > tookMs ? 'done' : 'running' });
        };
        const handle = await fire(
          runner,
          'test.polled',
          polled('{ every: 200ms, max_every: 1s, done: body.state == "done" }'),
        );
        const polls = () => runner.target.calls.filter(({ path }) => path === '/operations/1');
        await eventually(async () => polls().length >= 3 && Date.now() - acceptedAt > killAfterMs, {
          withinMs: killAfterMs + 30_000,
        });
        (await findBusy(runner, handle)).signal('SIGKILL');
        const killedAt = Date.now();
        const report = (await handle.result()) as RunReport;
        expect(report).toMatchObject({ outcome: 'completed', recorded: true });
        // Polling began when the answer was there, a little after the target had sent it.
        expect(report.stages?.pollMs).toBeGreaterThan(tookMs - 1_000);
        expect(runner.target.calls.filter(({ method }) => method === 'POST')).toHaveLength(1);
        expect(new Set(runner.target.calls.map(({ path }) => path))).toEqual(new Set(['/start', '/operations/1']));
        expect(polls().filter(({ at }) => at > killedAt).length).toBeGreaterThan(10);
        expect(await runner.runsOf('test.polled')).toMatchObject([{ outcome: 'completed', certainty: 'witnessed' }]);
      }),
    240_000,
  );

  it(
    'a fan-out whose worker is killed goes on at another one, and repeats no target that had ended',
    () =>
      onStage(async (runner) => {
        const answered = new Map<string, number>();
        runner.target.answer = async (call, response) => {
          await sleep(80 + Math.random() * 40);
          if (response.destroyed) return;
          const failures = call.path === '/at/t3' ? [{ target: 't3', rule: 'C-05', message: 'early' }] : [];
          sendJson(response, { ...healthy, assessment_failures: failures });
          if (!answered.has(call.path)) answered.set(call.path, Date.now());
        };
        const names = nameTargets(200);
        const handle = await fire(runner, 'test.resumed', fanOut(`{ targets: [${names.join(', ')}], concurrency: 8 }`));
        await eventually(async () => runner.target.calls.length >= 90, { everyMs: 5 });
        const busy = await findBusy(runner, handle);
        busy.signal('SIGKILL');
        const killedAt = Date.now();
        const report = (await handle.result()) as RunReport;

        expect(report).toMatchObject({
          ...{ outcome: 'completed', assessment: 'failed', assessmentFailureCount: 1, recorded: true },
          targets: { total: 200, completed: 200, failed: 0, lockSkipped: 0, notReached: 0 },
        });
        const calls = groupByPath(runner.target.calls);
        expect(calls.size).toBe(200);
        const repeated = [...calls.values()].filter((group) => group.length > 1);
        expect(repeated.length).toBeLessThanOrEqual(8 + 8 * Math.ceil(unheardMs / 100));
        for (const [first, second, ...others] of repeated) {
          expect(others).toEqual([]);
          expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
          expect(second?.at).toBeGreaterThan(killedAt);
          expect(answered.get(first?.path ?? '') ?? Infinity).toBeGreaterThan(killedAt - unheardMs);
        }
        expect(new Set(runner.target.calls.map(({ headers }) => headers['idempotency-key'])).size).toBe(200);

        const rows = await runner.runsOf('test.resumed');
        expect(rows).toMatchObject([{ id: report.runId, outcome: 'completed', certainty: 'witnessed' }]);
        const results = await readResults(runner.history, report.runId, rows[0]?.scheduledAt ?? '');
        expect(results.map(({ target }) => target)).toEqual(names);
        expect(results.filter(({ outcome }) => outcome !== 'completed')).toEqual([]);
      }),
    240_000,
  );

  it(
    'a worker that is told to stop leaves its fan-out to another one at once',
    () =>
      onStage(async (runner) => {
        runner.target.answer = async (_, response) => {
          await sleep(100);
          sendJson(response, healthy);
        };
        const names = nameTargets(120);
        const handle = await fire(runner, 'test.handed', fanOut(`{ targets: [${names.join(', ')}], concurrency: 4 }`));
        await eventually(async () => runner.target.calls.length >= 20, { everyMs: 5 });
        const busy = await findBusy(runner, handle);
        busy.signal('SIGTERM');
        const toldAt = Date.now();
        const report = (await handle.result()) as RunReport;
        expect(report).toMatchObject({ outcome: 'completed', attempt: 2, targets: { total: 120, completed: 120 } });
        // Sooner than a worker that is lost would be missed.
        expect(Date.now() - toldAt).toBeLessThan(15_000 + slackMs);
        expect(runner.target.calls).toHaveLength(120);
        expect(await runner.runsOf('test.handed')).toMatchObject([{ outcome: 'completed', certainty: 'witnessed' }]);
      }),
    240_000,
  );

  it(
    'an operation that may have been started is not started again where the target does things twice',
    () =>
      onStage(async (runner) => {
        runner.target.answer = () => {};
        const handle = await fire(runner, 'test.unknown', polled('{ every: 200ms, done: "true" }'));
        await eventually(async () => runner.target.calls.length === 1);
        (await findBusy(runner, handle)).signal('SIGKILL');
        const report = (await handle.result()) as RunReport;
        expect(report).toMatchObject({ outcome: 'automation_error', recorded: true });
        expect(report.reason).toContain('it was not asked again');
        expect(runner.target.calls).toHaveLength(1);
      }),
    240_000,
  );

  it(
    'a worker that was frozen leaves the row and the targets to the one that went on',
    () =>
      onStage(async (runner) => {
        runner.target.answer = async (_, response) => {
          await sleep(100);
          if (!response.destroyed) sendJson(response, healthy);
        };
        const names = nameTargets(400);
        const handle = await fire(runner, 'test.thawed', fanOut(`{ targets: [${names.join(', ')}], concurrency: 2 }`));
        await eventually(async () => runner.target.calls.length >= 20, { everyMs: 5 });
        const frozen = await findBusy(runner, handle);
        frozen.signal('SIGSTOP');
        await eventually(async () => (await findBusy(runner, handle).catch(() => frozen)) !== frozen, {
          withinMs: 150_000,
        });
        const before = runner.target.calls.length;
        frozen.signal('SIGCONT');
        const report = (await handle.result()) as RunReport;
        expect(before).toBeLessThan(400);
        expect(report).toMatchObject({ outcome: 'completed', targets: { total: 400, completed: 400 } });
        const extra = runner.target.calls.length - 400;
        expect(extra).toBeLessThanOrEqual(2 + 2 * Math.ceil(unheardMs / 100));
        expect(await runner.runsOf('test.thawed')).toMatchObject([{ outcome: 'completed', certainty: 'witnessed' }]);
      }),
    240_000,
  );
});
