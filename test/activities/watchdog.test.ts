import { randomUUID } from 'node:crypto';
import { connect, createServer } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseAnyPort } from '../../dev/ports.ts';
import { detect } from '../../activities/watchdog/detect.ts';
import { openHistory } from '../../history/database.ts';
import type { RunReport, WatchdogOrder } from '../../workflows/contract.ts';
import { eventually } from '../support/eventually.ts';
import { defineWatchdog } from '../support/watchdogs.ts';
import type { WrittenCheck } from '../support/watchdogs.ts';
import { openWatchStage } from './support/watched.ts';
import type { WatchStage } from './support/watched.ts';
import { slackMs } from '../support/slack.ts';

const password = 'pass/word+of the guest';
const guest = `guest_${randomUUID().slice(0, 8)}`;

const setUp = `
  CREATE TABLE jobs (id int, name text, amount numeric(78, 0));
  INSERT INTO jobs VALUES (1, 'one', 123456789012345678901234567890123456789012345678901234567890), (2, 'two', NULL);
  CREATE TABLE hidden (id int);
  CREATE FUNCTION touch() RETURNS int LANGUAGE sql AS $$ INSERT INTO jobs VALUES (3, 'three', 3) RETURNING id $$;
  CREATE ROLE ${guest} LOGIN PASSWORD '${password}' CONNECTION LIMIT 20;
  GRANT SELECT ON jobs TO ${guest};`;

let stage: WatchStage;
let guestUrl: string;

beforeAll(async () => {
  stage = await openWatchStage(setUp);
  guestUrl = changeUrl((url) => {
    url.username = guest;
    url.password = encodeURIComponent(password);
  });
});

afterAll(async () => {
  await stage.client.query(`DROP OWNED BY ${guest}; DROP ROLE ${guest}`);
  await stage.close();
});

function changeUrl(change: (url: URL) => void): string {
  const url = new URL(stage.url);
  change(url);
  return url.href;
}

async function define(
  checks: Record<string, WrittenCheck>,
  changes: Parameters<typeof defineWatchdog>[2] = {},
): Promise<WatchdogOrder> {
  const { order } = await defineWatchdog(`test.watch-${randomUUID().slice(0, 8)}`, checks, changes);
  return order;
}

const quiet: WrittenCheck = { detect: 'SELECT id FROM jobs WHERE false' };
const everyJob = 'SELECT id, name, amount FROM jobs ORDER BY id';
const mend = "UPDATE jobs SET name = 'mended' WHERE id = :id";

function errorsOf({ checks = [] }: RunReport): Record<string, string> {
  return Object.fromEntries(checks.flatMap(({ name, error }) => (error === undefined ? [] : [[name, error]])));
}

async function actionsOf(order: WatchdogOrder) {
  const { rows } = await stage.history.pool.query(
    `SELECT finding_key AS key, outcome, mode, before::text, after::text, decision::text, fate
     FROM actcore.actions JOIN actcore.action_batches ON action_batches.id = batch_id
     WHERE actions.definition_uuid = $1 ORDER BY actions.at, finding_key`,
    [order.definition.uuid],
  );
  return rows as Record<'key' | 'outcome' | 'mode' | 'before' | 'after' | 'decision' | 'fate', string>[];
}

it('a quiet run is a row with its checks, and says so', async () => {
  const order = await define({ first: quiet, second: quiet });
  const report = await stage.watch(order).report;
  expect(report).toMatchObject({ outcome: 'completed', assessment: 'passed', exitCode: 0, recorded: true });
  expect(report.reason).toMatch(/^2 checks, 0 findings, \d+ ms$/);
  expect(report.checks).toMatchObject([
    { name: 'first', mode: 'dry_run', findings: 0 },
    { name: 'second', findings: 0 },
  ]);
});

