import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { findRun, listRuns } from '../../history/queries.ts';
import { openTestHistory } from '../history/support/history.ts';
import type { TestHistory } from '../history/support/history.ts';
import { applyDefinition } from '../outside/support/applied.ts';
import { eventually } from '../support/eventually.ts';
import { actcoreCommand } from '../support/program.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { actcoreEnv, readActcore, runActcore, spawnActcore, startActcore } from './support/actcore.ts';
import { findClosedPort } from './support/dead-ends.ts';

let history: TestHistory;
let env: Record<string, string>;
let spool: string;
let id: string;
let count = 0;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

beforeEach(async () => {
  id = `test.exec-${(count += 1)}`;
  await applyDefinition(history.pool, id, { sources: '{ local-timer: { every: 1s } }' });
  spool = join(makeTempFolder(), 'spool');
  env = { ACTCORE_DATABASE_URL: history.url, ACTCORE_SPOOL_DIR: spool };
});

const execArgs = (...rest: string[]) => ['exec', '--definition', id, '--source', 'local-timer', ...rest];
const exec = (...rest: string[]) => spawnActcore(execArgs(...rest), { env });
const listSpool = () => (existsSync(spool) ? readdirSync(spool).filter((name) => name.endsWith('.json')) : []);
const waiting = () => listSpool().filter((name) => !name.startsWith('.'));
const listOwn = () => listRuns(history.pool, { definitionId: id, limit: 99 });

it.each([
  ['its own', ['--', 'sh', '-c', 'exit 7'], 7, ''],
  ['124 after its time', ['--timeout', '1s', '--kill-after', '1s', '--', 'sleep', '30'], 124, ''],
  ['127 where it is not found', ['--', 'no-such-command'], 127, 'actcore exec: no-such-command: command not found'],
  ['126 where it cannot be executed', ['--', '/etc/passwd'], 126, /^actcore exec: \/etc\/passwd: permission denied/],
])('the exit code of a command is %s, and there is a row', async (_, args, exitCode, stderr) => {
  const ended = await exec(...args);
  expect(ended).toMatchObject({ exitCode, stdout: '' });
  expect(ended.stderr).toMatch(stderr);
  const [row] = await listOwn();
  expect(row).toMatchObject({ outcome: exitCode === 124 ? 'timed_out' : 'automation_error', actor: 'tester' });
  expect(waiting()).toEqual([]);
});

it.each([
  ['no source', ['exec', '--definition', 'a.b', '--', 'true'], "required option '--source <name>' not specified"],
  [
    'our own source',
    ['exec', '--definition', 'a.b', '--source', 'activity-core', '--', 'true'],
    'records its runs itself',
  ],
  ['no command', ['exec', '--definition', 'a.b', '--source', 'x'], "missing required argument 'command'"],
])('called with %s it runs nothing and exits with 125', async (_, args, message) => {
  const ended = await spawnActcore(args, { env });
  expect(ended.exitCode).toBe(125);
  expect(ended.stderr).toContain(message);
});

it('options of the command are its own, and stdin, stdout and stderr pass through', async () => {
  const child = startActcore(execArgs('--', 'sh', '-c', 'cat; echo "$1" >&2', '--', '--json'), { env });
  child.stdin.end('a\0b\n');
  expect(await child).toMatchObject({ exitCode: 0, stdout: 'a\0b', stderr: '--json' });
});

it('what is not captured prints by itself, and nothing of it is kept', async () => {
  const ended = await exec('--no-capture', '--', 'sh', '-c', 'echo one; echo two >&2; exit 3');
  expect(ended).toMatchObject({ exitCode: 3, stdout: 'one', stderr: 'two' });
  const [row] = await listOwn();
  expect(row).toMatchObject({ outcome: 'automation_error', reason: 'sh exited with 3' });
  expect((await findRun(history.pool, row?.id ?? ''))?.response).toBe('{"exit_code":3,"signal":null}');
});

it('a reader that goes away ends the command as it would without us', async () => {
  const [node, main] = actcoreCommand;
  const pipe = `"$@" | head -n 1; echo "$?"`;
  const command = [node, main, ...execArgs('--', 'sh', '-c', 'yes; echo $? >&2')];
  const { stdout } = await execa('sh', ['-c', pipe, '--', ...command], {
    env: actcoreEnv(env),
    extendEnv: false,
    timeout: 45_000,
  });
  expect(stdout).toBe('y\n0');
  expect(await listOwn()).toHaveLength(1);
});

