import type pg from 'pg';
import type { DetailWriter } from '../../../history/detail-writer.ts';
import type { TargetResult } from '../../../history/results.ts';

/** The result of a target that went well. */
export function makeResult(runId: string, ordinal: number, changes: Partial<TargetResult> = {}): TargetResult {
  return {
    runId,
    scheduledAt: '2026-03-01T00:15:00.000Z',
    ordinal,
    target: `repo-${ordinal}`,
    outcome: 'completed',
    assessment: 'passed',
    assessmentFailureCount: 0,
    reason: 'the target answered 200',
    status: 200,
    attempt: 1,
    idempotencyKey: `${runId}-${ordinal}`,
    startedAt: '2026-03-01T00:15:01.000Z',
    finishedAt: '2026-03-01T00:15:02.000Z',
    ...changes,
  };
}

/** What the metrics of a detail writer say, by name. */
export function readCounters(writer: DetailWriter): {
  written: number;
  failed: number;
  dropped: number;
  depth: number;
} {
  const metrics = writer.metrics();
  const writes = (result: 'written' | 'failed') =>
    metrics.actcore_ledger_writes_total.find((series) => series.result === result)?.value ?? NaN;
  return {
    written: writes('written'),
    failed: writes('failed'),
    dropped: metrics.actcore_ledger_drops_total[0]?.value ?? NaN,
    depth: metrics.actcore_ledger_queue_depth,
  };
}

/** How many results of a run the table holds. */
export async function countResults(pool: pg.Pool, runId: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM actcore.results WHERE run_id = $1',
    [runId],
  );
  return rows[0]?.count ?? NaN;
}
