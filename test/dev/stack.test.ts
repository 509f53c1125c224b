import { createServer, type Server } from 'node:net';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { identifyProcess } from '../../dev/process-identity.ts';
import { startStack, type Stack, type StackOptions } from '../../dev/stack.ts';
import { locateStateDir, readRunningStack } from '../../dev/state.ts';
import { findProcesses, listens, writeScript } from '../support/probe.ts';
import { runScript } from '../support/script.ts';
import { addressesOf, clearedEnv, startElsewhere } from '../support/stack-process.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { slackMs } from '../support/slack.ts';

const stacks: Stack[] = [];
const outside = {
  TEMPORAL_ADDRESS: 'temporal.example:7233',
  ACTCORE_DATABASE_URL: 'postgres://app@db.example/history',
};

async function start(stateDir: string, options: Partial<StackOptions> = {}): Promise<Stack> {
  const stack = await startStack({ stateDir, env: clearedEnv(), ports: 'any', fast: true, ...options });
  stacks.push(stack);
  return stack;
}

afterEach(async () => {
  await Promise.all(stacks.splice(0).map((stack) => stack.stop()));
});

async function portsOf(stack: Stack): Promise<boolean[]> {
  const urls = [`tcp://${stack.temporalAddress}`, stack.uiUrl ?? '', stack.databaseUrl];
  return Promise.all(urls.map((url) => listens(Number(new URL(url).port))));
}

it('starts both servers, says where they are, and stops within 10 s without a process or port left', async () => {
  const stateDir = makeTempFolder();
  const stack = await start(stateDir);
  expect(await portsOf(stack)).toEqual([true, true, true]);
  const running = readRunningStack(stateDir);
  expect(running).toMatchObject({ pid: process.pid, uiUrl: stack.uiUrl, temporalAddress: stack.temporalAddress });
  expect(running?.servers.map(({ name }) => name).toSorted()).toEqual(['postgres', 'temporal']);
  expect(statSync(join(stateDir, 'stack.json')).mode & 0o777).toBe(0o600);
  const stoppingAt = Date.now();
  await Promise.all([stack.stop(), stack.stop()]);
  await stack.stop();
  expect(Date.now() - stoppingAt).toBeLessThan(10_000 + slackMs);
  expect(await portsOf(stack)).toEqual([false, false, false]);
  expect(findProcesses(stateDir)).toEqual([]);
  expect(readRunningStack(stateDir)).toBeUndefined();
  expect(existsSync(join(stateDir, 'stack.lock'))).toBe(false);
});

it('keeps its folder out of git, wherever that is', async () => {
  const stateDir = makeTempFolder();
  await start(stateDir, { env: outside });
  expect(readFileSync(join(stateDir, '.gitignore'), 'utf8')).toBe('*\n');
  expect(locateStateDir({}, '/checkout')).toBe('/checkout/.actcore');
  expect(locateStateDir({ ACTCORE_STATE_DIR: '/var/x' }, '/checkout')).toBe('/var/x');
});

it('starts nothing that the environment names', async () => {
  const stateDir = makeTempFolder();
  const stack = await start(stateDir, { env: { ...outside, ACTCORE_TEMPORAL_UI_URL: 'https://ui.example' } });
  expect(stack).toMatchObject({
    temporalAddress: outside.TEMPORAL_ADDRESS,
    databaseUrl: outside.ACTCORE_DATABASE_URL,
    uiUrl: 'https://ui.example',
    temporalNamespace: 'default',
    embedded: {},
  });
  expect(readFileSync(join(stateDir, 'stack.json'), 'utf8')).not.toContain('db.example');
});

it('refuses a second start on the same folder, naming pid, since when and the UI', async () => {
  const stateDir = makeTempFolder();
  const first = startElsewhere(stateDir);
  const { uiUrl } = await addressesOf(first);
  const { since } = readRunningStack(stateDir)!;
  await expect(start(stateDir)).rejects.toMatchObject({
    name: 'StackProblem',
    message: `A stack already runs on ${stateDir}: process ${first.child.pid}, since ${since}, Temporal UI at ${uiUrl}.`,
  });
  first.child.kill('SIGTERM');
  await first.finished;
  await expect.poll(() => findProcesses(stateDir), { timeout: 8_000 }).toEqual([]);
});

