import type pg from 'pg';
import { isoColumn } from './iso-column.ts';
import { listIds } from './queries.ts';

/** One thing that failed: an attempt, or a run or a target of which no attempt is known. Times are ISO in UTC. */
export interface ErrorRow {
  runId: string;
  definitionId: string;
  source: string;
  /** Of the run. */
  scheduledAt: string;
  /** When it failed. */
  at: string;
  /** Null outside a fan-out. */
  target: string | null;
  /** What was called, such as `POST /sweep` or `poll`; else the kind of what failed as a whole: `sweep`, `watchdog`. */
  operation: string;
  attempt: number;
  error: string;
  rescued: boolean;
  /** `retry` where a later attempt of the run succeeded, else the source whose run of the same tick completed. */
  rescuedBy: string | null;
}

/** What failed of one target, or of a definition outside a fan-out. */
export interface ErrorCount {
  definitionId: string;
  target: string | null;
  errors: number;
  /** Of these, how many no retry and no other runner made good. */
  unrescued: number;
  lastAt: string;
  lastError: string;
}

/** Which failures are asked for; `since` is about the ticks of their runs. */
export interface ErrorFilter {
  definitionId?: string;
  target?: string;
  since?: Date;
  limit: number;
}

const failed = "outcome IN ('automation_error', 'timed_out')";

/** Said of every table that is joined: the server leaves aside the months of each by itself, and not by its partner. */
const isRecent = (table: string) => `($3::timestamptz IS NULL OR ${table}.scheduled_at >= $3)`;

/** The filter of one table; each has its own index for it. The target of a whole run is null, which equals none. */
const isWanted = (table: string, id: string, target: string) =>
  `($1::text[] IS NULL OR ${id} = ANY($1)) AND ($2::text IS NULL OR ${target} = $2) AND ${isRecent(table)}`;

const sameRun = (left: string, right: string, rightId = 'run_id') =>
  `${left}.run_id = ${right}.${rightId} AND ${left}.scheduled_at = ${right}.scheduled_at AND ${isRecent(left)}`;

/**
 * Every attempt that failed; every target of a fan-out and every run that failed without an attempt that says so, such as
 * one whose worker was lost. `cut` takes the newest of each, or all.
 */
const failures = (cut: string) => `
  (SELECT errors.run_id, errors.scheduled_at, definition_id, target, attempt, at, operation, error, rescued, ordinal
   FROM actcore.errors WHERE ${isWanted('errors', 'definition_id', 'target')} ${cut})
  UNION ALL
  (SELECT results.run_id, results.scheduled_at, run.definition_id, results.target, results.attempt,
     coalesce(results.finished_at, results.recorded_at), NULL, results.reason, false, NULL
   FROM actcore.results JOIN actcore.runs AS run
     ON run.id = results.run_id AND run.scheduled_at = results.scheduled_at AND ${isRecent('run')}
   WHERE results.${failed} AND ${isWanted('results', 'run.definition_id', 'results.target')}
     AND NOT EXISTS (SELECT FROM actcore.errors WHERE ${sameRun('errors', 'results')}
       AND errors.target = results.target AND NOT errors.rescued)
   ${cut})
  UNION ALL
  (SELECT run.id, run.scheduled_at, definition_id, NULL, attempt, finished_at, NULL, reason, false, NULL
   FROM actcore.runs AS run
   WHERE ${failed} AND ${isWanted('run', 'definition_id', 'NULL')}
     AND NOT EXISTS (SELECT FROM actcore.errors WHERE ${sameRun('errors', 'run', 'id')} AND NOT errors.rescued)
     AND NOT EXISTS (SELECT FROM actcore.results WHERE ${sameRun('results', 'run', 'id')} AND results.${failed})
   ${cut})`;

/**
 * The runner of another source whose run of the same tick completed. It made good what the run ended with, so that it stands
 * on the last failure of a run and target, and not on those before it.
 */
const otherRunner = `
  SELECT other.source FROM actcore.runs AS other
  WHERE NOT failure.rescued AND other.definition_id = run.definition_id AND other.scheduled_at = run.scheduled_at
    AND other.source <> run.source AND other.outcome = 'completed' AND ${isRecent('other')}
    AND NOT EXISTS (SELECT FROM actcore.errors AS later WHERE ${sameRun('later', 'failure')}
      AND later.ordinal > failure.ordinal AND later.target IS NOT DISTINCT FROM failure.target)
  ORDER BY other.source LIMIT 1`;

const runAndRescuer = `
  JOIN actcore.runs AS run ON run.id = failure.run_id AND run.scheduled_at = failure.scheduled_at AND ${isRecent('run')}
  LEFT JOIN LATERAL (${otherRunner}) AS rescuer ON true`;

/** The newest failures, by the tick of their run and then by time. */
export async function listErrors(pool: pg.Pool, filter: ErrorFilter): Promise<ErrorRow[]> {
  const { rows } = await pool.query<ErrorRow>(
    `SELECT failure.run_id AS "runId", failure.definition_id AS "definitionId", run.source,
       ${isoColumn('failure.scheduled_at')} AS "scheduledAt", ${isoColumn('failure.at')} AS at, failure.target,
       coalesce(failure.operation, run.kind) AS operation, failure.attempt, failure.error,
       failure.rescued OR rescuer.source IS NOT NULL AS rescued,
       CASE WHEN failure.rescued THEN 'retry' ELSE rescuer.source END AS "rescuedBy"
     FROM (SELECT * FROM (${failures('ORDER BY scheduled_at DESC LIMIT $4')}) AS newest
           ORDER BY scheduled_at DESC, at DESC LIMIT $4) AS failure
     ${runAndRescuer}
     ORDER BY failure.scheduled_at DESC, failure.at DESC, failure.ordinal DESC`,
    await valuesOf(pool, filter),
  );
  return rows;
}

/** How much failed of each target, the most failures first. */
export async function countErrors(pool: pg.Pool, filter: ErrorFilter): Promise<ErrorCount[]> {
  const { rows } = await pool.query<ErrorCount>(
    `SELECT failure.definition_id AS "definitionId", failure.target, count(*)::int AS errors,
       (count(*) FILTER (WHERE NOT failure.rescued AND rescuer.source IS NULL))::int AS unrescued,
       ${isoColumn('max(failure.at)')} AS "lastAt", (array_agg(failure.error ORDER BY failure.at DESC))[1] AS "lastError"
     FROM (${failures('')}) AS failure
     ${runAndRescuer}
     GROUP BY failure.definition_id, failure.target
     ORDER BY errors DESC, failure.definition_id, failure.target LIMIT $4`,
    await valuesOf(pool, filter),
  );
  return rows;
}

async function valuesOf(pool: pg.Pool, { definitionId, target, since, limit }: ErrorFilter): Promise<unknown[]> {
  const ids = definitionId === undefined ? null : await listIds(pool, definitionId);
  return [ids, target ?? null, since ?? null, limit];
}
