import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';
import type { WorkerProcess } from '../../support/worker-process.ts';
import { openListeningStage } from './support/listening.ts';
import type { ListeningStage } from './support/listening.ts';

let stage: ListeningStage;
let worker: WorkerProcess | undefined;
beforeAll(async () => {
  stage = await openListeningStage();
});
afterAll(async () => {
  worker?.signal('SIGKILL');
  await worker?.ended;
  await stage.close();
});

it('a notification that comes while a run is going fires once more after it, and not before', async () => {
  const order = await stage.apply('during');
  stage.openListeners().refresh(order);
  await stage.awaitListening(order);
  const { workflow, schedule } = stage.runner.client;
  const handle = schedule.getHandle(order.definition.id);
  const listOpen = async () => {
    const found: string[] = [];
    const query = `ActcoreDefinition = '${order.definition.id}'`;
    for await (const { workflowId } of workflow.list({ query })) found.push(workflowId);
    return found;
  };
  // Nobody takes it as long as there is no worker.
  await handle.trigger(ScheduleOverlapPolicy.SKIP);
  await eventually(async () => (await handle.describe()).info.runningActions.length === 1);
  await stage.notify('during', 'one');
  await stage.notify('during', 'two');
  worker = await startWorkerProcess(stage.runner);
  await stage.awaitRuns(order, 1);
  const rows = await stage.runner.runsOf(order.definition.id);
  expect(rows.map(({ trigger }) => trigger)).toEqual(['notify', 'manual']);
  expect(Date.parse(rows[0]!.scheduledAt)).toBeGreaterThanOrEqual(Date.parse(rows[1]!.finishedAt!) - 50);
  expect(await eventually(async () => (await listOpen()).length === 2)).toBe(true);
});

it('a notification fires at once, and the run says which channel; a schedule that is paused fires nothing', async () => {
  const [order, paused] = [await stage.apply('at "once"'), await stage.apply('at "once"')];
  const listeners = stage.openListeners();
  listeners.refresh(order);
  listeners.refresh(paused);
  await Promise.all([stage.awaitListening(order), stage.awaitListening(paused)]);
  await stage.runner.client.schedule.getHandle(paused.definition.id).pause('by a person');
  const startedAt = Date.now();
  await stage.notify('at "once"');
  const [run] = await stage.awaitRuns(order, 1);
  expect(run).toMatchObject({ trigger: 'notify', actor: 'channel at "once"', source: 'activity-core' });
  const { typedSearchAttributes } = await stage.runner.client.workflow.getHandle(run!.workflowId).describe();
  const attributes = Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
  expect(attributes).toMatchObject({
    ...{ ActcoreTrigger: 'notify', ActcoreActor: 'channel at "once"', ActcoreDefinition: order.definition.id },
    ActcoreRevision: order.revision.slice(0, 12),
  });

  const unpausedAt = Date.now();
  await stage.runner.client.schedule.getHandle(paused.definition.id).unpause();
  const notifiedAt = Date.now();
  await stage.notify('at "once"');
  const [[first], [, again]] = await Promise.all([stage.awaitRuns(paused, 1), stage.awaitRuns(order, 2)]);
  // A server under load may take five seconds to say what a schedule is, but not each time.
  const delays = [Date.parse(run!.scheduledAt) - startedAt, Date.parse(again!.scheduledAt) - notifiedAt];
  expect(Math.min(...delays)).toBeLessThan(2_000);
  expect(Date.parse(first!.scheduledAt)).toBeGreaterThan(unpausedAt);
});

it('a hundred notifications in a row are one run or two', async () => {
  const order = await stage.apply('burst');
  stage.openListeners().refresh(order);
  await stage.awaitListening(order);
  await Promise.all(Array.from({ length: 100 }, (_, index) => stage.notify('burst', String(index))));
  await stage.awaitRuns(order, 1);
  const { length } = await stage.notifiedRuns(order);
  await stage.notify('burst', 'the last');
  const runs = await stage.awaitRuns(order, length + 1);
  expect(runs.length).toBeLessThanOrEqual(3);
});

