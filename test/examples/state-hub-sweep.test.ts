import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { writeSheet } from '../../examples/state-hub/demo-repos.ts';
import { openPool } from '../../examples/state-hub/server.ts';
import { ensureSchema } from '../../examples/state-hub/schema.ts';
import type { SweepReport } from '../../examples/state-hub/report.ts';
import { listRules, postSweep, startSilentRemote, startTestHub, type TestHub } from './support/hub.ts';
import { startTestPostgres, type TestPostgres } from './support/postgres.ts';

const file = 'workplans/a.md';
const sheet = (id: string): string => writeSheet({ id, title: 'One', status: 'active' });

/** The view shows the locks of all databases, and other test files sweep in theirs on the same server. */
const fromOwnLocks = `from pg_locks where locktype = 'advisory'
  and database = (select oid from pg_database where datname = current_database())`;

let postgres: TestPostgres;
let harness: TestHub;
let silent: Awaited<ReturnType<typeof startSilentRemote>>;

beforeAll(async () => {
  postgres = startTestPostgres();
}, 60_000);
afterAll(() => postgres?.stop());
beforeEach(async () => {
  harness = await startTestHub(await postgres.createDatabase());
  silent = await startSilentRemote();
});
afterEach(async () => {
  await silent?.close();
  await harness?.close();
});

/** Three repos; the one in the middle has a remote that never answers. */
async function addReposWithOneStuck(): Promise<void> {
  await harness.addRepo('a', { [file]: sheet('WP-1') });
  const stuck = await harness.addRepo('b', { [file]: sheet('WP-2') });
  await stuck.git('remote', 'set-url', 'origin', silent.url);
  await harness.addRepo('c', { [file]: sheet('WP-3') });
}

/** False for a zombie too: where nothing reaps orphans, an ended process goes on having an id. */
async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await execa('ps', ['-o', 'stat=', '-p', String(pid)], { reject: false });
  return stdout !== '' && !stdout.startsWith('Z');
}

