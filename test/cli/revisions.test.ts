import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { observeSchedule } from '../../schedules/observe.ts';
import { writeDefinition } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { envOf, readActcore, runActcore, writeFolder } from './support/actcore.ts';
import { vouchFor } from './support/canaried.ts';
import { deleteSchedules } from './support/made-schedules.ts';

let runner: Runner;
const made: string[] = [];

beforeAll(async () => {
  runner = await startRunner();
});
// What one leaves is an orphan to the next.
afterEach(() => deleteSchedules(runner.client, made.splice(0)));
afterAll(() => runner.close());

/** A folder as an operator has it, with one definition in it, and the commands on it. */
function prepare(plain: Frontmatter = { enabled: 'false' }) {
  const id = `test.revisions-${randomUUID().slice(0, 8)}`;
  made.push(id);
  const cwd = writeFolder({ 'activity-definitions/a.md': writeDefinition(id, plain) });
  const options = { cwd, env: envOf(runner) };
  return {
    id,
    cwd,
    file: join(cwd, 'activity-definitions/a.md'),
    write: (changes: Frontmatter) =>
      writeFileSync(join(cwd, 'activity-definitions/a.md'), writeDefinition(id, { ...plain, ...changes })),
    run: (...args: string[]) => runActcore(args, options),
    read: async <Document>(...args: string[]) => (await readActcore<Document>(args, options)).document,
  };
}

interface History {
  chain: { revision: string; text: string; appliedCount: number; diff: string[] }[];
  aside: { revision: string }[];
  fault: string | null;
}

it('history shows the chain from root to tip with what changed, and survives a ring made by hand', async () => {
  const { id, write, run, read } = prepare();
  await run('apply');
  await run('apply');
  write({ title: 'Another title' });
  await run('apply');
  const { exitCode, stdout, stderr } = await run('history', id);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(
    new RegExp(
      [
        `^${id} \\([0-9a-f-]{36}\\)\\n`,
        'revision \\w{12}  contract \\w{12}',
        'applied 2 times, first \\S+Z, last \\S+Z, by tester',
        '  activity-definitions/a.md, \\d+ lines\\n',
        'revision \\w{12}  contract \\w{12}',
        'applied once, first \\S+Z, by tester',
        '  @@ -1,6 \\+1,6 @@',
        '   ---',
        `   id: ${id}`,
        '  -title: A sweep under test',
        '  \\+title: Another title',
      ].join('\\n'),
    ),
  );
  const { chain, fault } = await read<History>('history', id);
  expect(chain.map(({ appliedCount }) => appliedCount)).toEqual([2, 1]);
  expect(fault).toBeNull();
  await runner.history.query('UPDATE actcore.revisions SET parent = $1 WHERE revision = $2', [
    ...[chain[1]?.revision, chain[0]?.revision],
  ]);
  const bent = await run('history', id);
  expect(bent.exitCode).toBe(0);
  expect(bent.stderr).toBe(`the chain is broken before its first revision: ${chain[1]?.revision} is its own ancestor`);
  expect((await read<History>('history', id)).chain).toHaveLength(2);
}, 60_000);

it('journal lists who changed which field, newest first, of one definition, and no more than asked', async () => {
  const { id, write, run, read } = prepare();
  await run('apply');
  write({ budget: '{ max_seconds: 20, hard_timeout: 40s }' });
  await run('apply');
  const { exitCode, stdout } = await run('journal', id, '--since', '1h');
  expect(exitCode).toBe(0);
  const lines = stdout.split('\n');
  expect(lines[0]).toMatch(/^AT \(UTC\) +ACTOR +BY +TYPE +ENTITY +FIELD +CHANGE$/);
  expect(lines[2]).toMatch(new RegExp(`tester +apply +definition +${id} +budget\\.max_seconds +30 -> 20$`));
  expect(lines).toHaveLength(5);
  const { events } = await read<{ events: unknown[] }>('journal', id, '--limit', '1');
  expect(events).toMatchObject([{ entityId: id, field: 'revision', action: 'update', actor: 'tester' }]);
  expect((await run('journal', 'test.nobody')).stdout).toBe('no changes');
}, 60_000);

it('retire pauses with the reason, hides from list, refuses apply, and --unretire brings it back', async () => {
  const { id, cwd, run } = prepare({});
  await vouchFor(runner.history, cwd);
  await run('apply');
  expect(await run('retire', id, '--reason', 'the hub is gone')).toMatchObject({
    ...{ exitCode: 0, stdout: `${id} is retired (the hub is gone)`, stderr: '' },
  });
  const note = 'actcore: retired by tester: the hub is gone';
  expect(await observeSchedule(runner.client, id)).toMatchObject({ paused: true, note });
  expect((await run('retire', id, '--reason', 'again')).stdout).toBe(`${id} was retired before`);
  const listed = await run('list');
  expect(listed.stdout).not.toContain(id);
  expect(listed.stderr).toMatch(/^\d+ retired: actcore list --all$/);
  expect((await run('list', '--all')).stdout).toMatch(new RegExp(`^${id} .* retired `, 'm'));
  for (const command of ['plan', 'apply']) {
    const refused = await run(command);
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toMatch(
      new RegExp(
        `^! refused ${id}( \\(paused\\))?\\n {4}it was retired on 20\\S+ by tester: the hub is gone; .* --unretire\\n1 refused$`,
      ),
    );
  }
  for (const command of ['resume', 'trigger']) {
    const refused = await run(command, id);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain(`${id} is retired: ${note}`);
  }
  expect((await run('history', id)).stdout).toMatch(/^retired 20\S+Z by tester: the hub is gone$/m);
  expect(await run('apply', '--unretire')).toMatchObject({ exitCode: 0 });
  expect(await observeSchedule(runner.client, id)).toMatchObject({ paused: false });
  expect((await run('list')).stdout).toMatch(new RegExp(`^${id} .* on `, 'm'));
  expect((await run('plan')).exitCode).toBe(0);
  expect((await run('journal', id)).stdout.match(/ retired /g)).toHaveLength(2);
}, 90_000);

