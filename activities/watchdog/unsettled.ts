import type pg from 'pg';
import type { WatchLedger } from '../../history/watch-ledger.ts';
import type { WatchedDatabase } from './database.ts';
import type { Watch } from './watch.ts';

/** The worker of a request that says nothing for so long after its hard timeout will say nothing any more. */
const lostAfterMs = 60_000;

/**
 * Finds out what became of the transactions whose triplets an earlier run has left unsettled, because its worker died or the
 * history went away in between. The definition's lock is held, so none of those runs is still at work here.
 */
export async function settleEarlier(
  { client, systemIdentifier }: WatchedDatabase,
  { watch, history, context, order }: Pick<Watch, 'history' | 'context' | 'order'> & { watch: WatchLedger },
): Promise<void> {
  const { uuid } = order.definition;
  const unsettled = (await history.ask(() => watch.listUnsettled(uuid))) ?? [];
  const lostBeforeMs = context.deps.now().getTime() - order.budget.hardTimeoutMs - lostAfterMs;
  for (const batch of unsettled) {
    if (batch.xid === undefined && Date.parse(batch.preparedAt) > lostBeforeMs) continue;
    // Another server knows nothing of it: it waits for a run there.
    if (batch.xid !== undefined && batch.systemIdentifier !== systemIdentifier) continue;
    const fate = batch.xid === undefined ? 'committed' : await askFate(client, batch.xid);
    if (fate !== undefined) await history.ask(() => watch.settle(batch.id, fate).then(() => true));
  }
}

/** Undefined while the transaction is open. */
async function askFate(client: pg.ClientBase, xid: string): Promise<'committed' | 'aborted' | undefined> {
  try {
    const { rows } = await client.query<{ status: string | null }>('SELECT pg_xact_status($1) AS status', [xid]);
    const status = rows[0]?.status ?? null;
    if (status === 'in progress') return undefined;
    // Null: so old that the server has forgotten it. What was done and is not told is worse than the reverse.
    return status === 'aborted' ? 'aborted' : 'committed';
  } catch (error) {
    // It lies in the future: the server was put back to a time before it.
    if ((error as { code?: string }).code === '22023') return 'aborted';
    throw error;
  }
}
