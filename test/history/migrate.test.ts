import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openHistory } from '../../history/database.ts';
import { NewerHistoryError, migrate } from '../../history/migrate.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

const names = readdirSync(new URL('../../history/migrations/', import.meta.url)).sort();

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(() => database.drop());

/** Runs something on a pool of its own, as an install has one. */
async function withPool<Result>(use: (pool: ReturnType<typeof openHistory>) => Promise<Result>): Promise<Result> {
  const pool = openHistory(database.url);
  try {
    return await use(pool);
  } finally {
    await pool.end();
  }
}

async function listTables(): Promise<string[]> {
  return withPool(async (pool) => {
    const { rows } = await pool.query<{ name: string }>(
      "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname = 'actcore' ORDER BY 1",
    );
    return rows.map(({ name }) => name);
  });
}

it('20 installs at once on an empty database apply each migration once in total', async () => {
  const applied = await Promise.all(Array.from({ length: 20 }, () => withPool(migrate)));
  expect(applied.flat().sort()).toEqual(names);
  const { rows } = await withPool((pool) => pool.query<{ name: string }>('SELECT name FROM actcore.migrations'));
  expect(rows.map(({ name }) => name).sort()).toEqual(names);
  expect(await listTables()).toContain('actcore.runs');
});

it('migrating again applies nothing', async () => {
  expect(await withPool(migrate)).toEqual(names);
  expect(await withPool(migrate)).toEqual([]);
});

it('a role that may not create schemas can migrate a history that is up to date', async () => {
  await withPool(migrate);
  const role = `limited_${new URL(database.url).pathname.slice(1)}`;
  await withPool(async (pool) => {
    await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'limited'`);
    await pool.query(`GRANT USAGE ON SCHEMA actcore TO ${role}; GRANT SELECT ON actcore.migrations TO ${role}`);
  });
  const url = new URL(database.url);
  [url.username, url.password] = [role, 'limited'];
  const limited = openHistory(url.href);
  try {
    expect(await migrate(limited)).toEqual([]);
  } finally {
    await limited.end();
    await withPool((pool) => pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`));
  }
});

it('a history with a migration that this version does not know is refused by name, and left as it is', async () => {
  await withPool(migrate);
  await withPool((pool) => pool.query("INSERT INTO actcore.migrations (name) VALUES ('999-from-the-future.sql')"));
  const before = await listTables();
  const refused = withPool(migrate);
  await expect(refused).rejects.toThrow(NewerHistoryError);
  await expect(refused).rejects.toThrow(/999-from-the-future\.sql.*use the newer program/);
  expect(await listTables()).toEqual(before);
});

it('a migration that fails in the middle leaves nothing of itself, and the next one succeeds', async () => {
  await withPool((pool) => pool.query('CREATE SCHEMA actcore; CREATE TABLE actcore.assessments (in_the_way int)'));
  await expect(withPool(migrate)).rejects.toThrow('relation "assessments" already exists');
  expect(await listTables()).toEqual(['actcore.assessments']);
  await withPool((pool) => pool.query('DROP TABLE actcore.assessments'));
  expect(await withPool(migrate)).toEqual(names);
});

it('a migration waits for a lock longer than a query may take', { timeout: 60_000 }, async () => {
  await withPool(async (holder) => {
    const client = await holder.connect();
    await client.query("SELECT pg_advisory_lock(hashtextextended('actcore.migrate', 0))");
    const waiting = withPool(migrate);
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    await client.query("SELECT pg_advisory_unlock(hashtextextended('actcore.migrate', 0))");
    client.release();
    expect(await waiting).toEqual(names);
  });
});