async function readEvents(): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${harness.hub.url}/progress`);
  const { events } = (await response.json()) as { events: { detail: Record<string, unknown> }[] };
  return events.map(({ detail }) => detail);
}

async function waitForEvent(): Promise<Record<string, unknown>> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const [latest] = await readEvents();
    if (latest !== undefined) return latest;
    await sleep(50);
  }
  throw new Error('no event came');
}

test('a sweep without repos completes and leaves an event', async () => {
  const report = await harness.sweep({ source: 'local-timer', run_id: 'r-7' });
  expect(report).toMatchObject({
    status: 'completed',
    source: 'local-timer',
    run_id: 'r-7',
    repos: [],
    not_reached: [],
    automation_error: null,
    assessment_failures: [],
    exit_code: 0,
  });
  expect(Math.abs(Date.parse(report.started_at) - Date.now())).toBeLessThan(10_000);
  expect(await harness.query('select event_type, detail from state_hub.progress_events')).toMatchObject([
    {
      event_type: 'consistency_sweep_remote_all',
      detail: { source: 'local-timer', run_id: 'r-7', status: 'completed', counts: { repos: 0 } },
    },
  ]);
});

test('the budget ends a git command in the middle of a repo, and the rest is not reached', async () => {
  await addReposWithOneStuck();
  const begunAt = performance.now();
  const report = await harness.sweep({ max_seconds: 4 });
  const seconds = (performance.now() - begunAt) / 1000;
  expect(seconds).toBeGreaterThan(3.9);
  expect(seconds).toBeLessThan(6);
  expect(report).toMatchObject({ status: 'completed', not_reached: ['b', 'c'], automation_error: null, exit_code: 0 });
  expect(report.repos.map(({ repo, status }) => `${repo} ${status}`)).toEqual([
    'a ok',
    'b not_reached',
    'c not_reached',
  ]);
  expect(report.repos[1]?.message).toBe('the budget is used up in the middle of this repo');
  expect(listRules(report)).toEqual(['a C-05', 'a C-15']);
});

test('the budget ends what git itself has started, too', async () => {
  const repo = await harness.addRepo('ssh', { [file]: sheet('WP-1') });
  await repo.git('remote', 'set-url', 'origin', 'ssh://nobody.invalid/x');
  await repo.git('config', 'core.sshCommand', 'echo $$ > ssh.pid; exec sleep 600; true');
  const begunAt = performance.now();
  expect((await harness.sweep({ max_seconds: 2 })).not_reached).toEqual(['ssh']);
  expect(performance.now() - begunAt).toBeLessThan(4500);
  const pid = Number(await repo.read('ssh.pid'));
  expect(pid).toBeGreaterThan(1);
  await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
});

test('what one budget did not reach is where the next sweep begins', async () => {
  await addReposWithOneStuck();
  await harness.sweep({ max_seconds: 4 });
  const report = await harness.sweep({ max_seconds: 4 });
  expect(report.repos.map(({ repo, status }) => `${repo} ${status}`)).toEqual(['c ok', 'a ok', 'b not_reached']);
});

test('a budget that is over at once reaches nothing and says so', async () => {
  await addReposWithOneStuck();
  const report = await harness.sweep({ max_seconds: 0.001 });
  expect(report).toMatchObject({ not_reached: ['a', 'b', 'c'], assessment_failures: [], exit_code: 0 });
});

test('a second sweep while one runs is skipped and names the holder and its age', async () => {
  await addReposWithOneStuck();
  const first = postSweep(harness.hub.url, { max_seconds: 6, source: 'activity-core', run_id: 'first' });
  await silent.connected;
  await sleep(300);
  const begunAt = performance.now();
  const second = await harness.sweep({ source: 'local-timer', run_id: 'second' });
  expect(performance.now() - begunAt).toBeLessThan(3000);
  expect(second).toMatchObject({
    status: 'lock_skipped',
    source: 'local-timer',
    run_id: 'second',
    holder: { source: 'activity-core', run_id: 'first' },
    repos: [],
    automation_error: null,
    exit_code: 0,
  });
  expect(second.holder?.age_seconds).toBeGreaterThan(0.25);
  expect(second.holder?.age_seconds).toBeLessThan(6);
  expect((await (await first).json()) as SweepReport).toMatchObject({ status: 'completed', run_id: 'first' });
  expect((await readEvents()).map(({ run_id, status }) => [run_id, status])).toEqual([
    ['first', 'completed'],
    ['second', 'lock_skipped'],
  ]);
  expect((await harness.sweep({ max_seconds: 1 })).status).toBe('completed');
});

test('of twenty sweeps at once each one is completed or names a holder', async () => {
  await harness.addRepo('a', { [file]: sheet('WP-1') });
  const ids = Array.from({ length: 20 }, (_, index) => `run-${index}`);
  const reports = await Promise.all(ids.map((run_id) => harness.sweep({ run_id })));
  const completed = reports.filter(({ status }) => status === 'completed');
  expect(completed.length).toBeGreaterThan(0);
  expect(reports.flatMap(listRules).sort()).toEqual(['a C-05', 'a C-15']);
  const holders = reports.flatMap(({ holder }) => (holder ? [holder.run_id] : []));
  for (const holder of holders) expect(completed.map(({ run_id }) => run_id)).toContain(holder);
  expect(await readEvents()).toHaveLength(20);
});

test('a client that goes away stops the sweep and frees the lock', async () => {
  await addReposWithOneStuck();
  const gone = new AbortController();
  const first = postSweep(harness.hub.url, { run_id: 'first' }, { signal: gone.signal }).catch(() => 'gone');
  await silent.connected;
  gone.abort();
  expect(await first).toBe('gone');
  const event = await waitForEvent();
  expect(event).toMatchObject({ run_id: 'first', status: 'abandoned', stopped: 'client_gone' });
  expect(Number(event['duration_ms'])).toBeLessThan(5000);
  await expect.poll(() => harness.query(`select pid ${fromOwnLocks}`)).toEqual([]);
  const next = await harness.sweep({ max_seconds: 4, run_id: 'next' });
  expect(next).toMatchObject({ status: 'completed', not_reached: ['b'] });
  expect(next.repos.map(({ repo }) => repo)).toEqual(['c', 'a', 'b']);
});

test('closing the service ends a sweep with an automation error and takes less than 5 s', async () => {
  await addReposWithOneStuck();
  const first = postSweep(harness.hub.url);
  await silent.connected;
  const begunAt = performance.now();
  const closed = harness.hub.close();
  const report = (await (await first).json()) as SweepReport;
  await closed;
  expect(performance.now() - begunAt).toBeLessThan(5000);
  expect(report).toMatchObject({ not_reached: ['b', 'c'], exit_code: 1 });
  expect(report.automation_error).toBe('the State Hub is being stopped');
});

test('C-00: losing the connection that holds the lock ends the sweep with an automation error', async () => {
  await addReposWithOneStuck();
  const first = postSweep(harness.hub.url);
  await silent.connected;
  expect(await harness.query(`select pg_terminate_backend(pid) ${fromOwnLocks}`)).toHaveLength(1);
  const report = (await (await first).json()) as SweepReport;
  expect(report).toMatchObject({ status: 'completed', exit_code: 1 });
  expect(report.automation_error).toContain('database');
  expect(report.not_reached).toEqual(['b', 'c']);
  expect((await harness.sweep({ max_seconds: 1 })).status).toBe('completed');
});

test('C-00: a database that is away is an automation error in an answer of the usual shape', async () => {
  const name = new URL(harness.databaseUrl).pathname.slice(1);
  const admin = openPool(harness.databaseUrl.replace(name, 'postgres'));
  await admin.query(`alter database ${name} allow_connections false`);
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  const report = await harness.sweep();
  expect(report).toMatchObject({ status: 'completed', exit_code: 1, repos: [] });
  expect(listRules(report)).toEqual(['* C-00']);
  expect(report.automation_error).toContain('the database cannot be used: ');
  const health = await fetch(`${harness.hub.url}/healthz`);
  expect([health.status, await health.json()]).toMatchObject([503, { status: 'unavailable' }]);
  await admin.query(`alter database ${name} allow_connections true`);
  await admin.end();
  expect((await fetch(`${harness.hub.url}/healthz`)).status).toBe(200);
  expect((await harness.sweep()).exit_code).toBe(0);
});

test('twenty processes may make the schema at once', async () => {
  const url = await postgres.createDatabase();
  const pools = Array.from({ length: 20 }, () => openPool(url));
  const made = await Promise.allSettled(pools.map((pool) => ensureSchema(pool)));
  expect(made.filter(({ status }) => status === 'rejected')).toEqual([]);
  await Promise.all(pools.map((pool) => pool.end()));
});
