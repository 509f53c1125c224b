import type pg from 'pg';
import type { Span } from './span.ts';

/** A row of the history that a tick of the schedule has. */
export interface Row {
  tickMs: number;
  startedMs: number;
  outcome: string | null;
  /** As in history/states.ts: -1 concluded, 0 running, 1 inferred, 2 witnessed. */
  standing: number;
}

/** The rows of a definition's own ticks, read by SQL of the drill's own. */
export async function listRows(pool: pg.Pool, definitionId: string, { fromMs, toMs }: Span): Promise<Row[]> {
  const { rows } = await pool.query<{ tick: Date; started: Date; outcome: string | null; standing: number }>(
    `SELECT scheduled_at AS tick, started_at AS started, outcome, standing FROM actcore.runs
     WHERE definition_id = $1 AND source = 'activity-core' AND trigger = 'schedule'
       AND scheduled_at >= $2 AND scheduled_at < $3 ORDER BY scheduled_at`,
    [definitionId, new Date(fromMs), new Date(toMs)],
  );
  return rows.map(({ tick, started, outcome, standing }) => {
    return { tickMs: tick.getTime(), startedMs: started.getTime(), outcome, standing };
  });
}

/** How many rows of a definition say `completed`, of ticks from a moment on. */
export async function countCompleted(pool: pg.Pool, definitionId: string, fromMs: number): Promise<number> {
  const rows = await listRows(pool, definitionId, { fromMs, toMs: Date.now() });
  return rows.filter(({ outcome }) => outcome === 'completed').length;
}
