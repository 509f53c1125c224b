import type pg from 'pg';
import type { ActionRecord } from '../workflows/contract.ts';
import { isoColumn } from './iso-column.ts';
import type { FindingEpisode } from './findings.ts';

/** A triplet as the history has it; JSON texts are as the watched database wrote them. */
export interface KeptAction extends Omit<ActionRecord, 'error'> {
  runId: string;
  /** `pending` until it is known whether its transaction committed. */
  fate: 'pending' | 'committed' | 'aborted';
  error: string | null;
}

const keptColumns = `
  action.id, action.run_id AS "runId", check_name AS "checkName", finding_key AS "findingKey", action, mode, outcome,
  before::text AS before, after::text AS after, decision::text AS decision, error, ${isoColumn('at')} AS at, fate`;

/** The triplets of one run, in the order of what was done; those of a transaction that did not commit are left out. */
export async function listRunActions(pool: pg.Pool, runId: string): Promise<KeptAction[]> {
  const { rows } = await pool.query<KeptAction>(
    `SELECT ${keptColumns} FROM actcore.actions AS action JOIN actcore.action_batches AS batch ON batch.id = batch_id
     WHERE action.run_id = $1 AND fate <> 'aborted' ORDER BY action.at, check_name, finding_key`,
    [runId],
  );
  return rows;
}

/** The triplets of one finding in all of its episodes, the newest first. */
export async function listFindingActions(
  pool: pg.Pool,
  { definitionId, checkName, key }: Pick<FindingEpisode, 'definitionId' | 'checkName' | 'key'>,
  limit: number,
): Promise<KeptAction[]> {
  const { rows } = await pool.query<KeptAction>(
    `SELECT ${keptColumns} FROM actcore.actions AS action JOIN actcore.action_batches AS batch ON batch.id = batch_id
     WHERE action.definition_uuid IN (SELECT definition_uuid FROM actcore.findings WHERE definition_id = $1)
       AND check_name = $2 AND md5(finding_key) = md5($3) AND finding_key = $3 AND fate <> 'aborted'
     ORDER BY action.at DESC LIMIT $4`,
    [definitionId, checkName, key, limit],
  );
  return rows;
}
