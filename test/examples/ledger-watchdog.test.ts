import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { seedRandom } from '../../examples/ledger/random.ts';
import { createReceiver } from '../../examples/ledger/receiver.ts';
import { ensureLedger } from '../../examples/ledger/schema.ts';
import { advanceLedger, fillLedger } from '../../examples/ledger/workload.ts';
import { createTestDatabase } from '../support/database.ts';
import { compileWatchdog, openCheckStage } from './support/run-checks.ts';

const file = 'activity-definitions/scarab.ledger-watchdog.md';
const database = await createTestDatabase();
const client = new pg.Client({ connectionString: database.url });
await client.connect();
await ensureLedger(client);
const stage = await openCheckStage();
afterAll(async () => {
  await client.end();
  await database.drop();
  await stage.close();
});
beforeEach(() => client.query('truncate workers, experiment_queue, gardener_runs restart identity'));

const order = await compileWatchdog(file);
const environment = {
  NEON_DATABASE_URL: database.url,
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing',
  ...{
    REDEPLOY_URL: 'http://127.0.0.1:1',
    REDEPLOY_TOKEN: 'a',
    COMPUTE_SCALE_URL: 'http://127.0.0.1:1',
    COMPUTE_TOKEN: 'b',
  },
};
const run = () => stage.runChecks(order, environment);

async function read<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
  return (await client.query<Row>(sql)).rows;
}

/** Adds experiments of one lane, numbered from 1. */
async function queue(...rows: string[]): Promise<void> {
  const columns = '(canon_name, seed, status, attempts, max_attempts, started_at, final_bpb)';
  await client.query(`insert into experiment_queue ${columns} values ${rows.join(', ')}`);
}

it('compiles to a tick of 30 s that is skipped when it is missed, on the first of three databases that is set', () => {
  expect(order).toMatchObject({
    cadence: { intervals: [{ everyMs: 30_000 }] },
    misfire: { policy: 'skip' },
    watchdog: { database: ['NEON_DATABASE_URL', 'TRIOS_NEON_DSN', 'DATABASE_URL'] },
  });
  expect(order.watchdog.checks.map(({ name, mode, remedy }) => [name, mode, Object.keys(remedy ?? {})])).toEqual([
    ['resurrect_candidate', 'dry_run', ['request']],
    ['autoscale_compute', 'dry_run', ['request']],
    ['leak_flag', 'auto', ['sql']],
    ['zap_stuck', 'auto', ['sql']],
  ]);
});

describe('zap_stuck', () => {
  it('requeues with a backoff that doubles up to an hour, and buries what has no attempts left', async () => {
    await queue(
      "('lane', 1, 'running', 0, 9, now() - interval '7 hours', null)",
      "('lane', 2, 'running', 2, 9, now() - interval '7 hours', null)",
      "('lane', 3, 'running', 7, 9, now() - interval '7 hours', null)",
      "('lane', 4, 'running', 2, 3, now() - interval '7 hours', null)",
      "('lane', 5, 'running', 0, 9, now() - interval '5 hours', null)",
      "('lane', 6, 'claimed', 0, 9, now() - interval '7 hours', null)",
    );
    expect(await run()).toMatchObject({ zap_stuck: { mode: 'auto', findings: 4, cured: 4, failed: 0 } });
    const rows = await read(`select seed, status, attempts, worker_id, started_at is null as is_reset,
      round(extract(epoch from scheduled_at - now()) / 10) * 10 as wait, finished_at is not null as is_over
      from experiment_queue order by seed`);
    const requeued = { status: 'pending', worker_id: null, is_reset: true, is_over: false };
    expect(rows).toMatchObject([
      { seed: '1', attempts: 1, wait: '60', ...requeued },
      { seed: '2', attempts: 3, wait: '240', ...requeued },
      { seed: '3', attempts: 8, wait: '3600', ...requeued },
      { seed: '4', status: 'dead', attempts: 3, is_over: true },
      { seed: '5', status: 'running', attempts: 0 },
      { seed: '6', status: 'claimed', attempts: 0 },
    ]);
    expect(await run()).toMatchObject({ zap_stuck: { findings: 0 } });
  });

  it('leaves one triplet for each, with the row before and after', async () => {
    await queue("('lane', 9223372036854775807, 'running', 0, 2, now() - interval '7 hours', null)");
    await run();
    const audited = await read(`select action, lane, seed, before_bpb, after_bpb, decision from gardener_runs`);
    expect(audited).toMatchObject([
      {
        ...{ action: 'zap_stuck', lane: 'lane', seed: '9223372036854775807', before_bpb: null, after_bpb: null },
        decision: { check: 'zap_stuck', before: { status: 'running' }, after: { status: 'pending' } },
      },
    ]);
  });

  it('works where the status is an enum, too', async () => {
    await client.query(`begin;
      create type experiment_status as enum ('pending', 'ready', 'claimed', 'running', 'done', 'failed', 'dead');
      alter table experiment_queue drop constraint experiment_queue_status_check, alter column status drop default,
        alter column status type experiment_status using status::experiment_status;
      commit`);
    try {
      await queue("('lane', 1, 'running', 0, 2, now() - interval '7 hours', null)");
      expect(await run()).toMatchObject({ zap_stuck: { cured: 1 } });
      expect(await read('select status from experiment_queue')).toEqual([{ status: 'pending' }]);
    } finally {
      await client.query(
        "alter table experiment_queue alter column status type text, alter column status set default 'pending'",
      );
    }
  });
});

