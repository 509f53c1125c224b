import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { observeSchedule } from '../../schedules/observe.ts';
import type { PlannedChange } from '../../schedules/plan.ts';
import { writeDefinition } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { vouchFor } from './support/canaried.ts';
import { envOf, readActcore, runActcore, writeFolder } from './support/actcore.ts';

let runner: Runner;
const made: string[] = [];

beforeAll(async () => {
  runner = await startRunner();
});
afterAll(async () => {
  for (const id of made) await runner.client.schedule.getHandle(id).delete();
  await runner.close();
});

/** A folder with one definition, and the commands on it. */
function prepare(changes: Frontmatter = {}) {
  const id = `test.apply-${randomUUID().slice(0, 8)}`;
  made.push(id);
  const folder = writeFolder({ 'a.md': writeDefinition(id, changes) });
  // A task queue of its own: the definitions of the other tests would be orphans here.
  const options = { env: { ...envOf(runner), ACTCORE_TASK_QUEUE: `queue-${id}` } };
  const read = async (command: 'plan' | 'apply') => {
    await vouchFor(runner.history, folder);
    const { exitCode, document, stderr } = await readActcore<{ changes: PlannedChange[] }>([command, folder], options);
    expect(stderr).toBe('');
    return { exitCode, change: document.changes[0] };
  };
  return {
    id,
    folder,
    write: (next: Frontmatter, prose = '') =>
      writeFileSync(join(folder, 'a.md'), writeDefinition(id, { ...changes, ...next }) + prose),
    plan: () => read('plan'),
    apply: () => read('apply'),
    run: async (...args: string[]) => {
      await vouchFor(runner.history, folder);
      return runActcore(args, options);
    },
  };
}

it('plan, apply, plan: pending with exit code 2, done with 0, then nothing with 0', async () => {
  const { id, folder, run } = prepare();
  const [planned, applied, again] = [await run('plan', folder), await run('apply', folder), await run('plan', folder)];
  expect(planned).toMatchObject({ exitCode: 2, stderr: '' });
  expect(planned.stdout).toMatch(
    new RegExp(`^\\+ create ${id}\n {4}next ticks:( \\d{4}-01-01T00:00:00Z){5}\n1 to create$`),
  );
  expect(applied).toMatchObject({ exitCode: 0, stdout: `+ create ${id}\n1 created`, stderr: '' });
  expect(again).toMatchObject({ exitCode: 0, stdout: `= unchanged ${id}\n1 unchanged`, stderr: '' });
}, 60_000);

it('each change is an update that names what changes, and nothing is left to do after it', async () => {
  const { plan, apply, write } = prepare();
  await apply();
  const changes: [Frontmatter, string, string[]][] = [
    [{ schedule: '{ cron: "*/10 0 1 1 *" }' }, '', ['cadence.calendars[0].minute: 0 -> 0-50/10']],
    [
      { budget: '{ max_seconds: 60, hard_timeout: 70s }' },
      '',
      ['budget.maxSeconds: 30 -> 60', 'budget.hardTimeoutMs: 40000 -> 70000'],
    ],
    [{ title: 'Another title' }, '', ['definition.title: "A sweep under test" -> "Another title"']],
    [{}, '\nOne more line of prose.\n', ['runbook: another text']],
  ];
  const total: Frontmatter = {};
  for (const [change, prose, fields] of changes) {
    Object.assign(total, change);
    write(total, prose);
    expect(await plan()).toMatchObject({ exitCode: 2, change: { action: 'update', fields, paused: false } });
    expect(await apply()).toMatchObject({ exitCode: 0, change: { action: 'update', fields } });
    expect(await plan()).toMatchObject({ exitCode: 0, change: { action: 'unchanged', fields: [] } });
  }
}, 120_000);

it('enabled true, false, true: created, paused, resumed, each with the field named', async () => {
  const { id, plan, apply, write } = prepare();
  await apply();
  write({ enabled: 'false' });
  expect(await plan()).toMatchObject({
    exitCode: 2,
    change: { action: 'pause', fields: ['enabled: true -> false'], paused: true },
  });
  await apply();
  expect(await observeSchedule(runner.client, id)).toMatchObject({ paused: true, enabled: false });
  expect((await plan()).change?.action).toBe('unchanged');
  write({ enabled: 'true' });
  expect((await apply()).change).toMatchObject({ action: 'resume', fields: ['enabled: false -> true'], paused: false });
  expect(await observeSchedule(runner.client, id)).toMatchObject({ paused: false, enabled: true });
  expect((await plan()).change?.action).toBe('unchanged');
}, 120_000);

