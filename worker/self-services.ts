import { Client } from '@temporalio/client';
import type { ConnectionLike } from '@temporalio/client';
import { openHistory } from '../history/database.ts';
import { defaultSettleMs, reconcile } from '../reconcile/pass.ts';
import type { SelfServices } from './self-endpoint.ts';

/** Where what the worker does for itself is done. */
export interface SelfContext {
  connection: ConnectionLike;
  namespace: string;
  taskQueue: string;
  databaseUrl: string;
}

/** Names on the run's row; an answer of a thousand says as much. */
const mostFailures = 500;

/** What a worker does for its own runs. */
export function createSelfServices({ connection, namespace, taskQueue, databaseUrl }: SelfContext): SelfServices {
  const client = new Client({ connection, namespace });
  return {
    /** Body: `settle_seconds`, how old a tick must be before it is judged. */
    '/reconcile': async ({ settle_seconds: settle }) => {
      // Connections of its own: a pass with many definitions must not make the runs wait for theirs.
      const pool = openHistory(databaseUrl);
      try {
        const settleMs = typeof settle === 'number' && settle >= 0 ? settle * 1_000 : defaultSettleMs;
        const pass = await reconcile(client, pool, { taskQueue, settleMs, now: new Date() });
        if (pass.status === 'lock_skipped') return pass;
        return { ...pass, assessment_failures: pass.assessment_failures.slice(0, mostFailures) };
      } finally {
        await pool.end();
      }
    },
  };
}
