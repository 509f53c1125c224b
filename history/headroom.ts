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
  return (await readHeadrooms(pool, new Map([[definitionId, budgetMs]]))).get(definitionId);
}

/** The same of several definitions by their budgets, in milliseconds; those without such a run are not in it. */
export async function readHeadrooms(
  pool: pg.Pool,
  budgets: ReadonlyMap<string, number>,
): Promise<Map<string, Headroom>> {
  const { rows } = await pool.query<{ id: string; runs: number; p95Ms: number | null }>(
    `SELECT id, counted.* FROM unnest($1::text[]) AS wanted (id), LATERAL (
       SELECT count(*)::int AS runs,
         percentile_disc(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at) * 1000)::float8 AS "p95Ms"
       FROM (SELECT started_at, finished_at FROM actcore.runs
             WHERE definition_id = wanted.id AND source = $2 AND outcome IN ('completed', 'timed_out')
             ORDER BY scheduled_at DESC LIMIT $3) AS last) AS counted`,
    [[...budgets.keys()], ownSource, countedRuns],
  );
  return new Map(
    rows.flatMap(({ id, runs, p95Ms }) => {
      const budgetMs = budgets.get(id);
      if (p95Ms === null || budgetMs === undefined) return [];
      const usedPercent = Math.round((100 * p95Ms) / budgetMs);
      return [[id, { runs, p95Ms, budgetMs, usedPercent, isTight: usedPercent >= tightPercent }] as const];
    }),
  );
}
