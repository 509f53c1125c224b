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

/** Closes a place to remedies. */
export async function closeGate(point: RemedyPoint, ledger: pg.Pool, history: pg.Pool): Promise<Gate> {
  const inHistory = point === 'prepare';
  const pool = inHistory ? history : ledger;
  const client = await pool.connect();
  if (inHistory) {
    await client.query('BEGIN');
    await client.query('LOCK TABLE actcore.action_batches IN EXCLUSIVE MODE');
  } else {
    await client.query('SELECT pg_advisory_lock($1)', [gateLock]);
    await client.query('INSERT INTO drill.gate (point) VALUES ($1)', [point]);
  }
  return {
    async isHolding() {
      const { rowCount } = await pool.query(inHistory ? heldInHistory : heldInLedger);
      return rowCount !== 0;
    },
    async release() {
      if (inHistory) await client.query('ROLLBACK');
      else {
        await client.query('DELETE FROM drill.gate');
        await client.query('SELECT pg_advisory_unlock($1)', [gateLock]);
      }
      client.release();
    },
  };
}
