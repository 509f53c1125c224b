import type pg from 'pg';
import { watchReasons } from './watch-reasons.ts';

/** The lock of one definition in the watched database; it lives as long as its session. */
export interface WatchLock {
  release(): Promise<void>;
}

/** The holder may be gone between two questions, and another may come. */
const tries = 3;

/** Takes the definition's lock; a sentence that names the holder where somebody has it. */
export async function takeLock(client: pg.ClientBase, definitionUuid: string): Promise<WatchLock | { holder: string }> {
  const key = lockKeyOf(definitionUuid);
  for (let attempt = 1; ; attempt += 1) {
    const { rows } = await client.query<{ taken: string }>('SELECT pg_try_advisory_lock($1) AS taken', [String(key)]);
    if (rows[0]?.taken === 't') {
      return {
        release: async () => void (await client.query('SELECT pg_advisory_unlock($1)', [String(key)]).catch(() => {})),
      };
    }
    const holder = await describeHolder(client, key);
    if (holder !== undefined) return { holder };
    if (attempt === tries) return { holder: watchReasons.unnamedHolder };
  }
}

/** The first half of the UUID, as the signed 64 bits that an advisory lock is named by. */
export function lockKeyOf(definitionUuid: string): bigint {
  return BigInt.asIntN(64, BigInt(`0x${definitionUuid.replaceAll('-', '').slice(0, 16)}`));
}

const findHolder = `
  SELECT application_name AS name, pid, host(client_addr) AS address,
    to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS since
  FROM pg_locks LEFT JOIN pg_stat_activity USING (pid)
  WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid::bigint = $1 AND objid::bigint = $2
    AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

async function describeHolder(client: pg.ClientBase, key: bigint): Promise<string | undefined> {
  const bits = BigInt.asUintN(64, key);
  const { rows } = await client.query<Record<'name' | 'pid' | 'address' | 'since', string | null>>(findHolder, [
    String(bits >> 32n),
    String(bits & 0xff_ff_ff_ffn),
  ]);
  const [holder] = rows;
  if (holder === undefined) return undefined;
  const { name, pid, address, since } = holder;
  const run = /^actcore ([0-9a-f-]{36})$/.exec(name ?? '')?.[1];
  const who = run === undefined ? `a session named ${name === null || name === '' ? 'nothing' : name}` : `run ${run}`;
  const from = address === null ? '' : ` from ${address}`;
  return `${who} (process ${pid}${from}${since === null ? '' : `, connected since ${since} UTC`})`;
}
