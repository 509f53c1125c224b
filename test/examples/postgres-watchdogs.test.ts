import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { compileWatchdog, openCheckStage, replaceIn } from './support/run-checks.ts';
import type { CheckStage } from './support/run-checks.ts';

let database: TestDatabase;
let client: pg.Client;
let stage: CheckStage;
beforeAll(async () => {
  stage = await openCheckStage();
  database = await createTestDatabase();
  client = await connect('watcher');
});
afterAll(async () => {
  await client.end();
  await database.drop();
  await stage.close();
});

const run = async (name: string, change: (text: string) => string) => {
  const order = await compileWatchdog(`examples/definitions/${name}.md`, change);
  return stage.runChecks(order, { WATCHED_DATABASE_URL: database.url });
};

async function connect(application: string): Promise<pg.Client> {
  const connection = new pg.Client({ connectionString: database.url, application_name: application });
  connection.on('error', () => {});
  await connection.connect();
  return connection;
}

const pidOf = async (connection: pg.Client) =>
  (await connection.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;

describe('postgres.long-transactions', () => {
  /** Only the sessions of this file, for others on the server have open transactions too. */
  const only = (application: string) => (text: string) =>
    replaceIn(
      replaceIn(
        replaceIn(text, 'idle_for: 10 minutes', 'idle_for: 0 seconds'),
        'and application_name <> all',
        `and application_name = '${application}' and application_name <> all`,
      ),
      'open_for: 1 hour',
      'open_for: 10 days',
    );
  const acting = (text: string) =>
    replaceIn(replaceIn(text, 'mode: dry_run', 'mode: auto'), 'destructive_ok: false', 'destructive_ok: true');

  it('proposes to end a session that is idle in a transaction, and ends it in auto only', async () => {
    const application = `idler-${randomBytes(4).toString('hex')}`;
    const idler = await connect(application);
    const pid = await pidOf(idler);
    const lives = async () =>
      (await client.query('select 1 from pg_stat_activity where pid = $1', [pid])).rowCount === 1;
    const watch = only(application);
    expect(await run('postgres.long-transactions', watch)).toMatchObject({ idle_in_transaction: { findings: 0 } });
    await idler.query('begin');
    expect(await run('postgres.long-transactions', watch)).toMatchObject({
      idle_in_transaction: { mode: 'dry_run', findings: 1, proposed: 1 },
      long_running: { findings: 0 },
    });
    // Without destructive_ok, auto is not enough.
    const unsure = (text: string) => replaceIn(watch(text), 'mode: dry_run', 'mode: auto');
    expect(await run('postgres.long-transactions', unsure)).toMatchObject({ idle_in_transaction: { proposed: 1 } });
    expect(await lives()).toBe(true);
    expect(await run('postgres.long-transactions', (text) => acting(watch(text)))).toMatchObject({
      idle_in_transaction: { mode: 'auto', findings: 1, cured: 1, failed: 0 },
    });
    expect(await lives()).toBe(false);
    await expect(idler.query('commit')).rejects.toThrow(/terminat|connection/i);
    await idler.end().catch(() => {});
  });

  it('lets those be that are spared, and lists what is open for long', async () => {
    const application = `dumper-${randomBytes(4).toString('hex')}`;
    const dumper = await connect(application);
    const pid = await pidOf(dumper);
    await dumper.query('begin');
    const sparing = (text: string) => replaceIn(only(application)(text), '[pg_dump]', `[pg_dump, ${application}]`);
    const found = await run('postgres.long-transactions', (text) =>
      replaceIn(
        replaceIn(acting(sparing(text)), 'open_for: 10 days', 'open_for: 0 seconds'),
        "where backend_type = 'client backend'",
        `where pid = ${pid} and backend_type = 'client backend'`,
      ),
    );
    expect(found).toMatchObject({ idle_in_transaction: { findings: 0 }, long_running: { findings: 1, left: 1 } });
    await dumper.query('commit');
    await dumper.end();
  });
});

describe('postgres.replication-slots', () => {
  const slot = `left_behind_${randomBytes(4).toString('hex')}`;
  afterAll(async () => {
    const drop = 'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1';
    await client.query(drop, [slot]);
  });

  const holding = (most: string) => (text: string) => replaceIn(text, 'most_wal: 5 GB', `most_wal: ${most}`);
  const found = async (change: (text: string) => string) =>
    (await run('postgres.replication-slots', change))['inactive_slot'];

  it('finds a slot that nobody reads and that holds back the log, and in auto drops it', async () => {
    expect(await found(holding('64 kB'))).toMatchObject({ findings: 0 });
    await client.query('select pg_create_physical_replication_slot($1, true)', [slot]);
    await eventually(async () => {
      await client.query("select pg_logical_emit_message(true, 'filling', repeat('x', 200000))");
      return (await found(holding('64 kB')))?.findings === 1;
    });
    expect(await found(holding('64 kB'))).toMatchObject({ mode: 'dry_run', findings: 1, proposed: 1 });
    expect(await found(holding('5 GB'))).toMatchObject({ findings: 0 });
    const spared = (text: string) => replaceIn(holding('64 kB')(text), 'spared_slots: []', `spared_slots: [${slot}]`);
    expect(await found(spared)).toMatchObject({ findings: 0 });
    const acting = (text: string) =>
      replaceIn(
        replaceIn(holding('64 kB')(text), 'mode: dry_run', 'mode: auto'),
        'destructive_ok: false',
        'destructive_ok: true',
      );
    expect(await found(acting)).toMatchObject({ mode: 'auto', findings: 1, cured: 1 });
    const left = await client.query('select 1 from pg_replication_slots where slot_name = $1', [slot]);
    expect(left.rowCount).toBe(0);
  });
});
