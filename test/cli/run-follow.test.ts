import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { NativeConnection, Worker } from '@temporalio/worker';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLedger } from '../../history/ledger.ts';
import type { RunDetail } from '../../history/queries.ts';
import { runIdOf } from '../../history/run-id.ts';
import type { Firing, Order, RunReport } from '../../workflows/contract.ts';
import { makeOrder, makeReport, makeTick } from '../history/support/history.ts';
import { writeDefinition } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { actcoreCommand } from '../support/program.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { loadBundle, loadWorker } from '../support/shipped.ts';
import { actcoreEnv, envOf, readActcore, runActcore, startActcore, writeFolder } from './support/actcore.ts';

let runner: Runner;
let connection: NativeConnection;
let worker: Worker;
let serving: Promise<void>;
/** How each run ends, from the moment that this is known. */
const ends = new Map<string, Partial<RunReport>>();
let done = 0;

/** A sweep in the eyes of whoever follows it: it tells of ten targets, and ends when the test says how. */
async function sweep(order: Order, firing: Firing): Promise<RunReport> {
  const ledger = createLedger(runner.history);
  const startedAt = new Date().toISOString();
  await ledger.recordStart(order, firing, { startedAt, attempt: 1 });
  for (;;) {
    const targets = { total: 10, completed: done - 1, failed: 1, lockSkipped: 0, notReached: 10 - done };
    Context.current().heartbeat({ stage: 'calling the targets', attempt: 1, elapsedMs: 0, targets });
    const end = ends.get(order.definition.id);
    if (end !== undefined) {
      const finishedAt = new Date().toISOString();
      const { trigger } = firing;
      const runId = runIdOf(order.definition.uuid, firing);
      return ledger.recordEnd(order, firing, makeReport({ runId, trigger, startedAt, finishedAt, targets, ...end }));
    }
    await Context.current().sleep(100);
  }
}

beforeAll(async () => {
  runner = await startRunner();
  await loadWorker();
  const { obtainBundle } = await loadBundle();
  connection = await NativeConnection.connect({ address: runner.temporalAddress });
  worker = await Worker.create({
    ...{ connection, namespace: 'default', taskQueue: runner.taskQueue, workflowBundle: await obtainBundle() },
    ...{ activities: { sweep }, maxHeartbeatThrottleInterval: 100 },
  });
  serving = worker.run();
}, 60_000);

afterAll(async () => {
  worker.shutdown();
  await serving;
  await connection.close();
  await runner.close();
});

/** A canary that is going: the id of its definition, of its row and of its workflow. */
async function fire(): Promise<{ id: string; rowId: string; workflowId: string }> {
  done = 3;
  const id = `test.follow-${randomUUID().slice(0, 8)}`;
  const cwd = writeFolder({ 'activity-definitions/a.md': writeDefinition(id) });
  await runActcore(['canary', id, '--detach'], { cwd, env: envOf(runner) });
  const row = await eventually(async () => (await runner.runsOf(id))[0]);
  return { id, rowId: row.id, workflowId: row.workflowId };
}

/** The program on a terminal of its own. */
function startOnTerminal(args: string[]) {
  const command = [...actcoreCommand, ...args].map((word) => `'${word}'`).join(' ');
  const env = actcoreEnv({ ...envOf(runner), TERM: 'xterm', NO_COLOR: '1' });
  const line = `exec script -qec "stty cols 100; exec ${command}" /dev/null`;
  return execa('bash', ['-c', line], { env, extendEnv: false, reject: false, timeout: 50_000 });
}

type Terminal = ReturnType<typeof startOnTerminal>;

/** What a process has shown so far. */
function watch(child: Terminal): () => string {
  let shown = '';
  child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  return () => shown;
}

it('on a terminal a run that is going is followed with a bar, then shown, with the exit code of the run', async () => {
  const { id, rowId } = await fire();
  const child = startOnTerminal(['run', rowId, '--follow']);
  const shown = watch(child);
  const bar = (filled: number) => '█'.repeat(filled) + '░'.repeat(24 - filled);
  await eventually(async () => shown().includes(`${bar(7)} 3 of 10 targets, 1 failed, calling the targets, `));
  done = 8;
  await eventually(async () => shown().includes(`${bar(19)} 8 of 10 targets, 1 failed, calling the targets, `));
  ends.set(id, { outcome: 'automation_error', exitCode: 1, reason: 'too many failed' });
  const { exitCode, stdout } = await child;
  expect(exitCode).toBe(1);
  // The bar is gone before the run is shown.
  expect(stdout.split('\u001b[K').at(-1)).toMatch(new RegExp(`^run +${rowId}\\r\\n`));
  expect(stdout).toMatch(/\ntargets +7 of 10 completed, 1 failed, 2 not reached\r\n/);
  expect(stdout).toMatch(/\nreason +too many failed\r\n/);
}, 60_000);

it('without a terminal a short run is followed in silence, and --json is the row as it ended', async () => {
  const { id, rowId } = await fire();
  const following = readActcore<RunDetail>(['run', rowId.slice(0, 13), '--follow'], { env: envOf(runner) });
  ends.set(id, {});
  const { document, exitCode, stderr } = await following;
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(document).toMatchObject({ id: rowId, outcome: 'completed', certainty: 'witnessed', targets: { total: 10 } });
});

it('Ctrl-C while following: exit code 130, and the run goes on', async () => {
  const { id, rowId, workflowId } = await fire();
  const child = startOnTerminal(['run', rowId, '--follow']);
  const shown = watch(child);
  await eventually(async () => shown().includes('3 of 10 targets'));
  child.stdin.write('\u0003');
  const { exitCode, stdout } = await child;
  expect(exitCode).toBe(130);
  expect(stdout).toContain(
    `not followed any more; the run goes on. Stop it with: temporal workflow cancel -w ${workflowId}`,
  );
  ends.set(id, {});
  await eventually(async () => (await runner.runsOf(id)).some(({ outcome }) => outcome === 'completed'));
});

it('a run whose workflow is terminated is shown as it stands, with the reason, and exit code 1', async () => {
  const { id, rowId, workflowId } = await fire();
  const following = startActcore(['run', rowId, '--follow'], { env: envOf(runner) });
  await runner.client.workflow.getHandle(workflowId).terminate('for a test');
  const { exitCode, stdout, stderr } = await following;
  ends.set(id, {});
  expect(exitCode).toBe(1);
  expect(stderr).toBe('the run ended without a report: for a test');
  expect(stdout).toContain(rowId);
});

it('a run that the history has as running and Temporal does not know is refused', async () => {
  const order = makeOrder();
  const firing = makeTick({ workflowId: 'nowhere', workflowRunId: randomUUID() });
  await createLedger(runner.history).recordStart(order, firing, { startedAt: firing.scheduledAt, attempt: 1 });
  const rowId = runIdOf(order.definition.uuid, firing);
  const ended = await runActcore(['run', rowId, '--follow'], { env: envOf(runner) });
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toBe(
    `error: Temporal at ${runner.temporalAddress} does not know run ${rowId}, which the history has as running\n` +
      '  It may be another server, or one that has forgotten the run.',
  );
});