it('a connection that is cut is made again, and what may have been missed is made good', async () => {
  const order = await stage.apply('cut');
  const listeners = stage.openListeners();
  listeners.refresh(order);
  const pid = await stage.awaitListening(order);
  await stage.endConnection(pid);
  await stage.awaitRuns(order, 1);
  expect(await stage.awaitListening(order)).not.toBe(pid);
  await stage.notify('cut');
  expect(await stage.awaitRuns(order, 2)).toHaveLength(2);

  await listeners.close();
  expect(await eventually(async () => (await stage.connectionsOf(order)).length === 0)).toBe(true);
  listeners.refresh(order);
  expect(await stage.connectionsOf(order)).toEqual([]);
});

it('of two workers one fires, and the other takes over when it is gone', async () => {
  const order = await stage.apply('two');
  const [first, second] = [stage.openListeners(), stage.openListeners()];
  first.refresh(order);
  const leader = await stage.awaitListening(order);
  second.refresh(order);
  await eventually(async () => (await stage.connectionsOf(order)).length === 2);
  await eventually(async () => (await stage.connectionsOf(order, 'SELECT pg_try_advisory_lock%')).length === 1);
  expect(await stage.connectionsOf(order, 'LISTEN%')).toEqual([leader]);
  await stage.notify('two');
  await stage.awaitRuns(order, 1);
  await first.close();
  await eventually(async () => {
    const [heir, ...others] = await stage.connectionsOf(order, 'LISTEN%');
    return heir !== undefined && heir !== leader && others.length === 0;
  });
  // What was told while nobody listened.
  expect(await stage.awaitRuns(order, 2)).toHaveLength(2);
  await stage.notify('two');
  expect(await stage.awaitRuns(order, 3)).toHaveLength(3);
});

it('a listener goes on for a schedule that runs, and ends with one that is paused, changed or gone', async () => {
  const [kept, paused, gone] = [await stage.apply('a'), await stage.apply('b'), await stage.apply('c')];
  const listeners = stage.openListeners({ lifetimeMs: 400 });
  for (const order of [kept, paused, gone]) listeners.refresh(order);
  await Promise.all([kept, paused, gone].map((order) => stage.awaitListening(order)));
  const { schedule } = stage.runner.client;
  await schedule.getHandle(paused.definition.id).pause();
  await schedule.getHandle(gone.definition.id).delete();
  for (const order of [paused, gone]) await eventually(async () => (await stage.connectionsOf(order)).length === 0);
  expect(await stage.connectionsOf(kept)).toHaveLength(1);

  listeners.refresh({ ...kept, watchdog: { ...kept.watchdog, listen: { channel: 'd', debounceMs: 100 } } });
  // The schedule still says the other channel, which the next look finds out.
  await eventually(async () => {
    await stage.notify('a');
    return (await stage.notifiedRuns(kept)).length > 0;
  });
  const { listen: _, ...silent } = kept.watchdog;
  listeners.refresh({ ...kept, watchdog: silent });
  expect(await eventually(async () => (await stage.connectionsOf(kept)).length === 0)).toBe(true);
});

it('a database that is away is said once, without its password', async () => {
  const order = await stage.apply('away');
  const listeners = stage.openListeners({ environment: { WATCHED_URL: 'postgres://me:s3cret%2Fpw@127.0.0.1:1/none' } });
  stage.warnings.length = 0;
  listeners.refresh(order);
  await eventually(async () => stage.warnings.length > 0);
  expect(stage.warnings.join()).toMatch(/: the listener on channel away is not connected, .*ECONNREFUSED/);
  expect(stage.warnings.join()).not.toContain('s3cret');
  await listeners.close();
  expect(stage.warnings).toHaveLength(1);
});
