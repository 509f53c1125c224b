import type { WatchRun } from '../../history/watch-ledger.ts';
import type { RunContext } from '../run.ts';
import type { DatabaseAddress } from './address.ts';
import { WatchError } from './check-error.ts';
import { type WatchedDatabase, openWatched } from './database.ts';
import { type WatchLock, takeLock } from './lock.ts';
import { statementTimeout } from './watch.ts';
import { watchReasons } from './watch-reasons.ts';

/** The connection of a run, with the definition's lock. */
export interface Session {
  database: WatchedDatabase;
  /** The connection, made anew where it broke: one check that loses it does not take the others with it. */
  revive(): Promise<WatchedDatabase>;
  close(): Promise<void>;
}

const connectTimeoutMs = 5_000;

interface Held {
  database: WatchedDatabase;
  lock: WatchLock;
}

/**
 * Connects and takes the lock; a sentence that names the holder where another run has it.
 *
 * @throws WatchError; the signal's reason
 */
export async function openSession(
  context: RunContext,
  address: DatabaseAddress,
  run: WatchRun,
): Promise<Session | { holder: string }> {
  const first = await connectAndLock(context, address, run);
  if ('holder' in first) return first;
  let held = first;
  const close = async () => {
    if (held.database.isAlive()) await held.lock.release();
    await held.database.close();
  };
  return {
    database: held.database,
    async revive() {
      if (held.database.isAlive()) return held.database;
      await held.database.close();
      const next = await connectAndLock(context, address, run);
      if ('holder' in next) throw new WatchError(watchReasons.locked(next.holder));
      held = next;
      return held.database;
    },
    close,
  };
}

async function connectAndLock(
  context: RunContext,
  address: DatabaseAddress,
  run: WatchRun,
): Promise<Held | { holder: string }> {
  const { signal, order } = context;
  const database = await openWatched(address, {
    ...{ signal, runId: run.runId, longestMs: order.budget.hardTimeoutMs },
    timeoutMs: Math.min(connectTimeoutMs, statementTimeout(context)),
  });
  try {
    const lock = await takeLock(database.client, run.definitionUuid);
    if (!('holder' in lock)) return { database, lock };
    await database.close();
    return lock;
  } catch (error) {
    await database.close();
    if (signal.aborted) throw signal.reason;
    throw error;
  }
}