it('exec ends by the signal that ended its command, which it was sent', async () => {
  const child = startActcore(execArgs('--', 'sh', '-c', 'echo ready; exec sleep 30'), { env });
  await eventually(async () => (await listOwn())[0]?.certainty === 'running');
  child.kill('SIGTERM');
  expect(await child).toMatchObject({ signal: 'SIGTERM', stdout: 'ready' });
  expect(await listOwn()).toMatchObject([
    { outcome: 'cancelled', reason: 'somebody stopped it by SIGTERM; sh was ended by SIGTERM' },
  ]);
});

it('SIGUSR1 reaches the command, which goes on', async () => {
  const script = `trap 'echo heard; exit 5' USR1; echo ready; while :; do sleep 0.1; done`;
  const child = startActcore(execArgs('--', 'sh', '-c', script), { env });
  await eventually(async () => (await listOwn())[0]?.certainty === 'running');
  child.kill('SIGUSR1');
  expect(await child).toMatchObject({ exitCode: 5, stdout: 'ready\nheard' });
});

it('an exec that was killed leaves its lock with its command, and an error that a flush finds', async () => {
  const pidFile = join(makeTempFolder(), 'pid');
  const child = startActcore(execArgs('--', 'sh', '-c', `echo $$ > ${pidFile}; exec sleep 60`), { env });
  await eventually(async () => (await listOwn())[0]?.certainty === 'running');
  child.kill('SIGKILL');
  await child;
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const [begun] = await listOwn();
  // A tick of its own for the second one.
  await eventually(async () => Date.now() > Date.parse(begun?.scheduledAt ?? '') + 1_500);
  const second = await exec('--lock-exit-code', '75', '--', 'echo', 'must not run');
  expect(second).toMatchObject({ exitCode: 75, stdout: '' });
  expect(second.stderr).toMatch(
    new RegExp(`^actcore exec: not run: another run of it is at work since \\S+ \\(pid ${pid}\\)$`),
  );
  expect(new Set((await listOwn()).map(({ outcome }) => outcome))).toEqual(new Set([null, 'lock_skipped']));
  process.kill(pid);
  const flushed = await eventually(async () => {
    const ended = await runActcore(['flush'], { env });
    return ended.stdout.includes('1 delivered, 1 of them without an end') && ended;
  });
  expect(flushed.exitCode).toBe(0);
  const rows = await listOwn();
  expect(rows.map(({ outcome, certainty }) => `${outcome} ${certainty}`).sort()).toEqual([
    'automation_error inferred',
    'lock_skipped witnessed',
  ]);
  expect(rows.find(({ certainty }) => certainty === 'inferred')?.reason).toContain(
    `exec (pid ${child.pid}) was killed`,
  );
});

it('killed at any moment it leaves whole reports, of which each is told', async () => {
  for (const delayMs of [0, 10, 40, 90, 200]) {
    const before = listSpool().length;
    const [node, ...rest] = actcoreCommand;
    const child = spawn(node, [...rest, ...execArgs('--no-lock', '--', 'sh', '-c', 'head -c 50000 /dev/zero')], {
      ...{ env: actcoreEnv(env), stdio: 'ignore' },
    });
    const exited = once(child, 'exit');
    await Promise.race([exited, eventually(async () => listSpool().length > before, { everyMs: 2 })]);
    const timer = setTimeout(() => child.kill('SIGKILL'), delayMs);
    await exited;
    clearTimeout(timer);
  }
  await eventually(async () => {
    const { stdout, stderr } = await runActcore(['flush'], { env });
    expect(stderr).toBe('');
    return !stdout.includes('at work');
  });
  expect(waiting()).toEqual([]);
  for (const row of await listOwn()) expect(row.outcome).not.toBeNull();
});

