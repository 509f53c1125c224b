import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { underApplyLock } from '../../history/apply-lock.ts';
import { listJournal } from '../../history/journal.ts';
import { listScheduleIds } from '../../schedules/listing.ts';
import { observeSchedule } from '../../schedules/observe.ts';
import type { PlannedChange } from '../../schedules/plan.ts';
import { writeDefinition } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { envOf, readActcore, runActcore, writeFolder } from './support/actcore.ts';
import { vouchFor } from './support/canaried.ts';

let runner: Runner;
const made: string[] = [];

beforeAll(async () => {
  runner = await startRunner();
});
afterAll(async () => {
  for (const id of made) {
    if (await observeSchedule(runner.client, id)) await runner.client.schedule.getHandle(id).delete();
  }
  await runner.close();
});

/** A folder of applied definitions on a task queue of its own; files are named by their number. */
async function prepare(count: number) {
  const name = `test.prune-${randomUUID().slice(0, 8)}`;
  const ids = Array.from({ length: count }, (_, index) => `${name}.d${index}`);
  made.push(...ids);
  const folder = writeFolder(Object.fromEntries(ids.map((id, index) => [`${index}.md`, writeDefinition(id)])));
  const options = { env: { ...envOf(runner), ACTCORE_TASK_QUEUE: name } };
  const run = (...args: string[]) => runActcore(args, options);
  await vouchFor(runner.history, folder);
  expect(await run('apply', folder)).toMatchObject({ exitCode: 0, stderr: '' });
  await eventually(async () => {
    const listed = await listScheduleIds(runner.client);
    return ids.every((id) => listed.includes(id));
  });
  return {
    ...{ ids, folder, run },
    read: (...args: string[]) => readActcore<{ changes: PlannedChange[] }>(args, options),
    remove: (...numbers: number[]) => numbers.forEach((number) => rmSync(join(folder, `${number}.md`))),
    countLeft: async () =>
      (await Promise.all(ids.map((id) => observeSchedule(runner.client, id)))).filter(Boolean).length,
  };
}

it('a schedule whose file is gone is listed as an orphan and stays, until --prune removes it', async () => {
  const { ids, folder, run, remove, countLeft } = await prepare(3);
  remove(1);
  const orphan = `? orphan ${ids[1]}\n    it is ours, and no definition has this id; actcore prune removes it`;
  const planned = await run('plan', folder);
  expect(planned).toMatchObject({ exitCode: 0 });
  expect(planned.stdout).toMatch(
    new RegExp(`${orphan.replaceAll(/[?.]/g, '\\$&')}\n1 without a definition, 2 unchanged$`),
  );
  expect((await run('apply', folder)).stdout).toContain(orphan);
  expect(await countLeft()).toBe(3);
  expect(await run('plan', folder, '--prune')).toMatchObject({ exitCode: 2 });
  const pruned = await run('apply', folder, '--prune');
  expect(pruned).toMatchObject({ exitCode: 0, stderr: '' });
  expect(pruned.stdout).toContain(`- prune ${ids[1]}`);
  expect(pruned.stdout).toMatch(/\n1 removed, 2 unchanged$/);
  expect(await observeSchedule(runner.client, ids[1]!)).toBeUndefined();
  expect(await countLeft()).toBe(2);
}, 90_000);

it('more than a fifth is refused as a whole and before anything is written, unless the limit says so', async () => {
  const { ids, folder, run, remove, read, countLeft } = await prepare(5);
  remove(1, 3);
  for (const args of [
    ['apply', folder, '--prune'],
    ['prune', folder],
    ['apply', folder, '--prune', '--prune-limit', '39%'],
    ['prune', folder, '--prune-limit', '1'],
  ]) {
    const refused = await run(...args);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(
      /^error: 2 of our 5 schedules have no definition, and at most 1 may be removed at once: nothing was done\n/,
    );
    expect(refused.stderr).toContain('--prune-limit 2 removes them');
  }
  expect(await run('plan', folder, '--prune')).toMatchObject({ exitCode: 1 });
  expect(await countLeft()).toBe(5);
  const { document, exitCode } = await read('prune', folder, '--prune-limit', '40%');
  expect(exitCode).toBe(0);
  expect(document.changes).toMatchObject([
    { id: ids[1], action: 'prune' },
    { id: ids[3], action: 'prune' },
  ]);
  expect(await countLeft()).toBe(3);
  expect(await listJournal(runner.history, { entityId: ids[3]!, limit: 1 })).toMatchObject([
    { actor: 'tester', source: 'prune', field: 'schedule', action: 'delete', oldValue: { paused: false } },
  ]);
}, 120_000);

it('while another command changes schedules nothing is removed', async () => {
  const { folder, run, remove, countLeft } = await prepare(2);
  remove(1);
  await underApplyLock(runner.history, 'another command', 0, async () => {
    const refused = await run('prune', folder);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('Another command is changing the schedules: another command');
  });
  expect(await countLeft()).toBe(2);
}, 90_000);

it('a single file, or a folder inside of activity-definitions, makes no orphans, and pruning by it is refused', async () => {
  const { folder, run, countLeft } = await prepare(3);
  const inner = join(folder, 'activity-definitions', 'team');
  mkdirSync(inner, { recursive: true });
  renameSync(join(folder, '0.md'), join(inner, '0.md'));
  for (const path of [join(folder, '1.md'), inner]) {
    expect((await run('plan', path)).stdout).not.toContain('orphan');
    for (const args of [
      ['apply', path, '--prune'],
      ['prune', path],
    ]) {
      const refused = await run(...args);
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toContain('is not the whole folder of definitions');
    }
  }
  expect(await countLeft()).toBe(3);
}, 120_000);

it('what is not ours, or belongs to another task queue, is no orphan', async () => {
  const { folder, run, countLeft } = await prepare(1);
  const other = await prepare(1);
  const foreign = `test.foreign-${randomUUID().slice(0, 8)}`;
  made.push(foreign);
  await runner.client.schedule.create({
    scheduleId: foreign,
    spec: { intervals: [{ every: '1 day' }] },
    action: { type: 'startWorkflow', workflowType: 'other', workflowId: 'other', taskQueue: 'other' },
  });
  await eventually(async () => {
    for await (const { scheduleId } of runner.client.schedule.list()) if (scheduleId === foreign) return true;
    return false;
  });
  expect(await run('prune', folder, '--prune-limit', '100%')).toMatchObject({ exitCode: 0, stdout: 'no orphans' });
  expect(await observeSchedule(runner.client, foreign)).toMatchObject({ isOurs: false });
  expect(await countLeft()).toBe(1);
  expect(await other.countLeft()).toBe(1);
}, 90_000);

it.each(['x', '-1', '101%', '1.5', ''])('--prune-limit %j is refused', async (limit) => {
  const { exitCode, stderr } = await runActcore(['prune', `--prune-limit=${limit}`]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Expected a number such as 3, or a share such as 50%.');
});

it.each(['plan', 'apply'])('a limit without --prune is refused by %s', async (command) => {
  expect(await runActcore([command, '.', '--prune-limit', '3'])).toMatchObject({
    exitCode: 1,
    stderr: 'error: --prune-limit is for --prune\n  Without it nothing is removed.',
  });
});
