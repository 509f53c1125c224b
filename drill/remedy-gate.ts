import type pg from 'pg';
import { gateLock } from './ledger-log.ts';
import type { LedgerPoint } from './ledger-log.ts';

/** A place in a remedy: in the watched database, or when its triplets have been sent to the history and it has not committed. */
export type RemedyPoint = LedgerPoint | 'prepare';

/** A remedy that comes by is held until it is let go. */
export interface Gate {
  /** Whether one is held now. */
  isHolding: () => Promise<boolean>;
  release: () => Promise<void>;
}

const heldInLedger = `
  SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND application_name LIKE 'actcore %' AND wait_event_type = 'Lock'
    AND wait_event = 'advisory'`;
const heldInHistory = `
  SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%actcore.prepare_actions%'
    AND pid <> pg_backend_pid()`;

const heldInCommit = `
  SELECT FROM pg_stat_activity
  WHERE datname = current_database() AND application_name LIKE 'actcore %' AND wait_event = 'SyncRep'`;

/** Closes a place to remedies. */
export async function closeGate(point: RemedyPoint, ledger: pg.Pool, history: pg.Pool): Promise<Gate> {
  if (point === 'commit') return closeCommit(ledger);
  const pool = point === 'prepare' ? history : ledger;
  const client = await pool.connect();
  if (point === 'prepare') {
    await client.query('BEGIN');
    await client.query('LOCK TABLE actcore.action_batches IN EXCLUSIVE MODE');
  } else {
    await client.query('SELECT pg_advisory_lock($1)', [gateLock]);
    await client.query('INSERT INTO drill.gate (point) VALUES ($1)', [point]);
  }
  return {
    isHolding: () => hasRow(pool, point === 'prepare' ? heldInHistory : heldInLedger),
    async release() {
      if (point === 'prepare') await client.query('ROLLBACK');
      else {
        await client.query('DELETE FROM drill.gate');
        await client.query('SELECT pg_advisory_unlock($1)', [gateLock]);
      }
      client.release();
    },
  };
}

/**
 * A commit that waits for a standby is written and cannot be taken back; when no standby is asked for any more it goes
 * through. All other sessions do not ask for one.
 */
async function closeCommit(ledger: pg.Pool): Promise<Gate> {
  await ledger.query("ALTER SYSTEM SET synchronous_commit = 'local'");
  await ledger.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
  await ledger.query("INSERT INTO drill.gate (point) VALUES ('commit')");
  await ledger.query('SELECT pg_reload_conf()');
  return {
    isHolding: () => hasRow(ledger, heldInCommit),
    async release() {
      await ledger.query('ALTER SYSTEM RESET synchronous_standby_names');
      await ledger.query('SELECT pg_reload_conf()');
      await ledger.query('DELETE FROM drill.gate');
    },
  };
}

async function hasRow(pool: pg.Pool, query: string): Promise<boolean> {
  return (await pool.query(query)).rowCount !== 0;
}
