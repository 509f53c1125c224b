import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { underApplyLock } from '../../history/apply-lock.ts';
import { openHistory } from '../../history/database.ts';
import { openDetailWriter } from '../../history/detail-writer.ts';
import { listErrors } from '../../history/errors.ts';
import { measureSize } from '../../history/health-queries.ts';
import { listJournal } from '../../history/journal.ts';
import { createLedger } from '../../history/ledger.ts';
import { migrate } from '../../history/migrate.ts';
import { findRun, listRuns } from '../../history/queries.ts';
import { keepRevisions, recordApplied } from '../../history/revisions.ts';
import { createRoles } from '../../history/roles.ts';
import type { Role } from '../../history/roles.ts';
import { runIdOf } from '../../history/run-id.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { makeResult } from './support/details.ts';
import { makeOrder, makeReport, makeTick } from './support/history.ts';

let database: TestDatabase;
let owner: pg.Pool;
const pools = new Map<Role, pg.Pool>();

/** A pool of a login that has a role, and nothing else. */
async function openAs(role: Role, at = database.url): Promise<pg.Pool> {
  const login = `login_${randomUUID().slice(0, 8)}`;
  await owner.query(`CREATE ROLE ${login} LOGIN PASSWORD 'secret'; GRANT ${role} TO ${login}`);
  const url = new URL(at);
  [url.username, url.password] = [login, 'secret'];
  return openHistory(url.href);
}

const as = (role: Role): pg.Pool => pools.get(role) ?? owner;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = openHistory(database.url);
  await migrate(owner);
  await createRoles(owner);
  for (const role of ['actcore_migrator', 'actcore_worker', 'actcore_operator', 'actcore_reader'] as const) {
    pools.set(role, await openAs(role));
  }
}, 60_000);

afterAll(async () => {
  for (const pool of pools.values()) await pool.end();
  await owner.end();
  await database.drop();
});

const signature = { actor: 'tester', source: 'test', workspace: 'here' };

it('a worker writes runs, replaces details, writes results, and makes the months that are missing', async () => {
  const pool = as('actcore_worker');
  const order = makeOrder();
  const scheduledAt = '2033-05-01T00:15:00.000Z';
  const firing = makeTick({ scheduledAt });
  const failedAttempts = [{ attempt: 1, at: scheduledAt, error: 'refused', rescued: false }];
  const assessmentFailures = [{ target: 'a', rule: 'C-05', message: 'differs' }];
  const ledger = createLedger(pool);
  await ledger.recordStart(order, firing, { startedAt: scheduledAt, attempt: 1 });
  await ledger.recordEnd(order, firing, makeReport({ certainty: 'inferred', failedAttempts, assessmentFailures }));
  await ledger.recordEnd(order, firing, makeReport({ failedAttempts: [], assessmentFailures }));
  const runId = runIdOf(order.definition.uuid, firing);
  expect(await findRun(pool, runId)).toMatchObject({ outcome: 'completed', failedAttempts: [], assessmentFailures });
  const writer = openDetailWriter(pool);
  writer.offer(makeResult(runId, 0, { scheduledAt: '2033-06-01T00:00:00.000Z' }));
  expect(await writer.settle(runId, 5_000)).toEqual({ written: 1, dropped: 0 });
  await writer.close();
});

it('an operator applies under the lock, journals it, and reads', async () => {
  const pool = as('actcore_operator');
  const { definition, contractHash, revision } = makeOrder();
  const applied = {
    ...{ uuid: definition.uuid, id: definition.id, enabled: true, revision, contractHash },
    ...{ file: 'a.md', text: 'text', content: { title: 'A' } },
  };
  const done = await underApplyLock(pool, 'test', 0, async (client) => {
    await keepRevisions(client, [applied], 'tester');
    await recordApplied(client, [applied], signature);
    return 'applied';
  });
  expect(done).toEqual({ result: 'applied' });
  expect(await listJournal(pool, { entityId: definition.id, limit: 10 })).toHaveLength(2);
  expect(await listErrors(pool, { limit: 1 })).toBeInstanceOf(Array);
});

it('a reader reads everything, also what is made later', async () => {
  const pool = as('actcore_reader');
  await owner.query("SELECT actcore.ensure_month('2034-01-01')");
  expect(await listRuns(pool, { limit: 1 })).toHaveLength(1);
  const { rows } = await owner.query<{ name: string }>(
    `SELECT format('actcore.%I', relname) AS name FROM pg_class WHERE relnamespace = 'actcore'::regnamespace AND relkind IN ('r', 'p')`,
  );
  for (const { name } of rows) await pool.query(`SELECT FROM ${name} LIMIT 1`);
  expect(rows.length).toBeGreaterThan(20);
  // As pg_dump does.
  await pool.query('SELECT last_value FROM actcore.findings_id_seq');
  expect(await measureSize(pool)).toHaveProperty('oldestMonth');
});