it('under a limit to the size of files the command ends as it does, and its run is told', async () => {
  const { port } = await findClosedPort();
  const away = { ...env, ACTCORE_DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/x` };
  const [node, main] = actcoreCommand;
  const command = [node, main, ...execArgs('--', 'sh', '-c', 'head -c 60000 /dev/zero | tr "\\0" x; exit 3')];
  const ended = await execa('bash', ['-c', 'ulimit -f 8; exec "$@"', '--', ...command], {
    ...{ env: actcoreEnv(away), extendEnv: false, reject: false, timeout: 45_000 },
  });
  expect(ended).toMatchObject({ exitCode: 3, stdout: 'x'.repeat(60_000) });
  expect(ended.stderr).toBe(`actcore exec: the history is away; it waits in ${spool}`);
  expect(await runActcore(['flush'], { env })).toMatchObject({ exitCode: 0, stdout: '1 delivered' });
  expect(await listOwn()).toMatchObject([{ reason: 'sh exited with 3', flags: ['spooled'] }]);
});

it('a definition that is not applied yet is run, with what was probably meant, and told of once it is', async () => {
  const mistyped = `${id}x`;
  const args = ['exec', '--definition', mistyped, '--source', 'local-timer', '--', 'echo', 'ran'];
  const ended = await spawnActcore(args, { env });
  expect(ended).toMatchObject({ exitCode: 0, stdout: 'ran' });
  expect(ended.stderr).toBe(
    `actcore exec: the history knows no definition ${mistyped} (did you mean \`${id}\`?); it waits in ${spool}`,
  );
  const kept = await runActcore(['flush'], { env });
  expect(kept).toMatchObject({ exitCode: 1, stdout: '0 delivered' });
  expect(kept.stderr).toContain(`1 of ${mistyped}, which the history does not know`);
  const strict = await spawnActcore([...args.slice(0, 5), '--strict', ...args.slice(5)], { env });
  expect(strict).toMatchObject({ exitCode: 125, stdout: '' });
  expect(strict.stderr).toContain('it was not run: the history knows no definition');
  await applyDefinition(history.pool, mistyped, {});
  expect(await runActcore(['flush'], { env })).toMatchObject({ exitCode: 0, stdout: '1 delivered' });
  expect(await listRuns(history.pool, { definitionId: mistyped, limit: 9 })).toMatchObject([
    { outcome: 'completed', flags: ['between_ticks', 'spooled'] },
  ]);
});

it('a history that never was there costs no start, and one line', async () => {
  const bare = { ACTCORE_SPOOL_DIR: spool };
  const ended = await spawnActcore(execArgs('--', 'echo', 'ran'), { env: bare });
  expect(ended).toMatchObject({ exitCode: 0, stdout: 'ran' });
  expect(ended.stderr).toBe(`actcore exec: no history is configured, set ACTCORE_DATABASE_URL; it waits in ${spool}`);
  mkdirSync(join(spool, 'in-the-way'));
  expect(await exec('--', 'true')).toMatchObject({ exitCode: 0, stderr: '' });
  // One row or two: both may have begun within the same second.
  expect((await listOwn()).some(({ flags }) => flags.includes('spooled'))).toBe(true);
  expect(waiting()).toEqual([]);
});

it('a spool that cannot be made is said, and the run is in the history all the same', async () => {
  const file = join(makeTempFolder(), 'file');
  writeFileSync(file, '');
  const blocked = { ...env, ACTCORE_SPOOL_DIR: join(file, 'spool') };
  const ended = await spawnActcore(execArgs('--', 'echo', 'ran'), { env: blocked });
  expect(ended).toMatchObject({ exitCode: 0, stdout: 'ran' });
  expect(ended.stderr).toMatch(/^actcore exec: the spool \S+ cannot be made: ENOTDIR[^\n]*$/);
  expect(await listOwn()).toMatchObject([{ outcome: 'completed' }]);
});

it('actcore run shows what was odd, and runs and the JSON have it too', async () => {
  await spawnActcore(['exec', '--definition', id, '--source', 'laptop', '--', 'echo', 'ran'], { env });
  const [row] = await listOwn();
  const shown = await runActcore(['run', row?.id ?? ''], { env });
  expect(shown.stdout).toMatch(/^flags +between_ticks \(no tick of its source is near its start\)$/m);
  expect((await runActcore(['runs', id], { env })).stdout).toContain('completed between_ticks');
  const { document } = await readActcore<{ flags: string[]; response: string }>(['run', row?.id ?? ''], { env });
  expect(document.flags).toEqual(['between_ticks']);
  expect(JSON.parse(document.response)).toMatchObject({ exit_code: 0, stdout: 'ran\n' });
});

it('what is recorded afterwards is a row of the tick near its start, told of once under its name', async () => {
  const record = (...args: string[]) =>
    readActcore<{ runId: string; flags: string[]; outcome: string }>(
      ['record', '--definition', id, '--source', 'local-timer', ...args],
      { env },
    );
  const name = '0b2f7a34-5a51-4a35-8a2c-3f3f7a7b1a10';
  const args = [
    '--exit-code',
    '0',
    '--started-at',
    '2026-03-01T10:00:00.2Z',
    '--finished-at',
    '2026-03-01T11:00:05+01:00',
  ];
  const failure = ['--assessment-failure', 'repo:C-05:it differs: by a lot'];
  const first = await record(...args, ...failure, '--reporter-id', name);
  expect(first).toMatchObject({ exitCode: 0, document: { recorded: true, outcome: 'completed', flags: [] } });
  expect((await record(...args, ...failure, '--reporter-id', name)).document.flags).toEqual([]);
  expect((await record(...args, '--message', 'again')).document).toMatchObject({ isOwn: false, flags: ['repeated'] });
  expect(await findRun(history.pool, first.document.runId)).toMatchObject({
    ...{ scheduledAt: '2026-03-01T10:00:00.000Z', finishedAt: '2026-03-01T10:00:05.000Z', assessment: 'failed' },
    ...{ reason: 'local-timer reported completed with the exit code 0', flags: ['repeated'] },
    assessmentFailures: [{ target: 'repo', rule: 'C-05', message: 'it differs: by a lot' }],
  });
});

it('what is recorded holds no secret of its definition, wherever in it that stands', async () => {
  await applyDefinition(history.pool, `${id}-kept`, { secrets: '[TARGET_TOKEN, HUB_WORD]' });
  const args = ['--message', 'login as hunter-2 failed', '--assessment-failure', 'box/hunter-2:R-hunter-2:by hunter-2'];
  const { document } = await readActcore<{ runId: string }>(
    ['record', '--definition', `${id}-kept`, '--source', 'box', '--exit-code', '1', ...args],
    { env: { ...env, HUB_WORD: 'hunter-2' } },
  );
  const row = await findRun(history.pool, document.runId);
  expect(row?.reason).toBe('login as [redacted HUB_WORD] failed');
  expect(JSON.stringify(row)).not.toContain('hunter-2');
});

it('a run of the future is refused, and one of nobody under strict rules', async () => {
  const record = ['record', '--source', 'local-timer', '--exit-code', '0'];
  const future = ['--definition', id, '--started-at', '2996-03-01T10:00:00Z'];
  const strict = ['--definition', 'test.nobody', '--strict'];
  const [early, unknown, unread] = await Promise.all([
    runActcore([...record, ...future], { env }),
    runActcore([...record, ...strict], { env }),
    runActcore([...record, '--definition', id, '--exit-code', 'abc'], { env }),
  ]);
  expect(early.exitCode).toBe(1);
  expect(early.stderr).toMatch(/^error: The run is started at 2996-03-01T10:00:00\.000Z, \d+ s from now/);
  expect(unknown.exitCode).toBe(1);
  expect(unknown.stderr).toContain('knows no definition test.nobody');
  expect(unread).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^error: --exit-code: expected an exit code from 0 to 255$/m) as string,
  });
  expect(waiting()).toEqual([]);
});

it('a run can be told as JSON, and waits while the history is away', async () => {
  const { port } = await findClosedPort();
  const away = { ...env, ACTCORE_DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/x` };
  const child = startActcore(['record', '--definition', id, '--source', 'local-timer', '--from', '-', '--json'], {
    env: away,
  });
  child.stdin.end(JSON.stringify({ outcome: 'timed_out', startedAt: '2026-03-01T10:00:00Z', message: 'too slow' }));
  const ended = await child;
  expect(ended).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(ended.stdout)).toEqual({ recorded: false, kept: true, missing: 'away' });
  expect(await runActcore(['flush'], { env })).toMatchObject({ exitCode: 0, stdout: '1 delivered' });
  expect(await listOwn()).toMatchObject([{ outcome: 'timed_out', reason: 'too slow', flags: ['spooled'] }]);
});
