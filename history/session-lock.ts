import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

/** Who holds the lock, as Postgres knows the session. */
export interface LockHolder {
  /** What the holder calls itself; empty where this user may not see it. */
  name: string;
  /** ISO, UTC: since when its session is there. */
  since: string;
}

/** Which lock, what its holder is called meanwhile, and for how long it is waited for. */
export interface LockRequest {
  lock: string;
  name: string;
  patienceMs: number;
}

const lockKey = 'hashtextextended($1, 0)';
const retryMs = 100;
/** Postgres cuts the name of a session to this many bytes. */
const longestName = 63;

/**
 * Does `use` while no other process holds the lock of this name, on the session that holds it. Waits for up to
 * `patienceMs`, then returns the holder instead. The lock ends with the session, however that ends.
 */
export async function underLock<Result>(
  pool: pg.Pool,
  { lock, name, patienceMs }: LockRequest,
  use: (client: pg.PoolClient) => Promise<Result>,
): Promise<{ result: Result } | { holder: LockHolder }> {
  const client = await pool.connect();
  // Without a listener a connection that breaks while it is idle would end the process; the next query says so.
  client.on('error', () => {});
  try {
    await client.query("SELECT set_config('application_name', $1, false)", [name.slice(0, longestName)]);
    const givenUpAt = Date.now() + patienceMs;
    while (!(await tryLock(client, lock))) {
      if (Date.now() >= givenUpAt) return { holder: await findHolder(client, lock) };
      await sleep(retryMs);
    }
    return { result: await use(client) };
  } finally {
    client.release(true);
  }
}

async function tryLock(client: pg.PoolClient, lock: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(`SELECT pg_try_advisory_lock(${lockKey}) AS locked`, [lock]);
  return rows[0]?.locked === true;
}

async function findHolder(client: pg.PoolClient, lock: string): Promise<LockHolder> {
  // The lock's 64 bits stand in two columns of 32.
  const { rows } = await client.query<LockHolder>(
    `SELECT coalesce(application_name, '') AS name,
       to_char(coalesce(backend_start, now()) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
     FROM pg_locks JOIN pg_stat_activity USING (pid)
     WHERE locktype = 'advisory' AND granted AND objsubid = 1
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND (classid::bigint << 32 | objid::bigint) = ${lockKey}`,
    [lock],
  );
  return rows[0] ?? { name: '', since: new Date().toISOString() };
}
