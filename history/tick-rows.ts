import type pg from 'pg';
import type { Outcome, Trigger } from '../workflows/contract.ts';
import { isoColumn } from './iso-column.ts';
import { standingName } from './queries.ts';
import type { Standing } from './states.ts';

/** Of a row, what has to agree with the ticks and with the executions. */
export interface TickRow {
  id: string;
  source: string;
  trigger: Trigger;
  actor: string;
  /** ISO. */
  scheduledAt: string;
  /** ISO. */
  startedAt: string;
  /** Null while the run is going. */
  outcome: Outcome | null;
  certainty: Standing;
  workflowId: string;
  workflowRunId: string;
  isDryRun: boolean;
}

const selectRows = `
  SELECT id, source, trigger, actor, ${isoColumn('scheduled_at')} AS "scheduledAt",
    ${isoColumn('started_at')} AS "startedAt", outcome, ${standingName} AS certainty,
    workflow_id AS "workflowId", workflow_run_id AS "workflowRunId", dry_run AS "isDryRun"
  FROM actcore.runs
  WHERE definition_id = ANY($2) AND definition_uuid = $1`;

/** The rows of a definition from one tick on and before another, the oldest first. */
export async function listTickRows(
  db: pg.Pool | pg.ClientBase,
  { uuid, ids }: { uuid: string; ids: string[] },
  from: Date,
  to: Date,
): Promise<TickRow[]> {
  const text = `${selectRows} AND scheduled_at >= $3 AND scheduled_at < $4 ORDER BY scheduled_at`;
  return (await db.query<TickRow>(text, [uuid, ids, from, to])).rows;
}

/** The rows of a definition that were due at these instants exactly. */
export async function listRowsAt(
  db: pg.Pool | pg.ClientBase,
  { uuid, ids }: { uuid: string; ids: string[] },
  instantsMs: number[],
): Promise<TickRow[]> {
  if (instantsMs.length === 0) return [];
  const instants = instantsMs.map((instantMs) => new Date(instantMs));
  const text = `${selectRows} AND scheduled_at = ANY($3::timestamptz[]) ORDER BY scheduled_at`;
  return (await db.query<TickRow>(text, [uuid, ids, instants])).rows;
}

/** Which of these workflows the history has a row of, that has ended or has not. */
export async function findRowsOf(
  db: pg.Pool | pg.ClientBase,
  workflowIds: string[],
  since: Date,
): Promise<Set<string>> {
  const { rows } = await db.query<{ id: string }>(
    'SELECT DISTINCT workflow_id AS id FROM actcore.runs WHERE workflow_id = ANY($1) AND scheduled_at >= $2',
    [workflowIds, since],
  );
  return new Set(rows.map(({ id }) => id));
}
