import type pg from 'pg';
import type { Outcome } from '../workflows/contract.ts';
import { listIds } from './queries.ts';

/** What one source did for a definition in a span of ticks. */
export interface SourceAccount {
  source: string;
  ticks: number;
  /** By outcome; `running` are those that have not ended. */
  outcomes: Partial<Record<Outcome | 'running', number>>;
  assessmentFailed: number;
  /** Of the runs that completed: half of them, and 95 of 100, took no longer. Null where none did. */
  p50Ms: number | null;
  p95Ms: number | null;
}

/**
 * The sources that drove a definition, side by side, over the ticks of a span. Firings by hand are nobody's ticks and not
 * counted.
 */
export async function compareSources(
  pool: pg.Pool,
  { definitionId, since, until }: { definitionId: string; since: Date; until: Date },
): Promise<SourceAccount[]> {
  const took = 'extract(epoch FROM finished_at - started_at) * 1000';
  const percentile = (share: number) =>
    `(percentile_disc(${share}) WITHIN GROUP (ORDER BY ${took}) FILTER (WHERE outcome = 'completed'))::float8`;
  const { rows } = await pool.query<SourceAccount>(
    `SELECT source, sum(of_outcome)::int AS ticks, json_object_agg(outcome, of_outcome) AS outcomes,
       sum(assessment_failed)::int AS "assessmentFailed", max(p50) AS "p50Ms", max(p95) AS "p95Ms"
     FROM (SELECT source, coalesce(outcome, 'running') AS outcome, count(*)::int AS of_outcome,
             count(*) FILTER (WHERE assessment = 'failed') AS assessment_failed,
             ${percentile(0.5)} AS p50, ${percentile(0.95)} AS p95
           FROM actcore.runs
           WHERE definition_id = ANY($1) AND scheduled_at >= $2 AND scheduled_at < $3
             AND trigger IN ('schedule', 'backfill', 'external')
           GROUP BY source, outcome) AS counted
     GROUP BY source ORDER BY source`,
    [await listIds(pool, definitionId), since, until],
  );
  return rows;
}