it('runs beside another stack, on the next free ports when the usual ones are taken', async () => {
  const blockers = await Promise.all([7233, 8233, 5434].map(occupyPort));
  const messages: string[] = [];
  const options: Partial<StackOptions> = { ports: 'usual', onProgress: (line) => messages.push(line) };
  const [one, two] = await Promise.all([start(makeTempFolder(), options), start(makeTempFolder(), options)]);
  const ports = [one, two].flatMap((stack) => [stack.temporalAddress, new URL(stack.databaseUrl).host]);
  expect(new Set(ports).size).toBe(4);
  expect(ports).not.toContain('127.0.0.1:7233');
  expect(await Promise.all([portsOf(one), portsOf(two)])).toEqual([
    [true, true, true],
    [true, true, true],
  ]);
  expect(messages.join('\n')).toMatch(/port 7233 is taken, using 72\d\d/);
  for (const blocker of blockers) blocker?.close();
});

describe('after a kill -9', () => {
  it('the next start ends just the servers that were left and keeps their data', async () => {
    const stateDir = makeTempFolder();
    const bystander = await start(makeTempFolder(), {});
    const killed = startElsewhere(stateDir);
    const left = await addressesOf(killed);
    const client = new pg.Client({ connectionString: left.databaseUrl });
    client.on('error', () => {});
    await client.connect();
    await client.query('CREATE TABLE kept AS SELECT 7 AS number');
    killed.child.kill('SIGKILL');
    await killed.finished;
    const pids = (JSON.parse(readFileSync(join(stateDir, 'stack.json'), 'utf8')) as { servers: { pid: number }[] })
      .servers;
    expect(pids.map(({ pid }) => identifyProcess(pid)?.pid)).toEqual(pids.map(({ pid }) => pid));
    const messages: string[] = [];
    const next = await start(stateDir, { onProgress: (line) => messages.push(line) });
    expect(messages.filter((line) => line.includes('that an earlier run left'))).toHaveLength(2);
    expect(pids.map(({ pid }) => identifyProcess(pid))).toEqual([undefined, undefined]);
    const again = new pg.Client({ connectionString: next.databaseUrl });
    await again.connect();
    expect((await again.query('SELECT number FROM kept')).rows).toEqual([{ number: 7 }]);
    await again.end();
    await client.end().catch(() => {});
    expect(await portsOf(bystander)).toEqual([true, true, true]);
  }, 150_000);

  it('a process that has got the pid of a left server since is not touched', async () => {
    const stateDir = makeTempFolder();
    const victim = runScript('setInterval(() => {}, 1000);');
    const server = { name: 'temporal', port: 1, pid: victim.child.pid, startToken: 'an earlier process' };
    writeFileSync(
      join(stateDir, 'stack.json'),
      JSON.stringify({ pid: 1, startToken: 'x', since: '', servers: [server] }),
    );
    await start(stateDir, { env: outside });
    expect(victim.child.exitCode ?? victim.child.signalCode).toBeNull();
    victim.child.kill('SIGKILL');
    await victim.finished;
  });
});

describe('a start that fails', () => {
  it('ends the server that was up, frees the folder and says why', async () => {
    const stateDir = makeTempFolder();
    const bin = makeTempFolder();
    const flags = '--db-filename --sqlite-pragma --dynamic-config-value --search-attribute --ui-port';
    const body = `case "$*" in --version|*--help) echo "${flags}";; *) sleep 1; echo "disk on fire" >&2; exit 1;; esac`;
    writeScript(join(bin, 'temporal'), body);
    const env = { ...clearedEnv(), PATH: `${bin}:${process.env['PATH']}` };
    await expect(start(stateDir, { env })).rejects.toThrow(/Temporal dev server ended[\s\S]*disk on fire/);
    expect(findProcesses(stateDir)).toEqual([]);
    expect(existsSync(join(stateDir, 'stack.lock'))).toBe(false);
  });

  it('is one that was aborted, too', async () => {
    const stateDir = makeTempFolder();
    const aborter = new AbortController();
    const starting = start(stateDir, { signal: aborter.signal });
    setTimeout(() => aborter.abort(new Error('interrupted')), 250);
    await expect(starting).rejects.toThrow('interrupted');
    expect(findProcesses(stateDir)).toEqual([]);
  });

  it('names a state folder that cannot be used', async () => {
    const file = join(makeTempFolder(), 'file');
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    await expect(start(join(file, 'state'))).rejects.toMatchObject({ name: 'StackProblem' });
  });
});

function occupyPort(port: number): Promise<Server | undefined> {
  const blocker = createServer();
  return new Promise((resolve) => {
    blocker.once('error', () => resolve(undefined));
    blocker.listen(port, '127.0.0.1', () => resolve(blocker));
  });
}