describe('modes', () => {
  it('dry_run proposes, once per episode, and writes nothing to the watched database', async () => {
    const check = { detect: everyJob, remedy: mend, keys: { params: '{ most: 5 }', threshold: 'most' } };
    const order = await define({ jobs: { ...check, detect: 'SELECT id, name, amount FROM jobs WHERE id < :most' } });
    const report = await stage.watch(order).report;
    expect(report).toMatchObject({ outcome: 'completed', assessment: 'failed', assessmentFailureCount: 2 });
    expect(report.assessmentFailures[0]).toEqual({
      target: 'jobs [1]',
      rule: 'jobs',
      message: 'would mend; nothing was done: the check is in dry_run',
    });
    expect(report.reason).toMatch(/^1 check, 2 findings \(2 proposed\), \d+ ms$/);
    await stage.watch(order).report;
    const actions = await actionsOf(order);
    expect(actions.map(({ key, outcome, fate }) => [key, outcome, fate])).toEqual([
      ['[1]', 'proposed', 'committed'],
      ['[2]', 'proposed', 'committed'],
    ]);
    expect(actions[0]?.before).toBe(
      '{"id":1,"name":"one","amount":123456789012345678901234567890123456789012345678901234567890}',
    );
    expect(JSON.parse(actions[0]?.decision ?? '')).toEqual({
      ...{ check: 'jobs', mode: 'dry_run', parameters: { most: 5 }, threshold: 5, dry_run: true },
      reason: 'the check is in dry_run',
    });
    const { rows } = await stage.client.query('SELECT count(*)::int AS mended FROM jobs WHERE name = $1', ['mended']);
    expect(rows).toEqual([{ mended: 0 }]);
  });

  it('block does not even look, and auto only looks where it is destructive or the firing says so', async () => {
    const auto = { detect: everyJob, remedy: mend, keys: { mode: 'auto' } };
    const order = await define({
      shut: { ...quiet, detect: 'SELECT id FROM nowhere', keys: { mode: 'block' } },
      risky: { ...auto, keys: { mode: 'auto', destructive: 'true' } },
    });
    const report = await stage.watch(order).report;
    expect(report).toMatchObject({ outcome: 'completed', assessmentFailureCount: 2 });
    expect(report.checks).toMatchObject([
      { name: 'shut', mode: 'block', findings: 0 },
      { name: 'risky', mode: 'dry_run', proposed: 2 },
    ]);
    expect(report.assessmentFailures[0]?.message).toContain('destructive_ok is false');
    expect(report.reason).toMatch(/^2 checks \(1 blocked\), 2 findings/);

    const looking = await stage.watch(await define({ auto, sim: { ...auto, keys: { mode: 'sim' } } }), {
      firing: { dryRun: true },
    }).report;
    expect(looking.checks).toMatchObject([
      { mode: 'dry_run', proposed: 2 },
      { mode: 'dry_run', proposed: 2 },
    ]);
    expect(looking.assessmentFailures[0]?.message).toContain('this run only looks');
  });

  it('max_actions stops a check, and does not truncate: nothing is done and every finding is listed', async () => {
    const auto = { detect: everyJob, remedy: mend, keys: { mode: 'auto' } };
    const order = await define(
      { auto, more: { ...auto, keys: { mode: 'auto', limit: '1' } } },
      { watchdog: { max_actions: '1' } },
    );
    const report = await stage.watch(order).report;
    expect(report).toMatchObject({ outcome: 'completed', assessment: 'failed', assessmentFailureCount: 4 });
    expect(report.checks).toMatchObject([
      { findings: 2, hasMore: false, left: 2, cured: 0 },
      { findings: 1, hasMore: true, left: 1 },
    ]);
    expect(report.assessmentFailures.map(({ target, message }) => `${target}: ${message}`)).toEqual([
      'auto [1]: 2 findings to act on are more than max_actions (1); nothing was done',
      'auto [2]: 2 findings to act on are more than max_actions (1); nothing was done',
      'more: there are more findings than the limit of 1',
      'more [1]: more than 1 findings to act on are more than max_actions (1); nothing was done',
    ]);
    expect(await actionsOf(order)).toEqual([]);
  });
});

