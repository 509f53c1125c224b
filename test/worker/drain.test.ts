import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { chooseAnyPort } from '../../dev/ports.ts';
import { runOptions } from '../../schedules/desired.ts';
import { workflowType } from '../../workflows/contract.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { fanOut } from '../support/fan-outs.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { answerAfter, healthy, sendJson } from '../support/target.ts';
import { startOwnTemporalServer } from '../support/temporal-server.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import type { WorkerProcess } from '../support/worker-process.ts';

/** A worker takes its time to start on a busy machine. */
const longestMs = 150_000;

interface Scene {
  runner: Runner;
  worker?: WorkerProcess;
}

/** A runner of its own for each: what one leaves is not the next one's. */
async function play(act: (scene: Scene) => Promise<void>, address?: string): Promise<void> {
  const scene: Scene = { runner: await startRunner(address) };
  try {
    await act(scene);
  } finally {
    scene.worker?.signal('SIGKILL');
    await scene.worker?.ended;
    await scene.runner.close();
  }
}

async function fire(runner: Runner, id: string, changes: Frontmatter = {}) {
  const definition = defineSweep(id, { budget: '{ max_seconds: 100 }', ...changes });
  return runner.client.workflow.start(workflowType, {
    ...runOptions(definition, 'canary', 'tester'),
    taskQueue: runner.taskQueue,
    workflowId: `${id}-${randomUUID()}`,
    args: [definition.order, { trigger: 'canary', actor: 'tester' }],
  });
}

/** Starts a worker process with this drain time, fires a sweep, and waits until the target has been called. */
async function bringToWork(scene: Scene, drain: string, changes: Frontmatter = {}, more: Record<string, string> = {}) {
  const { runner } = scene;
  const process = await startWorkerProcess(runner, { ACTCORE_DRAIN_TIMEOUT: drain, ...more });
  scene.worker = process;
  const handle = await fire(runner, 'test.drained', changes);
  await eventually(async () => runner.target.calls[0]);
  return { process, handle };
}

/** Lets the target answer when it is told to. */
function holdAnswers({ target }: Runner): () => void {
  const held: (() => void)[] = [];
  target.answer = (_, response) => void held.push(() => sendJson(response, healthy));
  return () => {
    target.answer = (_, response) => sendJson(response, healthy);
    for (const answer of held.splice(0)) answer();
  };
}

/** Waits until the worker says that it drains. */
function awaitDraining(http: string): Promise<unknown> {
  return eventually(async () => {
    const response = await fetch(`http://${http}/readyz`);
    const { status } = (await response.json()) as { status: string };
    return response.status === 503 && status === 'draining';
  });
}

it(
  'a sweep that ends within the drain time is called once and ends where it began; nothing new is begun there',
  () =>
    play(async (scene) => {
      const { runner } = scene;
      const http = `127.0.0.1:${await chooseAnyPort()}`;
      const release = holdAnswers(runner);
      const { process, handle } = await bringToWork(scene, '120s', {}, { ACTCORE_HTTP_ADDRESS: http });
      expect(await (await fetch(`http://${http}/readyz`)).json()).toMatchObject({ temporal: 'answers' });
      const toldAt = Date.now();
      process.signal('SIGTERM');
      await awaitDraining(http);
      expect((await fetch(`http://${http}/healthz`)).status).toBe(200);
      const second = await fire(runner, 'test.drained-later');
      // The server takes it for alive all the while, however long the drain time is.
      await eventually(async () => {
        const [activity] = (await handle.describe()).raw.pendingActivities ?? [];
        return Number(activity?.lastHeartbeatTime?.seconds ?? 0) * 1_000 > toldAt + 2_000;
      });
      release();
      expect((await process.ended).exitCode).toBe(0);
      expect(Date.now() - toldAt).toBeLessThan(100_000);
      const rows = await runner.runsOf('test.drained');
      expect(rows).toMatchObject([{ outcome: 'completed', certainty: 'witnessed' }]);
      expect(runner.target.calls).toHaveLength(1);
      await runner.startWorker();
      expect(await handle.result()).toMatchObject({ outcome: 'completed' });
      expect(await second.result()).toMatchObject({ outcome: 'completed' });
      expect(runner.target.calls).toHaveLength(2);
    }),
  longestMs,
);

it(
  'a sweep that does not end within the drain time is cancelled, and its row says so',
  () =>
    play(async (scene) => {
      const { runner } = scene;
      runner.target.answer = answerAfter(100_000);
      const { process } = await bringToWork(scene, '1s');
      const toldAt = Date.now();
      process.signal('SIGTERM');
      expect((await process.ended).exitCode).toBe(0);
      expect(Date.now() - toldAt).toBeLessThan(40_000);
      expect(await runner.runsOf('test.drained')).toMatchObject([
        {
          outcome: 'cancelled',
          certainty: 'witnessed',
          reason: 'the worker was shut down before the target had answered',
        },
      ]);
    }),
  longestMs,
);

it(
  'of a list, the target that is asked is waited for, and the rest is handed over at once',
  () =>
    play(async (scene) => {
      const { runner } = scene;
      const http = `127.0.0.1:${await chooseAnyPort()}`;
      const release = holdAnswers(runner);
      const list = fanOut('{ targets: [a, b], concurrency: 1 }');
      const { process, handle } = await bringToWork(scene, '120s', list, { ACTCORE_HTTP_ADDRESS: http });
      process.signal('SIGTERM');
      await awaitDraining(http);
      release();
      expect((await process.ended).exitCode).toBe(0);
      await runner.startWorker();
      expect(await handle.result()).toMatchObject({ outcome: 'completed', targets: { completed: 2 } });
      expect(runner.target.calls.map(({ path }) => path)).toEqual(['/at/a', '/at/b']);
    }),
  longestMs,
);

it(
  'a second signal ends the drain time',
  () =>
    play(async (scene) => {
      const { runner } = scene;
      runner.target.answer = answerAfter(100_000);
      const { process } = await bringToWork(scene, '120s');
      process.signal('SIGTERM');
      // Signals that come together are one.
      await sleep(700);
      const toldAt = Date.now();
      process.signal('SIGTERM');
      const { exitCode, stderr } = await process.ended;
      expect(exitCode).toBe(0);
      expect(stderr).toContain('told to stop again');
      expect(Date.now() - toldAt).toBeLessThan(40_000);
      expect(await runner.runsOf('test.drained')).toMatchObject([{ outcome: 'cancelled', certainty: 'witnessed' }]);
    }),
  longestMs,
);

it(
  'a worker whose Temporal is away ends all the same, and says what it leaves',
  async () => {
    const temporal = await startOwnTemporalServer();
    const act = async (scene: Scene) => {
      scene.runner.target.answer = answerAfter(100_000);
      const { process } = await bringToWork(scene, '1s');
      await temporal.stop();
      const toldAt = Date.now();
      process.signal('SIGTERM');
      const { exitCode, stderr } = await process.ended;
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/\nerror: the worker ended before all that it was at had: another worker takes those/);
      expect(stderr).not.toMatch(/\n\s+at /);
      expect(Date.now() - toldAt).toBeLessThan(40_000);
      const rows = await scene.runner.runsOf('test.drained');
      expect(rows).toMatchObject([{ outcome: 'cancelled', certainty: 'witnessed' }]);
    };
    try {
      await play(act, temporal.address);
    } finally {
      await temporal.remove();
    }
  },
  longestMs,
);
