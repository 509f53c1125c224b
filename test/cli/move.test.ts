import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createLedger } from '../../history/ledger.ts';
import { runIdOf } from '../../history/run-id.ts';
import { createSchedule } from '../../schedules/apply.ts';
import { compileSchedule, movingNote } from '../../schedules/desired.ts';
import { observeSchedule } from '../../schedules/observe.ts';
import { makeReport, makeTick } from '../history/support/history.ts';
import { defineSweep, writeDefinition } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { envOf, runActcore, writeFolder } from './support/actcore.ts';
import { vouchFor } from './support/canaried.ts';
import { deleteSchedules } from './support/made-schedules.ts';

let runner: Runner;
const made: string[] = [];

beforeAll(async () => {
  runner = await startRunner();
});
afterEach(() => deleteSchedules(runner.client, made.splice(0)));
afterAll(() => runner.close());

/** An applied definition, and the file that gives it another id. */
async function prepare() {
  const name = randomUUID().slice(0, 8);
  const [old, id] = [`test.old-${name}`, `test.new-${name}`];
  made.push(old, id);
  const folder = writeFolder({ 'a.md': writeDefinition(old) });
  const taskQueue = `queue-${name}`;
  const run = async (...args: string[]) => {
    await vouchFor(runner.history, folder);
    return runActcore(args, { env: { ...envOf(runner), ACTCORE_TASK_QUEUE: taskQueue } });
  };
  const moved: Frontmatter = { moved_from: old };
  expect(await run('apply', folder)).toMatchObject({ exitCode: 0 });
  return {
    ...{ old, id, folder, run },
    rename: (changes: Frontmatter = {}) => {
      rmSync(join(folder, 'a.md'));
      writeFileSync(join(folder, 'b.md'), writeDefinition(id, { ...moved, ...changes }));
    },
    desired: () => compileSchedule(defineSweep(id, moved), taskQueue),
    observe: (which: string) => observeSchedule(runner.client, which),
  };
}

it('a definition that says where it moved from takes the place of its former schedule and keeps its history', async () => {
  const { old, id, folder, run, rename, observe } = await prepare();
  const former = await observe(old);
  const firing = makeTick();
  await createLedger(runner.history).recordEnd(former!.order!, firing, makeReport());
  rename({ title: 'Under another name' });
  const planned = await run('plan', folder);
  expect(planned).toMatchObject({ exitCode: 2, stderr: '' });
  expect(planned.stdout).toMatch(new RegExp(`^» move ${id}\n {4}id: ${old} -> ${id}\n[^]*title: [^]*\n1 to move$`));
  expect((await run('apply', folder)).stdout).toMatch(/\n1 moved$/);
  expect(await observe(old)).toBeUndefined();
  const now = await observe(id);
  expect(now).toMatchObject({ isOurs: true, paused: false });
  expect(now?.order?.definition.uuid).toBe(former?.order?.definition.uuid);
  expect(await run('plan', folder)).toMatchObject({ exitCode: 0, stdout: `= unchanged ${id}\n1 unchanged` });
  expect((await run('runs', id)).stdout).toContain(runIdOf(now!.order!.definition.uuid, firing).slice(0, 8));
  const history = await run('history', id);
  expect(history.stdout).toContain(former?.order?.revision.slice(0, 12));
  expect(history.stdout).toContain(now?.order?.revision.slice(0, 12));
  const back = await run('rollback', id, '--to', former?.order?.revision.slice(0, 12) ?? '', '--definitions', folder);
  expect(back).toMatchObject({ exitCode: 1 });
  expect(back.stderr).toContain(`is of before this moved from ${old} to ${id}`);
}, 60_000);

it('what somebody changed on the former schedule is shown before the move puts the definition back', async () => {
  const { old, id, folder, run, rename, observe } = await prepare();
  await runner.client.schedule
    .getHandle(old)
    .update((previous) => ({ ...previous, spec: { calendars: [{ hour: 3 }] } }));
  rename();
  const planned = await run('plan', folder);
  expect(planned.stdout).toMatch(/\n {4}changed on the server: cadence\.calendars\[0\]\.hour: 3 -> 0\n/);
  expect(planned.stdout).toContain('what was changed on the former schedule does not move along');
  expect(await run('apply', folder)).toMatchObject({ exitCode: 0 });
  expect((await observe(id))?.cadence.calendars).toMatchObject([{ hour: [{ start: 0, end: 0 }] }]);
}, 60_000);

it('a pause by a person moves along with its note', async () => {
  const { old, id, folder, run, rename, observe } = await prepare();
  await runner.client.schedule.getHandle(old).pause('the disk is full');
  rename();
  const applied = await run('apply', folder);
  expect(applied.stdout).toContain('stays paused: the disk is full');
  expect(await observe(old)).toBeUndefined();
  expect(await observe(id)).toMatchObject({ paused: true, note: 'the disk is full', enabled: true });
}, 60_000);

it.each([
  ['before the former schedule went', false],
  ['after it went', true],
])(
  'a move that broke off %s is completed by the next apply',
  async (_, isGone) => {
    const { old, id, folder, run, rename, desired, observe } = await prepare();
    rename();
    await createSchedule(runner.client, desired(), { paused: true, note: movingNote });
    if (isGone) await runner.client.schedule.getHandle(old).delete();
    expect(await run('apply', folder)).toMatchObject({ exitCode: 0 });
    expect(await observe(old)).toBeUndefined();
    expect(await observe(id)).toMatchObject({ paused: false });
    expect(await run('plan', folder)).toMatchObject({ exitCode: 0 });
  },
  60_000,
);

it('a schedule of another uuid is not taken over, and the remark says what to write', async () => {
  const { old, id, folder, run, rename, observe } = await prepare();
  rename({ uuid: randomUUID() });
  const applied = await run('apply', folder);
  expect(applied.exitCode).toBe(1);
  expect(applied.stdout).toMatch(new RegExp(`! refused ${id}[^]*moved_from names ${old}, whose uuid is`));
  expect(await observe(id)).toBeUndefined();
  expect(await observe(old)).toMatchObject({ paused: false });
}, 60_000);
