import type pg from 'pg';
import { ownSource } from '../workflows/contract.ts';
import type { Span } from './span.ts';

/** A row of the history that a tick has. */
export interface Row {
  tickMs: number;
  startedMs: number;
  outcome: string | null;
  /** As in history/states.ts: -1 concluded, 0 running, 1 inferred, 2 witnessed. */
  standing: number;
  /** What is remarkable about a run from outside. */
  flags: string[];
}

/** The rows of the ticks of one source, our own where none is named; read by SQL of the drill's own. */
export async function listRows(
  pool: pg.Pool,
  definitionId: string,
  { fromMs, toMs }: Span,
  source = ownSource,
): Promise<Row[]> {
  const { rows } = await pool.query<Omit<Row, 'tickMs' | 'startedMs'> & { tick: Date; started: Date }>(
    `SELECT scheduled_at AS tick, started_at AS started, outcome, standing, flags FROM actcore.runs
     WHERE definition_id = $1 AND source = $4 AND trigger = ANY('{schedule,external}')
       AND scheduled_at >= $2 AND scheduled_at < $3 ORDER BY scheduled_at`,
    [definitionId, new Date(fromMs), new Date(toMs), source],
  );
  return rows.map(({ tick, started, ...row }) => ({ ...row, tickMs: tick.getTime(), startedMs: started.getTime() }));
}

/** How many rows of a definition say `completed`, of ticks from a moment on. */
export async function countCompleted(pool: pg.Pool, definitionId: string, fromMs: number): Promise<number> {
  const rows = await listRows(pool, definitionId, { fromMs, toMs: Date.now() });
  return rows.filter(({ outcome }) => outcome === 'completed').length;
}
