import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { writeSheet } from '../../examples/state-hub/demo-repos.ts';
import type { SweepReport } from '../../examples/state-hub/report.ts';
import { listRules, postSweep, startSilentRemote, startTestHub, type TestHub } from './support/hub.ts';
import { startTestPostgres, type TestPostgres } from './support/postgres.ts';

const main = join(import.meta.dirname, '../../examples/state-hub/main.ts');

let postgres: TestPostgres;
let harness: TestHub;
let silent: Awaited<ReturnType<typeof startSilentRemote>>;
let children: { kill(signal: NodeJS.Signals): boolean }[];

beforeAll(async () => {
  postgres = startTestPostgres();
}, 60_000);
afterAll(() => postgres?.stop());
beforeEach(async () => {
  children = [];
  harness = await startTestHub(await postgres.createDatabase());
  silent = await startSilentRemote();
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await silent?.close();
  await harness?.close();
});

function runMain(env: Record<string, string>) {
  // `node --import tsx` is one process, so that a signal reaches the service itself.
  const child = execa(process.execPath, ['--import', 'tsx', main], { env, reject: false });
  children.push(child);
  return child;
}

async function startMain(env: Record<string, string>) {
  const child = runMain({ STATE_HUB_PORT: '0', STATE_HUB_DATABASE_URL: harness.databaseUrl, ...env });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      const listening = /listens at (\S+)/.exec(chunk.toString())?.[1];
      if (listening !== undefined) resolve(listening);
    });
    void child.then(({ stderr }) => reject(new Error(`no start: ${stderr}`)));
  });
  return { child, url };
}

async function addStuckRepo(): Promise<void> {
  const stuck = await harness.addRepo('stuck', {
    'workplans/a.md': writeSheet({ id: 'WP-1', title: 'One', status: 'active' }),
  });
  await stuck.git('remote', 'set-url', 'origin', silent.url);
}

test('a process killed while it holds the lock leaves nothing in the way of the next sweep', async () => {
  await addStuckRepo();
  const { child, url } = await startMain({});
  const first = postSweep(url, { run_id: 'killed' }).catch(() => 'gone');
  await silent.connected;
  expect((await harness.sweep({ run_id: 'meanwhile' })).holder).toMatchObject({ run_id: 'killed' });
  child.kill('SIGKILL');
  expect(await first).toBe('gone');
  await sleep(300);
  const next = await harness.sweep({ max_seconds: 1, run_id: 'next' });
  expect(next).toMatchObject({ status: 'completed', not_reached: ['stuck'], exit_code: 0 });
}, 30_000);

test('of two processes on one database only one sweeps at a time', async () => {
  await harness.addRepo('r', { 'workplans/a.md': writeSheet({ id: 'WP-1', title: 'One', status: 'active' }) });
  await addStuckRepo();
  const other = await startMain({});
  const sweeps = [harness.hub.url, other.url].map(async (url, index) =>
    (await postSweep(url, { max_seconds: 4, run_id: `run-${index}` })).json(),
  );
  const reports = (await Promise.all(sweeps)) as SweepReport[];
  expect(reports.map(({ status }) => status).sort()).toEqual(['completed', 'lock_skipped']);
  const winner = reports.find(({ status }) => status === 'completed');
  const loser = reports.find(({ status }) => status === 'lock_skipped');
  expect(loser?.holder?.run_id).toBe(winner?.run_id);
}, 30_000);

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s in the middle of a sweep ends the process in 5 s with 0',
  async (signal) => {
    await addStuckRepo();
    const { child, url } = await startMain({});
    const first = postSweep(url).then(async (response) => (await response.json()) as SweepReport);
    await silent.connected;
    const begunAt = performance.now();
    child.kill(signal);
    expect((await first).automation_error).toBe('the State Hub is being stopped');
    const { exitCode } = await child;
    expect(performance.now() - begunAt).toBeLessThan(5000);
    expect(exitCode).toBe(0);
  },
  30_000,
);

test('the demo is made, registered and swept by the process itself', async () => {
  const dir = join(harness.reposDir, 'demo');
  const { child, url } = await startMain({ STATE_HUB_DIR: dir, STATE_HUB_DEMO: '1', STATE_HUB_TOKEN: 't' });
  expect((await postSweep(url)).status).toBe(401);
  const response = await postSweep(url, {}, { headers: { authorization: 'Bearer t' } });
  expect(listRules((await response.json()) as SweepReport)).toContain('ember C-16');
  child.kill('SIGTERM');
  expect((await child).exitCode).toBe(0);
}, 30_000);

test.each([
  ['no database URL', {}, 'STATE_HUB_DATABASE_URL'],
  ['a port that is none', { STATE_HUB_DATABASE_URL: 'x', STATE_HUB_PORT: '99999' }, 'STATE_HUB_PORT'],
  [
    'a database that is not there',
    { STATE_HUB_DATABASE_URL: 'postgres://u:hidden@127.0.0.1:1/x' },
    'ECONNREFUSED 127.0.0.1:1',
  ],
])(
  'a start with %s says so in one sentence and exits with 1',
  async (_name, env, said) => {
    const { exitCode, stderr } = await runMain(env);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(said);
    expect(stderr.split('\n')).toHaveLength(1);
    expect(stderr).not.toContain('hidden');
  },
  15_000,
);
