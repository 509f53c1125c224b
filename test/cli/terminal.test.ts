import { randomUUID } from 'node:crypto';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeDefinition } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { healthy, sendJson } from '../support/target.ts';
import { actcoreCommand } from '../support/program.ts';
import { actcoreEnv, envOf, runActcore, writeFolder } from './support/actcore.ts';

// oxlint-disable-next-line no-control-regex
const colour = /\u001b\[\d+m/;
const command = actcoreCommand.map((word) => `'${word}'`).join(' ');
const id = `test.terminal-${randomUUID().slice(0, 8)}`;
const folder = writeFolder({ 'activity-definitions/a.md': writeDefinition(id), 'bad.md': 'nothing' });
const message = 'word '.repeat(40).trim();

let runner: Runner;
let runId: string;

beforeAll(async () => {
  runner = await startRunner();
  await runner.startWorker();
  runner.target.answer = (_, response) =>
    sendJson(response, { ...healthy, assessment_failures: [{ target: 'repo', rule: 'C-07', message }] });
  await runActcore(['canary', id], { cwd: folder, env: envOf(runner) });
  runId = (await runner.runsOf(id))[0]?.id ?? '';
}, 60_000);
afterAll(() => runner.close());

/** Runs a shell line with the program in \`$ACTCORE\`. */
function runShell(line: string, env: Record<string, string> = {}) {
  const all = { ...actcoreEnv({ ...envOf(runner), TERM: 'xterm', ...env }), ACTCORE: command };
  return execa('bash', ['-c', line], { cwd: folder, env: all, extendEnv: false, reject: false, timeout: 50_000 });
}

/** The same on a terminal of that width; what it shows is on stdout. */
function runOnTerminal(
  args: string,
  { columns = 80, env = {} }: { columns?: number; env?: Record<string, string> } = {},
) {
  return runShell(`script -qec "stty cols ${columns}; ${command} ${args}" /dev/null`, env);
}

it('no colour where neither stream is a terminal', async () => {
  for (const args of [['runs'], ['lint', 'bad.md'], ['list', '--jsn']]) {
    const { stdout, stderr } = await runActcore(args, { cwd: folder, env: { ...envOf(runner), CI: '1' } });
    expect(stdout + stderr).not.toMatch(colour);
    expect((stdout + stderr).length).toBeGreaterThan(10);
  }
});

it('FORCE_COLOR gives colour on both streams without a terminal, and never inside of --json', async () => {
  const env = { ...envOf(runner), FORCE_COLOR: '1' };
  expect((await runActcore(['runs'], { env })).stdout).toMatch(colour);
  expect((await runActcore(['lint', 'bad.md'], { cwd: folder, env })).stderr).toMatch(colour);
  expect((await runActcore(['runs', '--json'], { env })).stdout).not.toMatch(colour);
});

it('a terminal gets colour, unless NO_COLOR, TERM=dumb or FORCE_COLOR=0 say otherwise', async () => {
  expect((await runOnTerminal('runs')).stdout).toMatch(colour);
  const refusals: Record<string, string>[] = [
    { NO_COLOR: '1' },
    { NO_COLOR: '1', FORCE_COLOR: '1' },
    { TERM: 'dumb' },
    { FORCE_COLOR: '0' },
  ];
  for (const env of refusals) {
    expect((await runOnTerminal('runs', { env })).stdout).not.toMatch(colour);
  }
}, 60_000);

it('stderr that is a file gets no colour though stdout is a terminal', async () => {
  const { stdout } = await runShell(`script -qec "${command} lint bad.md 2>err.txt" /dev/null; cat err.txt`);
  expect(stdout).toContain('bad.md:1:1');
  expect(stdout).not.toMatch(colour);
});

it('a long message is wrapped to the terminal, and whole in a pipe', async () => {
  const narrow = (await runOnTerminal(`run ${runId}`, { columns: 60, env: { NO_COLOR: '1' } })).stdout;
  const lines = narrow.replaceAll('\r', '').split('\n');
  const wrapped = lines.filter((line) => line.includes('word word'));
  expect(wrapped.length).toBeGreaterThan(3);
  for (const line of wrapped) expect(line.length).toBeLessThanOrEqual(60);
  expect((await runActcore(['run', runId], { env: envOf(runner) })).stdout).toContain(message);
});

it('the help has one width, whatever the terminal', async () => {
  const wide = await runOnTerminal('canary --help', { columns: 200 });
  const narrow = await runOnTerminal('canary --help', { columns: 40 });
  expect(wide.stdout).toBe(narrow.stdout);
});

it.each(['runs', 'list', '--help', 'lint activity-definitions'])('%s | head -1 is no error', async (args) => {
  const { stdout, stderr, exitCode } = await runShell(`set -o pipefail; eval "$ACTCORE ${args}" | head -n 1`);
  // Other tests may have retired something on this server.
  expect(stderr).toMatch(/^(\d+ retired: actcore list --all)?$/);
  expect(stdout.split('\n')).toHaveLength(1);
  expect(exitCode).toBe(0);
});

it('a reader that is gone before the first line, on either stream, is no error of ours', async () => {
  const { stdout } = await runShell(
    `(eval "$ACTCORE runs" ; echo "code $?" >&2) 2>&1 >/dev/full | cat; (eval "$ACTCORE runs"; echo "code $?" >&2) 2>&1 1> >(exec 0<&-; sleep 0) | cat`,
  );
  const [full, code, ...rest] = stdout.split('\n');
  expect(full).toMatch(/^error: what was asked for cannot be written: .*ENOSPC/);
  expect(code).toBe('code 1');
  expect(rest.join('\n')).toBe('code 0');
});

it.runIf(process.platform === 'linux' && process.getuid?.() === 0)('an account without a name can use it', async () => {
  const env = actcoreEnv(envOf(runner));
  delete env['ACTCORE_ACTOR'];
  const [node, ...rest] = actcoreCommand;
  const program = [node, ...rest, 'runs'];
  // Without a capability to pass closed folders the account could not enter a checkout that only root may read.
  const capabilities = [
    '--inh-caps=-all,+dac_override,+dac_read_search',
    '--ambient-caps=-all,+dac_override,+dac_read_search',
  ];
  const account = [
    'setpriv',
    '--reuid=54321',
    '--regid=54321',
    '--clear-groups',
    '--securebits=+no_setuid_fixup',
    ...capabilities,
  ];
  const [file = '', ...args] = [...account, '--', ...program];
  const { exitCode, stderr, stdout } = await execa(file, args, { cwd: '/', env, extendEnv: false, reject: false });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain(id);
});