it('leak_flag flags a result that cannot be, once, and keeps what was said before', async () => {
  await queue(
    "('lane', 1, 'done', 0, 3, now(), 0.05)",
    "('lane', 2, 'done', 0, 3, now(), 0.1)",
    "('lane', 3, 'done', 0, 3, now(), 'NaN')",
    "('lane', 4, 'failed', 0, 3, now(), 0.05)",
    "('lane', 5, 'done', 0, 3, now(), 0.01)",
  );
  await client.query("update experiment_queue set last_error = 'slow' where seed = 5");
  expect(await run()).toMatchObject({ leak_flag: { mode: 'auto', findings: 2, cured: 2 } });
  expect(await run()).toMatchObject({ leak_flag: { findings: 0 } });
  expect(await read('select seed, last_error from experiment_queue where last_error is not null order by id')).toEqual([
    { seed: '1', last_error: 'leak: final_bpb 0.05 is below 0.1' },
    { seed: '5', last_error: 'leak: final_bpb 0.01 is below 0.1; before that: slow' },
  ]);
  expect(await read('select action, before_bpb, after_bpb from gardener_runs order by id')).toEqual([
    { action: 'leak_flag', before_bpb: 0.05, after_bpb: 0.05 },
    { action: 'leak_flag', before_bpb: 0.01, after_bpb: 0.01 },
  ]);
});

it('resurrect_candidate proposes a worker whose heartbeat is old, and touches nothing', async () => {
  await client.query(`insert into workers values
    (gen_random_uuid(), 'acc', 'dead', now() - interval '6 minutes'), (gen_random_uuid(), 'acc', 'alive', now())`);
  const before = await read('select * from workers order by railway_svc_name');
  expect(await run()).toMatchObject({ resurrect_candidate: { mode: 'dry_run', findings: 1, proposed: 1 } });
  expect(await read('select * from workers order by railway_svc_name')).toEqual(before);
});

it('both remedies over HTTP do what they promise once they are in auto, and are audited', async () => {
  await client.query(`insert into workers values
    (gen_random_uuid(), 'acc', 'scarab-worker-1', now() - interval '6 minutes'),
    (gen_random_uuid(), 'acc', 'scarab-worker-2', now())`);
  await client.query(`insert into experiment_queue (canon_name, seed) select 'lane', n from generate_series(1, 45) n`);
  const pool = new pg.Pool({ connectionString: database.url });
  const server = createReceiver({ pool, token: 'right' }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const remedies = {
    REDEPLOY_URL: url,
    REDEPLOY_TOKEN: 'right',
    COMPUTE_SCALE_URL: `${url}/scale`,
    COMPUTE_TOKEN: 'right',
  };
  try {
    const acting = await compileWatchdog(file, (text) => text.replaceAll('mode: dry_run', 'mode: auto'));
    expect(await stage.runChecks(acting, { ...environment, ...remedies })).toMatchObject({
      resurrect_candidate: { mode: 'auto', findings: 1, sent: 1 },
      autoscale_compute: { mode: 'auto', findings: 1, sent: 1 },
    });
    expect(await read("select count(*)::int from workers where last_heartbeat > now() - interval '1 minute'")).toEqual([
      { count: 4 },
    ]);
    expect(await read('select action, lane from gardener_runs order by id')).toEqual([
      { action: 'resurrect_candidate', lane: 'scarab-worker-1' },
      { action: 'autoscale_compute', lane: 'workers' },
    ]);
  } finally {
    server.close();
    await pool.end();
  }
});

it.each([
  [0, 1, undefined],
  [9, 1, undefined],
  [25, 1, '2'],
  [30, 3, undefined],
  [500, 3, '20'],
  [0, 4, '1'],
])('autoscale_compute: %i waiting and %i workers alive propose %s', async (depth, alive, desired) => {
  await client.query(`insert into experiment_queue (canon_name, seed, status)
    select 'lane', n, case when n % 2 = 0 then 'ready' else 'pending' end from generate_series(1, ${depth}) n`);
  await client.query(
    `insert into workers select gen_random_uuid(), 'acc', 'w' || n, now() from generate_series(1, ${alive}) n`,
  );
  const check = order.watchdog.checks[1]!;
  const values = check.detect.parameters.map((name) => JSON.stringify(check.params[name]));
  const found = await client.query<{ desired: string }>(check.detect.text, values);
  expect(found.rows.map((row) => row.desired)).toEqual(desired === undefined ? [] : [desired]);
});

it('the example breaks rows at a steady pace, always the same for a seed, and stays small', async () => {
  const live = async () => {
    await client.query('truncate workers, experiment_queue, gardener_runs restart identity');
    const random = seedRandom(7);
    await fillLedger(client, random);
    for (let second = 1; second <= 24; second += 1) await advanceLedger(client, random, second);
    return read('select id, canon_name, status, attempts, final_bpb from experiment_queue order by id');
  };
  const [first, second] = [await live(), await live()];
  expect(second).toEqual(first);
  const tallies = await run();
  // Three of the seconds let one hang and two let one leak; the start did so for three and two.
  expect(tallies).toMatchObject({
    zap_stuck: { findings: 6, cured: 6 },
    leak_flag: { findings: 4, cured: 4 },
    resurrect_candidate: { findings: 1, proposed: 1 },
    autoscale_compute: { findings: 1, proposed: 1 },
  });
  const [dead] = await read<{ count: string }>("select count(*) from experiment_queue where status = 'dead'");
  expect(dead).toEqual({ count: '1' });
  await client.query(
    `insert into experiment_queue (canon_name, seed, status) select 'l', n, 'done' from generate_series(1, 1000) n`,
  );
  await client.query(`insert into gardener_runs (action, decision) select 'x', '{}' from generate_series(1, 2000) n`);
  await advanceLedger(client, seedRandom(8), 41);
  const [sizes] = await read(`select (select count(*)::int from experiment_queue) < 400 as queue,
    (select count(*)::int from gardener_runs) as audited`);
  expect(sizes).toEqual({ queue: true, audited: 1_000 });
});