it('a definition without a schedule is retired in the history; one that nobody knows is refused', async () => {
  const { id, run } = prepare();
  await run('apply');
  await runner.client.schedule.getHandle(id).delete();
  expect(await run('retire', id, '--reason', 'gone')).toMatchObject({ exitCode: 0 });
  expect((await run('apply')).stdout).toContain('! refused');
  const refused = await run('retire', 'test.nobody', '--reason', 'x');
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
  expect(refused.stderr).toMatch(/^error: Neither the server nor the history knows test\.nobody\n/);
}, 60_000);

/** The older and the newer text of a definition that was applied twice. */
async function prepareTwo() {
  const prepared = prepare();
  const older = readFileSync(prepared.file, 'utf8');
  await prepared.run('apply');
  prepared.write({ title: 'Newer' });
  const newer = readFileSync(prepared.file, 'utf8');
  await prepared.run('apply');
  const { chain } = await prepared.read<History>('history', prepared.id);
  const text = () => readFileSync(prepared.file, 'utf8');
  return { ...prepared, older, newer, text, to: chain[0]?.revision.slice(0, 12) ?? '' };
}

it('rollback writes the older file, touches no server, and apply follows it back to the same revision', async () => {
  const { id, run, read, older, text, to } = await prepareTwo();
  const before = (await observeSchedule(runner.client, id))?.order?.revision;
  expect(await run('rollback', id, '--to', to)).toMatchObject({
    ...{ exitCode: 0, stdout: `activity-definitions/a.md is written as it was at ${to}; apply follows it` },
  });
  expect(text()).toBe(older);
  expect((await observeSchedule(runner.client, id))?.order?.revision).toBe(before);
  expect((await run('rollback', id, '--to', to)).stdout).toBe(`activity-definitions/a.md is at ${to}`);
  await run('apply');
  const { chain, aside } = await read<History>('history', id);
  expect(chain).toMatchObject([{ text: older, appliedCount: 2 }]);
  expect(aside).toHaveLength(1);
}, 60_000);

it('rollback leaves what is not committed, unless --force', async () => {
  const { id, cwd, run, older, newer, text, to, write } = await prepareTwo();
  write({ title: 'Never applied' });
  const kept = text();
  const outside = await run('rollback', id, '--to', to);
  expect(outside).toMatchObject({ exitCode: 1, stdout: '' });
  expect(outside.stderr).toMatch(/is in no git repository, and what stands in it was never applied\n/);
  expect(text()).toBe(kept);
  const git = (...args: string[]) => execa('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd });
  await git('init', '-q');
  await git('add', '.');
  await git('commit', '-qm', 'First');
  writeFileSync(join(cwd, 'activity-definitions/a.md'), newer);
  const uncommitted = await run('rollback', id, '--to', to);
  expect(uncommitted).toMatchObject({ exitCode: 1, stdout: '' });
  expect(uncommitted.stderr).toMatch(/a\.md has changes that are not committed\n/);
  expect(text()).toBe(newer);
  expect(await run('rollback', id, '--to', to, '--force')).toMatchObject({ exitCode: 0 });
  expect(text()).toBe(older);
  await git('commit', '-qam', 'Second');
  const { chain } = JSON.parse((await run('history', id, '--json')).stdout) as History;
  expect(await run('rollback', id, '--to', chain.at(-1)?.revision ?? '')).toMatchObject({ exitCode: 0 });
  expect(text()).toBe(newer);
}, 60_000);

it.each([
  [['history', 'test.nobody'], /^error: The history has no definition test\.nobody\n {2}actcore apply records/],
  [['rollback', 'test.nobody', '--to', 'ab'], /^error: The history has no definition test\.nobody\n/],
  [['rollback', 'test.nobody'], /required option '--to <revision>' not specified/],
  [['retire', 'test.nobody'], /required option '--reason <text>' not specified/],
  [['retire', 'test.nobody', '--reason', ' '], /^error: --reason is empty\n/],
])('actcore %j is refused', async (args, says) => {
  const ended = await runActcore(args, { env: envOf(runner) });
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toMatch(says);
});

it('a revision that nobody has, or that is not named far enough, is refused with those there are', async () => {
  const { id, run, to } = await prepareTwo();
  const refused = await run('rollback', id, '--to', 'zzzz');
  expect(refused.stderr).toMatch(new RegExp(`^error: No revision of ${id} begins with zzzz\\n  There are: .*${to}`));
  expect((await run('rollback', id, '--to', '')).exitCode).toBe(1);
}, 60_000);