it('each bad detect is an error of its own check, with the line; the others are done', async () => {
  const order = await define({
    'missing-table': { detect: 'SELECT id\nFROM nowhere' },
    'missing-column': { detect: 'SELECT id,\n  nothing\nFROM jobs' },
    'missing-key': { detect: 'SELECT * FROM jobs', keys: { key: 'idd' } },
    'doubled-column': { detect: 'SELECT a.*, b.id FROM jobs a, jobs b' },
    'wrong-type': { detect: 'SELECT id FROM jobs WHERE id = :wanted', keys: { params: '{ wanted: three }' } },
    'no-type': { detect: 'SELECT id FROM jobs WHERE :wanted IS NULL', keys: { params: '{ wanted: 1 }' } },
    'not-allowed': { detect: 'SELECT id FROM hidden' },
    writes: { detect: 'SELECT touch() AS id;' },
    locks: { detect: 'SELECT id FROM (SELECT id FROM jobs FOR UPDATE) AS held' },
    'null-key': { detect: "SELECT NULLIF(id, 2) AS id FROM jobs -- it's; odd" },
    'doubled-key': { detect: 'SELECT 7 AS id, name FROM jobs', keys: { key: '[id]' } },
    raises: { detect: 'SELECT 1 / (id - 1) AS id FROM jobs' },
    dies: { detect: 'SELECT pg_terminate_backend(pg_backend_pid()) AS id' },
    good: { detect: 'SELECT id FROM jobs WHERE id = 1' },
  });
  const report = await stage.watch(order, { environment: { WATCHED_URL: guestUrl } }).report;
  expect(report).toMatchObject({ outcome: 'automation_error', exitCode: 1, assessment: 'failed' });
  expect(errorsOf(report)).toEqual({
    'missing-table':
      'there is no such table: relation "nowhere" does not exist (SQLSTATE 42P01, line 2 of its detect block)',
    'missing-column':
      'there is no such column: column "nothing" does not exist (SQLSTATE 42703, line 2 of its detect block)',
    'missing-key': 'the detect query does not give the key (idd) as it should: column idd does not exist',
    'doubled-column': 'the detect query does not give the key (id) as it should: column reference "id" is ambiguous',
    'wrong-type': 'a value is of the wrong type: invalid input syntax for type integer: "three" (SQLSTATE 22P02)',
    'no-type': expect.stringMatching(/^the type of a parameter cannot be told; write a cast .*\$1/),
    'not-allowed': 'permission denied: permission denied for table hidden (SQLSTATE 42501)',
    writes: expect.stringMatching(
      /^the detect query writes, and was refused by its read-only transaction: cannot execute INSERT/,
    ),
    locks: expect.stringMatching(/^(permission denied|the detect query writes)/),
    'null-key': 'the key column `id` is NULL in 1 of its findings; a key names each finding',
    'doubled-key': 'the key [7] comes more than once; id must tell one finding from another',
    raises: 'it divides by zero: division by zero (SQLSTATE 22012)',
    dies: expect.stringMatching(/^the connection to the database was lost/),
  });
  expect(report.checks?.at(-1)).toMatchObject({ name: 'good', findings: 1, left: 1 });
  expect(report.reason).toMatch(/^13 broken checks: missing-table: there is no such table/);
});

it('a million rows cost the worker no memory: the limit holds', async () => {
  await stage.client.query('CREATE UNLOGGED TABLE big AS SELECT id FROM generate_series(1, 1000000) id');
  const order = await define({ rows: { detect: 'SELECT id FROM big', keys: { limit: '5' } } });
  const before = process.memoryUsage().rss;
  const report = await stage.watch(order).report;
  expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1_048_576);
  expect(report.checks).toMatchObject([{ findings: 5, hasMore: true, left: 5 }]);
  expect(report.assessmentFailures).toContainEqual({
    ...{ target: 'rows', rule: 'rows', message: 'there are more findings than the limit of 5' },
  });
});

it('wide rows are bounded in bytes; a row that is larger than all that is an error', async () => {
  const order = await define({
    wide: { detect: "SELECT id, repeat('x', 1000) AS long FROM generate_series(1, 20) id" },
    huge: { detect: "SELECT 1 AS id, repeat('x', 20000) AS long" },
  });
  const [wide, huge] = order.watchdog.checks;
  const bounds = { timeoutMs: 5_000, mostBytes: 10_000 };
  const { findings, hasMore } = await detect(stage.client, wide!, bounds);
  expect({ count: findings.length, hasMore }).toEqual({ count: 9, hasMore: true });
  await expect(detect(stage.client, huge!, bounds)).rejects.toThrow(
    'its first finding alone is more than one run takes up',
  );
});

