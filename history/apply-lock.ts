import type pg from 'pg';
import { underLock } from './session-lock.ts';
import type { LockHolder } from './session-lock.ts';

export type { LockHolder } from './session-lock.ts';

/**
 * Does `use` while no other process that changes schedules from definitions does, on the session that holds the lock.
 * Waits for up to `patienceMs`, then returns the holder instead.
 */
export function underApplyLock<Result>(
  pool: pg.Pool,
  name: string,
  patienceMs: number,
  use: (client: pg.PoolClient) => Promise<Result>,
): Promise<{ result: Result } | { holder: LockHolder }> {
  return underLock(pool, { lock: 'actcore.apply', name, patienceMs }, use);
}