it('what is paused has no next ticks: enabling it under other times skips none, and pausing it ends them', async () => {
  const { plan, apply, write } = prepare();
  await apply();
  write({ enabled: 'false' });
  expect((await plan()).change?.ticks).toMatchObject({ before: { length: 5 }, after: [] });
  await apply();
  write({ schedule: '{ cron: "0 0 1 7 *" }' });
  const { change } = await plan();
  expect(change).toMatchObject({ action: 'update', ticks: { before: [], after: { length: 5 } } });
  expect(change?.ticks).not.toHaveProperty('remark');
}, 60_000);

it('a schedule that somebody else made under the same id is refused and untouched', async () => {
  const { id, folder, run } = prepare();
  await runner.client.schedule.create({
    scheduleId: id,
    spec: { intervals: [{ every: '1 day' }] },
    action: { type: 'startWorkflow', workflowType: 'other', workflowId: 'other', taskQueue: 'other' },
    state: { note: 'ours, not yours' },
  });
  const before = await runner.client.schedule.getHandle(id).describe();
  for (const command of ['plan', 'apply']) {
    const ended = await run(command, folder);
    expect(ended.exitCode).toBe(1);
    expect(ended.stdout).toMatch(new RegExp(`^! refused ${id}\\n {4}.*did not make.*\\n1 refused$`));
  }
  const after = await runner.client.schedule.getHandle(id).describe();
  expect(after.raw.conflictToken).toEqual(before.raw.conflictToken);
  expect(after.state.note).toBe('ours, not yours');
  for (const command of ['show', 'pause', 'resume', 'trigger']) {
    const ended = await run(command, id);
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toContain(`The schedule ${id} was not made by actcore`);
  }
}, 60_000);

it.each([
  [
    'actcore pause',
    async (id: string, run: (...args: string[]) => Promise<unknown>) => {
      await run('pause', id, '--note', 'disk is full');
      return 'paused by tester: disk is full';
    },
  ],
  [
    'the Temporal UI',
    async (id: string) => {
      await runner.client.schedule.getHandle(id).pause('do not touch');
      return 'do not touch';
    },
  ],
])(
  'a pause by %s outlives apply, with its note, and plan, list and show say it',
  async (_, pause) => {
    const { id, folder, run, write, apply } = prepare();
    await apply();
    const note = await pause(id, run);
    write({ title: 'Changed meanwhile' });
    const planned = await run('plan', folder);
    expect(planned.stdout).toContain(`~ update ${id} (paused)`);
    expect(planned.stdout).toContain(`stays paused: ${note}`);
    await apply();
    expect(await observeSchedule(runner.client, id)).toMatchObject({ paused: true, note });
    const again = await run('plan', folder);
    expect(again.exitCode).toBe(0);
    expect(again.stdout).toContain(`= unchanged ${id} (paused)\n    stays paused: ${note}`);
    const listed = await run('list');
    expect(listed.stdout.split('\n').find((line) => line.startsWith(id))).toMatch(/ paused /);
    const shown = await run('show', id);
    expect(shown.stdout).toContain(`paused (${note})`);
  },
  120_000,
);

it('what a person paused and the definition disabled is resumed by neither alone', async () => {
  const { id, run, write, apply } = prepare();
  await apply();
  await run('pause', id);
  write({ enabled: 'false' });
  expect((await apply()).change).toMatchObject({ action: 'update', fields: ['enabled: true -> false'], paused: true });
  const refused = await run('resume', id);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toBe(
    `error: ${id} is off: its definition says enabled: false\n  Set enabled: true there, and apply.`,
  );
  write({ enabled: 'true' });
  await apply();
  expect(await observeSchedule(runner.client, id)).toMatchObject({ paused: true, note: 'paused by tester' });
  expect((await run('resume', id)).stdout).toBe(`${id} is resumed`);
  expect(await observeSchedule(runner.client, id)).toMatchObject({ paused: false, note: 'resumed by tester' });
}, 120_000);

it('two applies at once leave the schedule as the definition says', async () => {
  const { id, apply, plan, write } = prepare();
  await Promise.all([apply(), apply()]);
  write({ title: 'Second' });
  await Promise.all([apply(), apply()]);
  expect(await plan()).toMatchObject({ exitCode: 0, change: { action: 'unchanged' } });
  expect((await observeSchedule(runner.client, id))?.order?.definition.title).toBe('Second');
}, 60_000);

it('a namespace that is new has its search attributes from the first apply on', async () => {
  const namespace = `test-${randomUUID().slice(0, 8)}`;
  await runner.connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const folder = writeFolder({ 'a.md': writeDefinition('test.new-namespace') });
  await vouchFor(runner.history, folder);
  const env = { ...envOf(runner), TEMPORAL_NAMESPACE: namespace };
  expect(await runActcore(['apply', folder], { env })).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await runActcore(['plan', folder], { env })).toMatchObject({ exitCode: 0 });
});