describe('interrupted', () => {
  const sleeping: WrittenCheck = { detect: 'SELECT 1 AS id, pg_sleep(60)' };

  /** How many backends are at work on the watched database for that run. */
  async function backendsOf(runId: string): Promise<number> {
    const { rows } = await stage.client.query<{ count: number }>(
      'SELECT count(*)::int FROM pg_stat_activity WHERE application_name = $1',
      [`actcore ${runId}`],
    );
    return rows[0]?.count ?? 0;
  }

  it('two at once: the second is lock_skipped and names the first, which a cancel ends within a second', async () => {
    const order = await define({ sleeping, second: quiet });
    const first = stage.watch(order);
    await eventually(async () => JSON.stringify(first.heartbeats).includes('check sleeping'), { everyMs: 20 });
    const second = await stage.watch(order).report;
    const holder = /holds its lock: run ([0-9a-f-]{36}) \(process \d+ from .+, connected since 20.+ UTC\)$/.exec(
      second.reason,
    );
    expect(second).toMatchObject({ outcome: 'lock_skipped', assessment: 'none', exitCode: 0 });
    expect(await backendsOf(holder?.[1] ?? '')).toBe(1);

    const cancelledAt = Date.now();
    first.cancel('CANCELLED');
    const report = await first.report;
    expect(Date.now() - cancelledAt).toBeLessThan(1_000 + slackMs);
    expect(report.runId).toBe(holder?.[1]);
    expect(report).toMatchObject({ outcome: 'cancelled', recorded: true });
    expect(report.reason).toMatch(
      /^someone cancelled the run while it was at the check sleeping, which was rolled back/,
    );
    expect(errorsOf(report)).toEqual({
      sleeping: 'the run was interrupted while it was at work on this check',
      second: 'the run was interrupted before its turn came',
    });
    await eventually(async () => (await backendsOf(report.runId)) === 0, { withinMs: 1_000 + slackMs, everyMs: 20 });
    expect(await stage.watch(await define({ quiet })).report).toMatchObject({ outcome: 'completed' });
  });

  it('also while it has not come to its checks yet', async () => {
    const order = await define({ quiet });
    order.budget.hardTimeoutMs = 300;
    const silent = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const environment = { WATCHED_URL: `postgres://me@127.0.0.1:${port}/main` };
    const report = await stage.watch(order, { environment }).report;
    expect(report).toMatchObject({ outcome: 'timed_out', reason: 'the hard timeout of 0.3 s interrupted it' });
    await new Promise((resolve) => silent.close(resolve));
  });

  it('the hard timeout ends it as timed_out, and what was done before is told', async () => {
    const order = await define({ done: quiet, sleeping });
    order.budget.hardTimeoutMs = 1_500;
    const report = await stage.watch(order).report;
    expect(report).toMatchObject({ outcome: 'timed_out', exitCode: 1 });
    expect(report.reason).toContain('the hard timeout of 1.5 s interrupted it while it was at the check sleeping');
    expect(report.checks?.[0]).not.toHaveProperty('error');
  });

  it('the shutdown of the worker ends it as cancelled', async () => {
    const run = stage.watch(await define({ sleeping }));
    await eventually(async () => JSON.stringify(run.heartbeats).includes('check sleeping'), { everyMs: 20 });
    run.cancel('WORKER_SHUTDOWN');
    const report = await run.report;
    expect(report).toMatchObject({ outcome: 'cancelled', exitCode: 0, certainty: 'witnessed', recorded: true });
    expect(report.reason).toMatch(
      /^the worker was shut down before the run had ended while it was at the check sleeping/,
    );
  });

  it('a statement gets what the budget has left, and the checks after it are told why they were not run', async () => {
    const order = await define({ sleeping, late: quiet }, { budget: '{ max_seconds: 1, hard_timeout: 40s }' });
    const report = await stage.watch(order).report;
    expect(report.outcome).toBe('automation_error');
    expect(errorsOf(report)).toEqual({
      sleeping: expect.stringMatching(/^it took longer than the (1|0\.\d) s that the budget had left$/),
      late: 'the budget of 1 s was spent before its turn came',
    });
  });
});

