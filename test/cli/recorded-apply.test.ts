import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compilePaths } from '../../cli/definition-files.ts';
import { applyRecorded } from '../../cli/recorded-apply.ts';
import { findDefinition, listRevisions, walkChain } from '../../history/chain.ts';
import { listJournal } from '../../history/journal.ts';
import { applySchedule } from '../../schedules/apply.ts';
import { compileSchedule } from '../../schedules/desired.ts';
import { observeSchedule } from '../../schedules/observe.ts';
import { writeDefinition } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { runScript } from '../support/script.ts';
import { envOf, runActcore, spawnActcore, writeFolder } from './support/actcore.ts';
import { findClosedPort } from './support/dead-ends.ts';
import { deleteSchedules } from './support/made-schedules.ts';

let runner: Runner;
const made: string[] = [];

beforeAll(async () => {
  runner = await startRunner();
});
afterAll(async () => {
  await deleteSchedules(runner.client, made);
  await runner.close();
});

/** A folder with one definition that is not enabled, so that no canary is asked for. */
function prepare() {
  const id = `test.recorded-${randomUUID().slice(0, 8)}`;
  made.push(id);
  const textOf = (title: string) => writeDefinition(id, { enabled: 'false', title });
  const folder = writeFolder({ 'a.md': textOf('First') });
  return { id, folder, textOf, write: (title: string) => writeFileSync(join(folder, 'a.md'), textOf(title)) };
}

async function readChain(id: string) {
  const definition = await findDefinition(runner.history, id);
  const revisions = await listRevisions(runner.history, definition?.uuid ?? randomUUID());
  return { definition, revisions, ...walkChain(revisions, definition?.revision ?? '') };
}

it('an apply keeps the text of the file, counts it, and journals who changed which field', async () => {
  const { id, folder, textOf, write } = prepare();
  const env = envOf(runner);
  expect(await runActcore(['apply', folder], { env })).toMatchObject({ exitCode: 0, stderr: '' });
  await runActcore(['apply', folder], { env });
  write('Second');
  await runActcore(['apply', folder], { env: { ...env, ACTCORE_ACTOR: 'other' } });
  const { chain, definition } = await readChain(id);
  expect(chain).toMatchObject([
    { text: textOf('First'), appliedCount: 2, actor: 'tester', file: join(folder, 'a.md') },
    { text: textOf('Second'), appliedCount: 1, actor: 'other' },
  ]);
  expect((await observeSchedule(runner.client, id))?.order?.revision).toBe(definition?.revision);
  const [, title] = await listJournal(runner.history, { entityId: id, limit: 2 });
  expect(title).toMatchObject({
    field: 'title',
    oldValue: 'First',
    newValue: 'Second',
    actor: 'other',
    source: 'apply',
  });
});

it.each([
  ['is away', async () => `postgres://u:p@127.0.0.1:${(await findClosedPort()).port}/x`, 3, /does not answer/],
  ['is not configured', async () => '', 1, /No history is configured/],
])('a history that %s: apply refuses before it changes anything', async (_, urlOf, exitCode, says) => {
  const { id, folder } = prepare();
  const env = { ...envOf(runner), ACTCORE_DATABASE_URL: await urlOf() };
  const ended = await runActcore(['apply', folder], { env });
  expect(ended).toMatchObject({ exitCode, stdout: '' });
  expect(ended.stderr).toMatch(says);
  expect(await observeSchedule(runner.client, id)).toBeUndefined();
  const planned = await runActcore(['plan', folder], { env });
  expect(planned).toMatchObject({ exitCode: 2, stdout: expect.stringContaining(`+ create ${id}`) as string });
  expect(planned.stderr).toMatch(/was not checked: /);
});

