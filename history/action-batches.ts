import type pg from 'pg';
import type { ActionRecord } from '../workflows/contract.ts';
import { isoColumn } from './iso-column.ts';
import { storable } from './storable.ts';
import type { ActionBatch, WatchRun } from './watch-ledger.ts';

/** Triplets that wait to hear what became of their transaction; `preparedAt` is ISO. */
export interface UnsettledBatch {
  id: string;
  systemIdentifier: string;
  /** Absent for a request. */
  xid?: string;
  preparedAt: string;
}

const parameters = Array.from({ length: 19 }, (_, index) => `$${index + 1}`).join(', ');
const prepare = `actcore.prepare_actions(${parameters})`;

/** Keeps triplets before their transaction commits; may be repeated. */
export async function prepareActions(pool: pg.Pool, batch: ActionBatch): Promise<void> {
  await pool.query(`SELECT ${prepare}`, prepareValues(batch));
}

/** Says what became of them; see `WatchLedger.settle`. */
export async function settleActions(pool: pg.Pool, batchId: string, fate: 'committed' | 'aborted'): Promise<void> {
  await pool.query('SELECT actcore.settle_actions($1, $2)', [batchId, fate]);
}

/** Keeps triplets of what is done already, and whose run could not write them when it did it; may be repeated. */
export async function keepDone(pool: pg.Pool, run: WatchRun, actions: ActionRecord[]): Promise<void> {
  const batch = { id: run.runId, run, systemIdentifier: '', actions };
  await pool.query(`SELECT ${prepare}, actcore.settle_actions($1, 'committed')`, prepareValues(batch));
}

/** The batches of a definition whose fate nobody told, the oldest first. */
export async function listUnsettled(pool: pg.Pool, definitionUuid: string): Promise<UnsettledBatch[]> {
  const { rows } = await pool.query<UnsettledBatch & { xid: string | null }>(
    `SELECT id, system_identifier AS "systemIdentifier", xid, ${isoColumn('prepared_at')} AS "preparedAt"
     FROM actcore.action_batches WHERE definition_uuid = $1 AND fate = 'pending' ORDER BY prepared_at, id`,
    [definitionUuid],
  );
  return rows.map(({ xid, ...batch }) => (xid === null ? batch : { ...batch, xid }));
}

function prepareValues({ id, run, systemIdentifier, xid, actions }: ActionBatch): unknown[] {
  const column = (read: (action: ActionRecord) => string | null | undefined) =>
    actions.map((action) => storableOrNull(read(action)));
  return [
    ...[id, run.definitionUuid, storable(run.definitionId), run.runId, new Date(run.scheduledAt).toISOString()],
    ...[run.trigger, systemIdentifier, xid ?? null],
    ...[column((action) => action.id), column(({ checkName }) => checkName), column(({ findingKey }) => findingKey)],
    ...[column(({ action }) => action), column(({ mode }) => mode), column(({ outcome }) => outcome)],
    ...[column(({ before }) => before), column(({ after }) => after), column(({ decision }) => decision)],
    ...[column(({ error }) => error), column(({ at }) => at)],
  ];
}

function storableOrNull(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : storable(text);
}