describe('a database that cannot be connected to is one clear sentence, without the password', () => {
  async function reasonAt(url: string): Promise<string> {
    const report = await stage.watch(await define({ quiet }), { environment: { WATCHED_URL: url } }).report;
    expect(report).toMatchObject({ outcome: 'automation_error', assessment: 'none', recorded: true });
    expect(JSON.stringify(report)).not.toMatch(/wrong-secret|pass.word.of/);
    return report.reason;
  }
  const at = (change: (url: URL) => void) => reasonAt(changeUrl(change));

  it('wrong password', async () => {
    const reason = await at((url) => {
      url.username = guest;
      url.password = 'wrong-secret';
    });
    expect(reason).toMatch(
      new RegExp(`^the database at [^ ]+ \\(WATCHED_URL\\) refuses the password of the user ${guest}$`),
    );
  });

  it('no password', async () => {
    const reason = await at((url) => {
      url.username = guest;
      url.password = '';
    });
    expect(reason).toMatch(/asks the user guest_\w+ for a password, and WATCHED_URL holds none$/);
  });

  it('unknown database', async () => {
    const reason = await at((url) => (url.pathname = '/nothing_here'));
    expect(reason).toMatch(/^the server at [^ ]+\/nothing_here \(WATCHED_URL\) has no database of that name$/);
  });

  it('nobody listens', async () => {
    const port = await chooseAnyPort();
    expect(await reasonAt(`postgres://me:wrong-secret@127.0.0.1:${port}/main`)).toBe(
      `the database at 127.0.0.1:${port}/main (WATCHED_URL) cannot be reached: the connection was refused`,
    );
  });

  it('unknown host', async () => {
    expect(await reasonAt('postgres://me:wrong-secret@nowhere.invalid/main')).toMatch(
      /^the database at nowhere.invalid:5432\/main \(WATCHED_URL\) cannot be reached: (no such host|the name of the host)/,
    );
  });

  it('too many connections', async () => {
    await stage.client.query(`ALTER ROLE ${guest} CONNECTION LIMIT 0`);
    expect(await reasonAt(guestUrl)).toMatch(/has too many connections: too many connections for role "guest_\w+"$/);
    await stage.client.query(`ALTER ROLE ${guest} CONNECTION LIMIT 20`);
  });

  it('no TLS where it is asked for', async () => {
    expect(await at((url) => (url.search = '?sslmode=verify-full'))).toMatch(/could not be connected to by TLS: .*SSL/);
  });

  it('something that is no Postgres', async () => {
    const server = createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const said = await reasonAt(`postgres://me:wrong-secret@127.0.0.1:${port}/main`);
    expect(said).toContain('could not be connected to');
    await new Promise((resolve) => server.close(resolve));
  });

  it('a pooler, through which a lock cannot be held', async () => {
    const server = new URL(stage.url);
    // A pooler names its own process, not the one that Postgres has.
    const pooler = createServer((client) => {
      const upstream = connect(Number(server.port), server.hostname);
      upstream.on('data', (data) => {
        const key = data.indexOf('K\0\0\0\f', 0, 'latin1');
        if (key >= 0) data.writeUInt32BE(1, key + 5);
        client.write(data);
      });
      client.on('data', (data) => upstream.write(data));
      client.on('close', () => upstream.destroy()).on('error', () => {});
      upstream.on('close', () => client.destroy()).on('error', () => {});
    });
    await new Promise<void>((resolve) => pooler.listen(0, '127.0.0.1', resolve));
    const { port } = pooler.address() as { port: number };
    expect(await at((url) => (url.port = String(port)))).toMatch(
      /^the address in WATCHED_URL \(127.0.0.1:\d+\/\w+\) leads to a connection pooler/,
    );
    await new Promise((resolve) => pooler.close(resolve));
  });

  it('no address, or none of a Postgres', async () => {
    expect(await reasonAt('mysql://me:wrong-secret@host/main')).toBe(
      'WATCHED_URL does not hold the address of a Postgres database such as postgres://user:password@host:5432/name',
    );
    expect(await reasonAt('postgres://me:wrong-secret@ho st:port/main')).toContain(
      'WATCHED_URL does not hold the address',
    );
    const order = await define({ quiet }, { watchdog: { database: '[FIRST_URL, SECOND_URL]' } });
    const none = await stage.watch(order, { environment: { FIRST_URL: '' } }).report;
    expect(none.reason).toBe(
      'the worker has none of FIRST_URL, SECOND_URL, which may hold the address of the database; set one in the environment of every worker',
    );
    const second = await stage.watch(order, { environment: { FIRST_URL: '', SECOND_URL: stage.url } }).report;
    expect(second.outcome).toBe('completed');
  });
});