it('a history that goes away in the middle loses no text, claims nothing, and the next apply completes it', async () => {
  const { id, folder, textOf } = prepare();
  const set = await compilePaths([folder]);
  const settings = {
    ...{ temporalAddress: runner.temporalAddress, namespace: 'default', taskQueue: runner.taskQueue },
    ...{ databaseUrl: runner.databaseUrl, uiUrl: undefined, actor: 'tester' },
  };
  const apply = (meanwhile: () => Promise<unknown>) =>
    applyRecorded(settings, runner.client, set, {}, async ([definition], onApplied) => {
      if (definition === undefined) return [];
      const change = await applySchedule(runner.client, compileSchedule(definition, runner.taskQueue));
      onApplied(change);
      await meanwhile();
      return [change];
    });
  const cut = () =>
    runner.history.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'actcore apply by tester%'`);
  await expect(apply(cut)).rejects.toThrow(/The server has 1 of the definitions, and the history could not be told/);
  const broken = await readChain(id);
  expect(broken.definition).toBeUndefined();
  expect((await observeSchedule(runner.client, id))?.order?.revision).toBe(set.definitions[0]?.order.revision);
  const uuid = set.definitions[0]?.uuid ?? '';
  expect(await listRevisions(runner.history, uuid)).toMatchObject([{ text: textOf('First'), appliedCount: 0 }]);
  await apply(async () => {});
  expect((await readChain(id)).chain).toMatchObject([{ text: textOf('First'), appliedCount: 1 }]);
});

it('where the server fails, what it took before is recorded and the rest is not', async () => {
  const [first, second] = [prepare(), prepare()];
  const set = await compilePaths([first.folder, second.folder]);
  const settings = {
    ...{ temporalAddress: runner.temporalAddress, namespace: 'default', taskQueue: runner.taskQueue },
    ...{ databaseUrl: runner.databaseUrl, uiUrl: undefined, actor: 'tester' },
  };
  const failing = applyRecorded(settings, runner.client, set, {}, async ([definition], onApplied) => {
    if (definition !== undefined) onApplied(await applySchedule(runner.client, compileSchedule(definition, 'q')));
    throw new Error('the server is gone');
  });
  await expect(failing).rejects.toThrow('the server is gone');
  expect((await readChain(first.id)).chain).toHaveLength(1);
  expect((await readChain(second.id)).definition).toBeUndefined();
});

it('while another process applies, an apply waits a little, then is refused and names it', async () => {
  const { id, folder } = prepare();
  const holder = runScript(
    `import { openHistory } from './history/database.ts';
     import { underApplyLock } from './history/apply-lock.ts';
     const pool = openHistory(${JSON.stringify(runner.databaseUrl)});
     await underApplyLock(pool, 'actcore apply by night-shift, process 4711', 0, async () => {
       console.log('held');
       await new Promise((resolve) => setTimeout(resolve, 60_000));
     });`,
  );
  await expect.poll(holder.stdout, { timeout: 20_000 }).toContain('held');
  const refused = await runActcore(['apply', folder], { env: envOf(runner) });
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
  expect(refused.stderr).toMatch(
    /^error: Another command is changing the schedules: actcore apply by night-shift, process 4711, since 20\S+Z\n {2}Nothing was changed\./,
  );
  expect(await observeSchedule(runner.client, id)).toBeUndefined();
  holder.child.kill('SIGKILL');
  expect(await runActcore(['apply', folder], { env: envOf(runner) })).toMatchObject({ exitCode: 0 });
}, 60_000);

it('five applies of five contents at once: each is done whole or refused, and server and history agree', async () => {
  const { id, textOf } = prepare();
  const contents = ['A', 'B', 'C', 'D', 'E'];
  const ended = await Promise.all(
    contents.map((title) => spawnActcore(['apply', writeFolder({ 'a.md': textOf(title) })], { env: envOf(runner) })),
  );
  const done = ended.filter(({ exitCode }) => exitCode === 0);
  expect(done.length).toBeGreaterThan(0);
  for (const { stderr } of ended.filter(({ exitCode }) => exitCode !== 0)) {
    expect(stderr).toMatch(/Another command is changing the schedules: actcore apply by tester/);
  }
  const { chain, aside, definition } = await readChain(id);
  expect([chain.length, aside.filter(({ appliedCount }) => appliedCount > 0)]).toEqual([done.length, []]);
  expect((await observeSchedule(runner.client, id))?.order?.revision).toBe(definition?.revision);
}, 60_000);
