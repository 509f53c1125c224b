import type pg from 'pg';
import type { Assessment, AssessmentFailure, Outcome, Trigger } from '../workflows/contract.ts';
import { standingName } from './queries.ts';
import type { Standing } from './states.ts';

/** Of a row, what is compared with the rows of other sources. Times are epoch milliseconds. */
export interface SourceRun {
  id: string;
  source: string;
  trigger: Trigger;
  tickMs: number;
  startedMs: number;
  finishedMs: number | null;
  /** Null while the run is going. */
  outcome: Outcome | null;
  certainty: Standing;
  assessment: Assessment;
  assessmentFailureCount: number;
  responseStatus: number | null;
  flags: string[];
  /** Its beginning. */
  reason: string;
}

/** More rows of one definition are not held against each other at once. */
export const mostSourceRuns = 200_000;

/** Nor more of what they found wrong. */
export const mostSourceFindings = 200_000;

/** A span that holds more than can be compared. */
export interface TooMany {
  tooMany: number;
}

const longestReason = 300;
const inMs = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

/** The rows of all sources of a definition from one tick on and before another, the oldest first, those of firings by hand among them. */
export async function listSourceRuns(
  db: pg.Pool | pg.ClientBase,
  { uuid, ids }: { uuid: string; ids: string[] },
  { since, until }: { since: Date; until: Date },
): Promise<SourceRun[] | TooMany> {
  const { rows } = await db.query<SourceRun>(
    `SELECT id, source, trigger, ${inMs('scheduled_at')} AS "tickMs", ${inMs('started_at')} AS "startedMs",
       ${inMs('finished_at')} AS "finishedMs", outcome, ${standingName} AS certainty, assessment,
       assessment_failure_count AS "assessmentFailureCount", response_status AS "responseStatus", flags,
       left(reason, ${longestReason}) AS reason
     FROM actcore.runs
     WHERE definition_id = ANY($2) AND definition_uuid = $1 AND scheduled_at >= $3 AND scheduled_at < $4
     ORDER BY scheduled_at LIMIT $5`,
    [uuid, ids, since, until, mostSourceRuns + 1],
  );
  return rows.length > mostSourceRuns ? { tooMany: mostSourceRuns } : rows;
}

/** What runs found wrong, by run; of a run that found nothing there is none. */
export async function listSourceFindings(
  db: pg.Pool | pg.ClientBase,
  runIds: string[],
  { since, until }: { since: Date; until: Date },
): Promise<Map<string, Pick<AssessmentFailure, 'target' | 'rule'>[]> | TooMany> {
  const { rows } = await db.query<{ runId: string; target: string; rule: string }>(
    `SELECT run_id AS "runId", target, rule FROM actcore.assessments
     WHERE run_id = ANY($1) AND scheduled_at >= $2 AND scheduled_at < $3 LIMIT $4`,
    [runIds, since, until, mostSourceFindings + 1],
  );
  if (rows.length > mostSourceFindings) return { tooMany: mostSourceFindings };
  const found = new Map<string, Pick<AssessmentFailure, 'target' | 'rule'>[]>();
  for (const { runId, target, rule } of rows) {
    const known = found.get(runId);
    if (known === undefined) found.set(runId, [{ target, rule }]);
    else known.push({ target, rule });
  }
  return found;
}
