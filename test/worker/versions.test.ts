import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { setCurrentVersion } from '../../schedules/deployment.ts';
import { applySchedule } from '../../schedules/apply.ts';
import { compileSchedule, runOptions } from '../../schedules/desired.ts';
import { startWorker } from '../../worker/worker.ts';
import { searchAttributes, workflowType } from '../../workflows/contract.ts';
import { envOf, readActcore, runActcore } from '../cli/support/actcore.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { fanOut } from '../support/fan-outs.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { healthy, sendJson } from '../support/target.ts';

const deployment = `deployment-${randomUUID()}`;
let runner: Runner;

beforeAll(async () => {
  runner = await startRunner();
});
afterAll(() => runner.close());

/** Starts a worker of this build; the returned function drains it. */
async function startBuild(buildId: string): Promise<() => Promise<void>> {
  const { temporalAddress, taskQueue, databaseUrl, environment } = runner;
  const worker = await startWorker({
    ...{ temporalAddress, namespace: 'default', taskQueue, databaseUrl, environment },
    deployment: { name: deployment, buildId },
  });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
  };
}

const rollOut = (buildId?: string) =>
  eventually(
    async () => {
      const version = buildId === undefined ? {} : { buildId };
      const wanted = { namespace: 'default', name: deployment, identity: 'tester', ...version };
      const change = await setCurrentVersion(runner.connection, wanted);
      return 'previous' in change ? change : undefined;
    },
    { withinMs: 30_000, what: 'the version' },
  );

async function fire(id: string, changes: Frontmatter = {}) {
  const definition = defineSweep(id, changes);
  return runner.client.workflow.start(workflowType, {
    ...runOptions(definition, 'canary', 'tester'),
    taskQueue: runner.taskQueue,
    workflowId: `${id}-${randomUUID()}`,
    args: [definition.order, { trigger: 'canary', actor: 'tester' }],
  });
}

/** The builds that took its steps, in their order. */
async function buildsOf(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(
    ({ workflowTaskCompletedEventAttributes: done }) => done?.deploymentVersion?.buildId ?? [],
  );
}

it('a rollout takes new runs, and those in flight, to the new build, and none of them is lost or asked twice', async () => {
  const answers: (() => void)[] = [];
  const stopOne = await startBuild('one');
  try {
    expect(await rollOut('one')).toEqual({ previous: undefined });
    const before = await fire('test.before');
    expect(await before.result()).toMatchObject({ outcome: 'completed' });
    expect(new Set(await buildsOf(before))).toEqual(new Set(['one']));

    // In flight while the version changes: a single request, and a list of which one target is asked.
    runner.target.calls.length = 0;
    runner.target.answer = (_, response) => void answers.push(() => sendJson(response, healthy));
    const single = await fire('test.single');
    const listed = await fire('test.listed', fanOut('{ targets: [a, b], concurrency: 1 }'));
    await eventually(async () => answers.length === 2);
    const stopTwo = await startBuild('two');
    try {
      const rollout = await readActcore(['rollout', '--build-id', 'two'], {
        env: { ...envOf(runner), ACTCORE_DEPLOYMENT_NAME: deployment },
      });
      expect(rollout).toMatchObject({ exitCode: 0, document: { deployment, buildId: 'two', previousBuildId: 'one' } });
      runner.target.answer = (_, response) => sendJson(response, healthy);
      const stopped = stopOne();
      for (const answer of answers) answer();
      await stopped;
      expect(await single.result()).toMatchObject({ outcome: 'completed' });
      expect(await listed.result()).toMatchObject({ outcome: 'completed', targets: { completed: 2 } });
      expect(runner.target.calls.map(({ path }) => path).sort()).toEqual(['/at/a', '/at/b', '/sweep']);
      for (const handle of [single, listed]) {
        const builds = await buildsOf(handle);
        expect([builds.at(0), builds.at(-1)]).toEqual(['one', 'two']);
      }

      const definition = defineSweep('test.scheduled-version', { schedule: '{ every: 2s }' });
      await applySchedule(runner.client, compileSchedule(definition, runner.taskQueue));
      const scheduled = await eventually(async () => {
        const query = `${searchAttributes.definition} = "${definition.id}" AND ExecutionStatus = "Completed"`;
        for await (const { workflowId, runId } of runner.client.workflow.list({ query })) {
          return runner.client.workflow.getHandle(workflowId, runId);
        }
        return undefined;
      });
      await runner.client.schedule.getHandle(definition.id).delete();
      expect(new Set(await buildsOf(scheduled))).toEqual(new Set(['two']));
    } finally {
      await stopTwo();
    }
  } finally {
    await stopOne();
  }
}, 120_000);

it('a version that no worker polls for cannot be made current', async () => {
  const wanted = { namespace: 'default', name: `none-${randomUUID()}`, buildId: 'one', identity: 'tester' };
  expect(await setCurrentVersion(runner.connection, wanted)).toMatchObject({ notYet: expect.any(String) as string });
  const args = ['rollout', '--deployment', wanted.name, '--build-id', 'one', '--wait', '1s'];
  const { exitCode, stdout, stderr } = await runActcore(args, { env: envOf(runner) });
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toMatch(
    /^error: Runs cannot go to \S+ one: no worker of it polls\n {2}Start workers of it on task queue /,
  );
});
