import { randomUUID } from 'node:crypto';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import type {
  Client,
  ScheduleClient,
  ScheduleDescription,
  ScheduleHandle,
  ScheduleUpdateOptions,
  Workflow,
} from '@temporalio/client';
import type { ScheduleOptionsStartWorkflowAction } from '@temporalio/client';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { obtainTemporalBinary } from '../../dev/temporal-binary.ts';
import { applySchedule, planSchedule } from '../../schedules/apply.ts';
import { compileSchedule } from '../../schedules/desired.ts';
import { observeSchedule } from '../../schedules/observe.ts';
import type { Order } from '../../workflows/contract.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';

type Options = ScheduleUpdateOptions<ScheduleOptionsStartWorkflowAction<Workflow>>;

let runner: Runner;
const made: string[] = [];

beforeAll(async () => {
  runner = await startRunner();
});
afterAll(async () => {
  for (const id of made) await runner.client.schedule.getHandle(id).delete();
  await runner.close();
});

/** An applied definition, and what becomes of it. */
async function prepare(changes: Frontmatter = {}) {
  const id = `test.drift-${randomUUID().slice(0, 8)}`;
  made.push(id);
  const compile = (next: Frontmatter = {}) =>
    compileSchedule(defineSweep(id, { ...changes, ...next }), runner.taskQueue);
  await applySchedule(runner.client, compile());
  const handle = runner.client.schedule.getHandle(id);
  return {
    id,
    handle,
    compile,
    /** Somebody edits the schedule on the server, all else as it is. */
    edit: (change: (previous: ScheduleDescription) => object) =>
      handle.update((previous): Options => ({ ...previous, ...change(previous) })),
    plan: (next: Frontmatter = {}, repair = false) => planSchedule(runner.client, compile(next), { repair }),
    apply: (next: Frontmatter = {}, repair = false) => applySchedule(runner.client, compile(next), { repair }),
    observe: async () => (await observeSchedule(runner.client, id))!,
  };
}

const editAction = (change: object) => (previous: ScheduleDescription) => ({
  action: { ...previous.action, ...change },
});

