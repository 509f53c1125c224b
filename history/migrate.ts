import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { becomeOwner, renewRights } from './roles.ts';

/** Twenty installs queue on one lock, and a migration of a big history takes its time: neither is a slow query. */
const patienceMs = 600_000;

const folder = new URL('./migrations/', import.meta.url);

/** The history was made by a newer version of the program than this one. */
export class NewerHistoryError extends Error {
  override readonly name = 'NewerHistoryError';
}

/**
 * Brings the schema `actcore` up to date, each migration in one transaction under an advisory lock, so that any number
 * of installs may start at once. Returns the names of the migrations that this call applied.
 */
export async function migrate(pool: pg.Pool): Promise<string[]> {
  const known = await listKnown();
  const applied: string[] = [];
  const client = await pool.connect();
  try {
    await client.query(`SET statement_timeout = ${patienceMs}`);
    await becomeOwner(client);
    for (const name of known) {
      if (await applyPersistently(client, name, known)) applied.push(name);
    }
    if (applied.length > 0) await renewRights(client);
    return applied;
  } finally {
    client.release(true);
  }
}

const mostAttempts = 10;

/** The migrations that this program knows and the history does not have; changes nothing. */
export async function listPending(pool: pg.Pool): Promise<string[]> {
  const known = await listKnown();
  const { rows } = await pool.query<{ there: boolean }>(
    `SELECT to_regclass('actcore.migrations') IS NOT NULL AS there`,
  );
  if (rows[0]?.there !== true) return known;
  const done = await pool.query<{ name: string }>('SELECT name FROM actcore.migrations');
  const names = new Set(done.rows.map(({ name }) => name));
  return known.filter((name) => !names.has(name));
}

async function listKnown(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
}

/** Again where the server broke a deadlock with somebody who reads or writes meanwhile: nothing of it is done then. */
async function applyPersistently(client: pg.PoolClient, name: string, known: string[]): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await applyOnce(client, name, known);
    } catch (error) {
      const isDeadlock = error instanceof pg.DatabaseError && error.code === '40P01';
      if (!isDeadlock || attempt === mostAttempts) throw error;
    }
  }
}

async function applyOnce(client: pg.PoolClient, name: string, known: string[]): Promise<boolean> {
  await client.query('BEGIN');
  try {
    await runPatiently(client, "SELECT pg_advisory_xact_lock(hashtextextended('actcore.migrate', 0))");
    const done = await readApplied(client);
    const unknown = done.filter((other) => !known.includes(other));
    if (unknown.length > 0) {
      throw new NewerHistoryError(
        `the history has the migration ${unknown.join(', ')}, which this version does not know; use the newer program`,
      );
    }
    const isNew = !done.includes(name);
    if (isNew) {
      await runPatiently(client, await readFile(new URL(name, folder), 'utf8'));
      await client.query('INSERT INTO actcore.migrations (name) VALUES ($1)', [name]);
    }
    await client.query('COMMIT');
    return isNew;
  } catch (error) {
    // Where the connection is gone the server has rolled back by itself, and the first error says more.
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** The names of the migrations in this history; makes the table that lists them where there is none. */
async function readApplied(client: pg.PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ schema: boolean; table: boolean }>(
    `SELECT to_regnamespace('actcore') IS NOT NULL AS schema, to_regclass('actcore.migrations') IS NOT NULL AS "table"`,
  );
  if (rows[0]?.table !== true) {
    // Who may not create schemas may have been given this one.
    if (rows[0]?.schema !== true) await client.query('CREATE SCHEMA actcore');
    await client.query(
      'CREATE TABLE actcore.migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
    );
  }
  return (await client.query<{ name: string }>('SELECT name FROM actcore.migrations')).rows.map((row) => row.name);
}

async function runPatiently(client: pg.PoolClient, text: string): Promise<void> {
  // The driver knows this key of a query; its types do not.
  const query: pg.QueryConfig & { query_timeout: number } = { text, query_timeout: patienceMs };
  await client.query(query);
}