it('a password that the data hold is taken out of what is kept', async () => {
  const order = await define({ leak: { detect: `SELECT 1 AS id, '${password}'::text AS told`, remedy: mend } });
  await stage.watch(order, { environment: { WATCHED_URL: guestUrl } }).report;
  const [action] = await actionsOf(order);
  expect(action?.before).toBe('{"id":1,"told":"[redacted password of WATCHED_URL]"}');
});

describe('the history is away', () => {
  it('the watchdog looks all the same, says so, and hands its report on', async () => {
    const pool = openHistory(`postgres://nobody@127.0.0.1:${await chooseAnyPort()}/nothing`);
    const report = await stage.watch(await define({ jobs: { detect: everyJob, remedy: mend } }), { pool }).report;
    expect(report).toMatchObject({ outcome: 'completed', assessment: 'failed', recorded: false });
    expect(report.reason).toContain('the history is away');
    expect(report.checks).toMatchObject([{ findings: 2, proposed: 2 }]);
    expect(report).not.toHaveProperty('actions');
    await pool.end();
  });
});

it('what earlier runs left unsettled is found out from the transactions themselves', async () => {
  const order = await define({ quiet });
  const { rows } = await stage.client.query<{ id: string }>(
    'SELECT system_identifier::text AS id FROM pg_control_system()',
  );
  const systemIdentifier = rows[0]?.id ?? '';
  const xidOf = async (end: string) => {
    const other = new pg.Client({ connectionString: stage.url });
    await other.connect();
    await other.query('BEGIN');
    const { rows: got } = await other.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid');
    await other.query(end);
    await other.end();
    return got[0]?.xid ?? '';
  };
  const cases = {
    committed: { xid: await xidOf('COMMIT'), systemIdentifier },
    aborted: { xid: await xidOf('ROLLBACK'), systemIdentifier },
    future: { xid: '999999999999', systemIdentifier },
    elsewhere: { xid: '1000', systemIdentifier: 'another' },
    request: { systemIdentifier },
  };
  const { createWatchLedger } = await import('../../history/watch-ledger.ts');
  const ledger = createWatchLedger(stage.history.pool);
  const run = {
    ...{ definitionId: order.definition.id, definitionUuid: order.definition.uuid, runId: randomUUID() },
    ...{ scheduledAt: '2026-03-01T00:00:00.000Z', trigger: 'schedule' as const },
  };
  for (const [key, where] of Object.entries(cases)) {
    const action = {
      ...{ id: randomUUID(), checkName: 'quiet', findingKey: `["${key}"]`, action: 'mend', mode: 'auto' as const },
    };
    const record = {
      ...action,
      outcome: 'cured' as const,
      before: '{}',
      after: '{}',
      decision: '{}',
      at: new Date().toISOString(),
    };
    await ledger.prepare({ id: randomUUID(), run, ...where, actions: [record] });
  }
  const fates = async () =>
    Object.fromEntries((await actionsOf(order)).map(({ key, fate }) => [JSON.parse(key)[0], fate]));
  await stage.watch(order).report;
  const first = { committed: 'committed', aborted: 'aborted', future: 'aborted', elsewhere: 'pending' };
  expect(await fates()).toEqual({ ...first, request: 'pending' });
  await stage.watch(order, { now: () => new Date(Date.now() + 200_000) }).report;
  expect(await fates()).toEqual({ ...first, request: 'committed' });
});