it.each<[string, (previous: ScheduleDescription) => object, string[]]>([
  [
    'the times',
    () => ({ spec: { calendars: [{ hour: 3, minute: [0, 15, 30, 45] }] } }),
    [
      'cadence.calendars[0].minute: 0-45/15 -> 0',
      'cadence.calendars[0].hour: 3 -> 0',
      'cadence.calendars[0].dayOfMonth: 1-31 -> 1',
      'cadence.calendars[0].month: 1-12 -> 1',
    ],
  ],
  [
    'an interval beside the times',
    ({ spec }) => ({ spec: { ...spec, intervals: [{ every: '1 hour' }] } }),
    ['cadence.intervals: [{"everyMs":3600000,"offsetMs":0}] -> []'],
  ],
  [
    'the time zone',
    ({ spec }) => ({ spec: { ...spec, timezone: 'Asia/Kolkata' } }),
    ['cadence.timezone: "Asia/Kolkata" -> "UTC"'],
  ],
  ['the jitter', ({ spec }) => ({ spec: { ...spec, jitter: '5s' } }), ['cadence.jitterMs: 5000 -> 0']],
  [
    'an end',
    ({ spec }) => ({ spec: { ...spec, endAt: new Date('2030-01-01T00:00:00Z') } }),
    ['cadence.endAt: "2030-01-01T00:00:00.000Z" -> nothing'],
  ],
  [
    'the policies',
    () => ({ policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL, catchupWindow: '1 day', pauseOnFailure: true } }),
    [
      'policies.overlap: "ALLOW_ALL" -> "SKIP"',
      'policies.catchupWindowMs: 86400000 -> 120000',
      'policies.pauseOnFailure: true -> false',
    ],
  ],
  [
    'the task queue',
    editAction({ taskQueue: 'elsewhere' }),
    [expect.stringMatching(/^taskQueue: "elsewhere" -> "queue-/)],
  ],
  ['the workflow type', editAction({ workflowType: 'other' }), ['workflowType: "other" -> "activityRun"']],
  [
    'the timeouts',
    editAction({ workflowExecutionTimeout: '2 days', workflowRunTimeout: '1 hour', workflowTaskTimeout: '20s' }),
    [
      'timeouts.executionMs: 172800000 -> 86440000',
      'timeouts.runMs: 3600000 -> nothing',
      'timeouts.taskMs: 20000 -> nothing',
    ],
  ],
  [
    'the retry policy',
    editAction({ retry: { maximumAttempts: 3 } }),
    [expect.stringMatching(/^retry: .*"maximumAttempts":3.* -> nothing$/)],
  ],
  [
    'the arguments',
    ({ action }) => {
      const order = action.args?.[0] as Order;
      return { action: { ...action, args: [{ ...order, budget: { ...order.budget, maxSeconds: 31 } }] } };
    },
    ['args[0].budget.maxSeconds: 31 -> 30'],
  ],
  [
    'the memo',
    ({ action }) => ({ action: { ...action, memo: { ...action.memo, ticket: 'OPS-1' } } }),
    ['memo.ticket: "OPS-1" -> nothing'],
  ],
  ['the summary', editAction({ staticSummary: 'hacked' }), ['summary: "hacked" -> "A sweep under test"']],
  [
    'the runbook',
    editAction({ staticDetails: 'gone' }),
    [expect.stringMatching(/^details: "gone" -> "# What this does/)],
  ],
  [
    'how often it may still start',
    ({ state }) => ({ state: { ...state, remainingActions: 2 } }),
    ['remainingActions: 2 -> nothing'],
  ],
])(
  'somebody who changes %s on the server is seen field by field, kept, and repaired only when asked',
  async (_, change, drift) => {
    const { edit, plan, apply, observe, compile } = await prepare();
    await edit(change);
    const edited = (await observe()).content;
    expect(await plan()).toMatchObject({ action: 'drift', fields: [], drift });
    expect(await apply()).toMatchObject({ action: 'drift', drift });
    expect((await observe()).content).toEqual(edited);
    expect(await plan({}, true)).toMatchObject({ action: 'repair', drift });
    expect(await apply({}, true)).toMatchObject({ action: 'repair', drift });
    expect((await observe()).content).toEqual(compile().content);
    expect(await plan()).toMatchObject({ action: 'unchanged', drift: [] });
  },
);

it('the same times written in another way are no drift', async () => {
  const { edit, plan } = await prepare({ schedule: '{ cron: "*/15 0 1 1 *" }' });
  await edit(() => ({
    spec: { calendars: [{ minute: [45, 30, 15, 0], hour: 0, dayOfMonth: 1, month: 'JANUARY' }], timezone: 'UTC' },
  }));
  expect(await plan()).toMatchObject({ action: 'unchanged', drift: [] });
});

it('an update by the Temporal CLI, which replaces the whole schedule and our marks with it, is drift of a schedule that is still ours', async () => {
  const { id, plan, apply, observe, compile } = await prepare();
  const { path } = await obtainTemporalBinary();
  await execa(path, [
    ...['schedule', 'update', '--address', runner.temporalAddress, '--schedule-id', id, '--interval', '10m'],
    ...['--workflow-id', 'mine', '--type', 'activityRun', '--task-queue', runner.taskQueue, '--input', '{"format":1}'],
  ]);
  expect(await plan()).toMatchObject({ action: 'drift' });
  expect((await plan()).drift).toEqual(
    expect.arrayContaining([
      'cadence.intervals: [{"everyMs":600000,"offsetMs":0}] -> []',
      'workflowId: "mine" -> "' + id + '"',
      'memo: the mark of the definition that was applied is gone',
    ]),
  );
  expect(await apply()).toMatchObject({ action: 'drift' });
  expect(await observe()).toMatchObject({ digest: undefined, cadence: { intervals: [{ everyMs: 600_000 }] } });
  expect(await apply({}, true)).toMatchObject({ action: 'repair' });
  expect(await observe()).toMatchObject({ content: compile().content, digest: compile().digest });
  expect(await plan()).toMatchObject({ action: 'unchanged', drift: [] });
});

it('a definition that changes where somebody changed something else: both are there afterwards, the drift until it is repaired', async () => {
  const { edit, plan, apply, observe, compile } = await prepare();
  await edit(({ spec }) => ({ spec: { ...spec, jitter: '5s' } }));
  const next = { title: 'Another title' };
  expect(await plan(next)).toMatchObject({
    action: 'update',
    fields: ['definition.title: "A sweep under test" -> "Another title"'],
    drift: ['cadence.jitterMs: 5000 -> 0'],
  });
  await apply(next);
  expect(await observe()).toMatchObject({
    cadence: { jitterMs: 5_000 },
    order: { definition: { title: 'Another title' } },
  });
  expect(await plan(next)).toMatchObject({ action: 'drift', fields: [], drift: ['cadence.jitterMs: 5000 -> 0'] });
  await apply(next, true);
  expect((await observe()).content).toEqual(compile(next).content);
});

it('a definition that changes the very thing that somebody changed has its way, and says so', async () => {
  const { edit, plan, apply, observe, compile } = await prepare();
  await edit(({ spec }) => ({ spec: { ...spec, jitter: '5s' } }));
  const next = { schedule: '{ every: 1h }' };
  const planned = await plan(next);
  expect(planned).toMatchObject({ action: 'update', drift: ['cadence.jitterMs: 5000 -> 0'] });
  expect(planned.remark).toContain('except cadence: the definition has changed');
  await apply(next);
  expect((await observe()).content).toEqual(compile(next).content);
  expect(await plan(next)).toMatchObject({ action: 'unchanged' });
});

it('arguments that somebody changed and a definition that changed too: it is said that something was there', async () => {
  const { edit, plan, apply } = await prepare();
  await edit(editAction({ args: ['nonsense'] }));
  const next = { title: 'Another title' };
  expect(await plan(next)).toMatchObject({
    action: 'update',
    drift: ['args, details, taskQueue: one of them was changed on the server'],
  });
  await apply(next);
  expect(await plan(next)).toMatchObject({ action: 'unchanged', drift: [] });
});

it('a disabled definition that somebody switched on is drift: kept, and switched off by a repair', async () => {
  const { handle, plan, apply, observe } = await prepare({ enabled: 'false' });
  await handle.unpause('only today');
  expect(await plan()).toMatchObject({ action: 'drift', drift: ['paused: false -> true'], paused: false });
  await apply({ title: 'Another title' });
  expect(await observe()).toMatchObject({ paused: false, note: 'only today', enabled: false });
  expect(await apply({ title: 'Another title' }, true)).toMatchObject({ action: 'repair', paused: true });
  expect(await observe()).toMatchObject({ paused: true, note: 'actcore: enabled is false in the definition' });
});

it('a repair keeps a pause by a person', async () => {
  const { edit, handle, apply, observe, compile } = await prepare();
  await edit(({ spec }) => ({ spec: { ...spec, jitter: '5s' } }));
  await handle.pause('do not touch');
  expect(await apply({}, true)).toMatchObject({ action: 'repair', paused: true });
  expect(await observe()).toMatchObject({ paused: true, note: 'do not touch', content: compile().content });
});

it('a switch in the definition keeps the drift', async () => {
  const { edit, apply, plan, observe } = await prepare();
  await edit(({ spec }) => ({ spec: { ...spec, jitter: '5s' } }));
  expect(await apply({ enabled: 'false' })).toMatchObject({ action: 'pause', drift: ['cadence.jitterMs: 5000 -> 0'] });
  expect(await observe()).toMatchObject({ paused: true, cadence: { jitterMs: 5_000 } });
  expect(await plan({ enabled: 'false' })).toMatchObject({ action: 'drift' });
});

it('a schedule that somebody puts in the place of ours while it is being applied is not touched', async () => {
  const { id, handle, compile, observe } = await prepare();
  const replace = async () => {
    await handle.delete();
    const action = { type: 'startWorkflow', workflowType: 'other', taskQueue: 'other' } as const;
    await runner.client.schedule.create({ scheduleId: id, spec: { intervals: [{ every: '1 day' }] }, action });
  };
  const slow: ScheduleHandle = { ...handle, update: async (change) => replace().then(() => handle.update(change)) };
  const schedule = Object.create(runner.client.schedule, { getHandle: { value: () => slow } }) as ScheduleClient;
  const client = Object.create(runner.client, { schedule: { value: schedule } }) as Client;
  await expect(applySchedule(client, compile({ title: 'Another' }))).rejects.toThrow(
    'somebody else has made a schedule',
  );
  expect(await observe()).toMatchObject({ isOurs: false, taskQueue: 'other' });
});