const journalChanges = [
  'UPDATE actcore.journal SET actor = actor',
  'DELETE FROM actcore.journal',
  'TRUNCATE actcore.journal',
];

describe.each<[Role, string[]]>([
  [
    'actcore_worker',
    [
      ...journalChanges,
      ...["INSERT INTO actcore.migrations (name) VALUES ('x')", 'DELETE FROM actcore.runs', 'TRUNCATE actcore.runs'],
      ...['UPDATE actcore.definitions SET enabled = true', 'DELETE FROM actcore.revisions', 'DROP TABLE actcore.runs'],
      ...['CREATE TABLE actcore.mine (x int)', 'ALTER TABLE actcore.journal DISABLE TRIGGER ALL'],
      ...['SET ROLE actcore_operator', 'SET ROLE actcore_migrator'],
    ],
  ],
  [
    'actcore_operator',
    [
      ...journalChanges,
      ...['DELETE FROM actcore.definitions', 'DELETE FROM actcore.runs', 'UPDATE actcore.migrations SET name = name'],
      ...['DROP FUNCTION actcore.refuse_change CASCADE', 'SET ROLE actcore_migrator'],
    ],
  ],
  [
    'actcore_reader',
    [
      ...journalChanges,
      ...['INSERT INTO actcore.definitions DEFAULT VALUES', 'UPDATE actcore.runs SET reason = reason'],
      ...["SELECT actcore.ensure_month('2040-01-01')", 'DELETE FROM actcore.errors', 'SET ROLE actcore_worker'],
    ],
  ],
])('%s', (role, statements) => {
  it.each(statements)('may not %s', async (statement) => {
    await expect(as(role).query(statement)).rejects.toMatchObject({ code: '42501' });
  });
});

it('even the owner of the journal cannot change it while its triggers stand', async () => {
  for (const statement of journalChanges) {
    await expect(as('actcore_migrator').query(statement)).rejects.toThrow(/append-only/);
  }
});

it('what a migration makes belongs to the owner, whoever of its members runs it, and its rights are set', async () => {
  const own = await createTestDatabase();
  const [superuser, migrator] = [openHistory(own.url), await openAs('actcore_migrator', own.url)];
  const worker = await openAs('actcore_worker', own.url);
  try {
    await superuser.query('CREATE SCHEMA actcore AUTHORIZATION actcore_migrator');
    expect(await migrate(migrator)).not.toEqual([]);
    const { rows } = await superuser.query<{ owner: string }>(
      `SELECT DISTINCT relowner::regrole::text AS owner FROM pg_class WHERE relnamespace = 'actcore'::regnamespace`,
    );
    expect(rows).toEqual([{ owner: 'actcore_migrator' }]);
    await createLedger(worker).recordEnd(makeOrder(), makeTick({ scheduledAt: '2035-01-01T00:00:00Z' }), makeReport());
    await expect(worker.query('UPDATE actcore.journal SET actor = actor')).rejects.toMatchObject({ code: '42501' });
  } finally {
    for (const pool of [superuser, migrator, worker]) await pool.end();
    await own.drop();
  }
});

it('a user that is no superuser, but may create roles and owns the database, can do all of it, and again', async () => {
  const admin = `admin_${randomUUID().slice(0, 8)}`;
  const own = await createTestDatabase();
  const name = pg.escapeIdentifier(new URL(own.url).pathname.slice(1));
  await owner.query(`CREATE ROLE ${admin} LOGIN CREATEROLE PASSWORD 'secret'; ALTER DATABASE ${name} OWNER TO ${admin};
    GRANT actcore_migrator TO ${admin} WITH ADMIN OPTION`);
  const url = new URL(own.url);
  [url.username, url.password] = [admin, 'secret'];
  const pool = openHistory(url.href);
  try {
    await migrate(pool);
    expect((await createRoles(pool)).handedOver).toBeGreaterThan(15);
    expect(await createRoles(pool)).toEqual({ created: [], handedOver: 0 });
    expect(await migrate(pool)).toEqual([]);
    await createLedger(pool).recordEnd(
      makeOrder(),
      makeTick({ scheduledAt: '2037-01-01T00:00:00.000Z' }),
      makeReport(),
    );
  } finally {
    await pool.end();
    await own.drop();
  }
});
