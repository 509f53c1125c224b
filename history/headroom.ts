import type pg from 'pg';
import { ownSource } from '../workflows/contract.ts';

/** What runs leave of their budget. */
export interface Headroom {
  /** How many runs it is taken from. */
  runs: number;
  /** How long a run takes: 95 of 100 take no longer. */
  p95Ms: number;
  budgetMs: number;
  /** Of the budget, in whole percent. */
  usedPercent: number;
  /** Little enough is left to look into it. */
  isTight: boolean;
}

const countedRuns = 100;
const tightPercent = 80;

/**
 * The headroom of a definition over its last 100 runs that say how long the work takes: they completed, or were aborted
 * for taking longer. Undefined where there is none yet.
 */
export async function readHeadroom(
  pool: pg.Pool,
  definitionId: string,
  budgetMs: number,
): Promise<Headroom | undefined> {
  const { rows } = await pool.query<{ runs: number; p95Ms: number | null }>(
    `SELECT count(*)::int AS runs,
       percentile_disc(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at) * 1000)::float8 AS "p95Ms"
     FROM (SELECT started_at, finished_at FROM actcore.runs
           WHERE definition_id = $1 AND source = $2 AND outcome IN ('completed', 'timed_out')
           ORDER BY scheduled_at DESC LIMIT $3) AS counted`,
    [definitionId, ownSource, countedRuns],
  );
  const { runs = 0, p95Ms = null } = rows[0] ?? {};
  if (p95Ms === null) return undefined;
  const usedPercent = Math.round((100 * p95Ms) / budgetMs);
  return { runs, p95Ms, budgetMs, usedPercent, isTight: usedPercent >= tightPercent };
}
