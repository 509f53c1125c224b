import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { LockHolder } from './report.ts';

/** The lock with the connection that holds it: the sweep works on this one, so that losing the lock ends its writing. */
export interface SweepLock {
  client: pg.Client;
  /** Aborted when the connection is lost, and the lock with it. */
  lost: AbortSignal;
  release(): Promise<void>;
}

const lockKeys = "hashtext('state_hub.sweep'), 0";

/** A dead holder's machine is noticed within a minute; a dead process at once, by its closed socket. */
const keepalives = '-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3';

/** Takes the lock of all sweeps on this database without waiting; else says who holds it. Throws what pg throws. */
export async function takeSweepLock(
  databaseUrl: string,
  request: { source: string; run_id: string },
): Promise<SweepLock | { holder: LockHolder | null; client: pg.Client }> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
    statement_timeout: 30_000,
    keepAlive: true,
    application_name: 'state-hub sweep',
    options: keepalives,
  });
  const lost = new AbortController();
  client.on('error', (error) => lost.abort(error));
  client.on('end', () => lost.abort(new Error('the connection to the database was closed')));
  try {
    await client.connect();
    const { rows } = await client.query<{ taken: boolean }>(`select pg_try_advisory_lock(${lockKeys}) as taken`);
    if (rows[0]?.taken !== true) return { holder: await readHolder(client), client };
    await signHolder(client, request);
    return { client, lost: lost.signal, release: () => client.end() };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

async function signHolder(client: pg.Client, request: { source: string; run_id: string }): Promise<void> {
  await client.query(
    `insert into state_hub.sweep_holder (backend_pid, source, run_id, taken_at)
     values (pg_backend_pid(), $1, $2, clock_timestamp())
     on conflict (only_row) do update
       set backend_pid = excluded.backend_pid, source = excluded.source, run_id = excluded.run_id,
           taken_at = excluded.taken_at`,
    [request.source, request.run_id],
  );
}

const selectHolder = `
  select holder.source, holder.run_id,
         round(extract(epoch from clock_timestamp() - holder.taken_at)::numeric, 3)::float8 as age_seconds
  from state_hub.sweep_holder holder
  join pg_locks l on l.pid = holder.backend_pid
  where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.objid = 0
    and l.database = (select oid from pg_database where datname = current_database())
    and l.classid = (hashtext('state_hub.sweep')::bigint & 4294967295)::oid
`;

/** The signature counts only while the process that signed holds the lock; a holder that has just begun is waited for. */
async function readHolder(client: pg.Client): Promise<LockHolder | null> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const { rows } = await client.query<LockHolder>(selectHolder);
    if (rows[0] !== undefined) return rows[0];
    await sleep(50);
  }
  return null;
}
