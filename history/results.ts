import type pg from 'pg';
import type { Assessment } from '../workflows/contract.ts';
import { isoColumn } from './iso-column.ts';
import { writeInMonths } from './months.ts';
import { storable } from './storable.ts';

/** How one target of a fan-out ended. */
export type TargetOutcome = 'completed' | 'automation_error' | 'lock_skipped' | 'timed_out' | 'not_reached';

/** One target of a fan-out. Times are ISO; `ordinal` is its place in the list, from 0, and names it within the run. */
export interface TargetResult {
  runId: string;
  /** The run's own, to the millisecond. */
  scheduledAt: string;
  ordinal: number;
  target: string;
  outcome: TargetOutcome;
  assessment: Assessment;
  assessmentFailureCount: number;
  reason: string;
  /** Of the last HTTP answer. */
  status?: number;
  /** Which attempt brought this end; 0 where none was made. */
  attempt: number;
  idempotencyKey?: string;
  startedAt?: string;
  finishedAt?: string;
}

/** The columns of a row by the key of a result, in the types that the JSON is read as. */
const columns: Record<keyof TargetResult, { name: string; type: string }> = {
  runId: { name: 'run_id', type: 'uuid' },
  scheduledAt: { name: 'scheduled_at', type: 'timestamptz' },
  ordinal: { name: 'ordinal', type: 'integer' },
  target: { name: 'target', type: 'text' },
  outcome: { name: 'outcome', type: 'text' },
  assessment: { name: 'assessment', type: 'text' },
  assessmentFailureCount: { name: 'assessment_failure_count', type: 'integer' },
  reason: { name: 'reason', type: 'text' },
  status: { name: 'status', type: 'integer' },
  attempt: { name: 'attempt', type: 'integer' },
  idempotencyKey: { name: 'idempotency_key', type: 'text' },
  startedAt: { name: 'started_at', type: 'timestamptz' },
  finishedAt: { name: 'finished_at', type: 'timestamptz' },
};
const keys = Object.keys(columns) as (keyof TargetResult)[];
const names = keys.map((key) => columns[key].name).join(', ');
const isTold = (row: string) => `(${row}.outcome <> 'not_reached')`;
const toldAt = (row: string) => `coalesce(${row}.finished_at, '-infinity')`;

/**
 * Rows go in by their key, so that two batches never wait for each other, and each key once. A row is replaced by one
 * that knows more: any end beats `not_reached`, and of two ends the later one stands.
 */
const upsertResults = `
  INSERT INTO actcore.results AS result (${names})
  SELECT DISTINCT ON (run_id, scheduled_at, ordinal) ${names}
  FROM (
    SELECT ${keys.map((key) => `"${key}" AS ${columns[key].name}`).join(', ')}
    FROM json_to_recordset($1) AS json (${keys.map((key) => `"${key}" ${columns[key].type}`).join(', ')})
  ) AS given
  ORDER BY run_id, scheduled_at, ordinal, ${isTold('given')} DESC, ${toldAt('given')} DESC
  ON CONFLICT (run_id, scheduled_at, ordinal) DO UPDATE
    SET (${names}, recorded_at) = (${keys.map((key) => `excluded.${columns[key].name}`).join(', ')}, now())
    WHERE (${isTold('excluded')}, ${toldAt('excluded')}) > (${isTold('result')}, ${toldAt('result')})`;

/** Writes results, of any runs; may be repeated, and may race with another writer of the same. */
export async function writeResults(pool: pg.Pool, results: TargetResult[]): Promise<void> {
  const ticks = new Set(results.map(({ scheduledAt }) => scheduledAt));
  // To the millisecond, like the row of the run.
  const cuts = new Map(Array.from(ticks, (tick) => [tick, new Date(tick).toISOString()]));
  const rows = results.map((result) => {
    const scheduledAt = cuts.get(result.scheduledAt);
    return scheduledAt === result.scheduledAt ? result : { ...result, scheduledAt };
  });
  const json = writeStorable(rows);
  await writeInMonths(pool, ticks, () => pool.query(upsertResults, [json]));
}

/** What Postgres cannot hold stands in JSON as an escape, if it is there at all. */
function writeStorable(rows: object[]): string {
  const json = JSON.stringify(rows);
  if (!json.includes('\\u') || !/\\u(0000|d[89a-f])/i.test(json)) return json;
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'string' ? storable(value) : value));
}

/** The results of a run that are there so far, by their place in the list. */
export async function readResults(pool: pg.Pool, runId: string, scheduledAt: string): Promise<TargetResult[]> {
  const shown = keys.map((key) => {
    const { name, type } = columns[key];
    return `${type === 'timestamptz' ? isoColumn(name) : name} AS "${key}"`;
  });
  const { rows } = await pool.query<Record<string, unknown>>(
    `SELECT ${shown.join(', ')} FROM actcore.results WHERE run_id = $1 AND scheduled_at = $2 ORDER BY ordinal`,
    [runId, scheduledAt],
  );
  const present = (row: Record<string, unknown>) => Object.entries(row).filter(([, value]) => value !== null);
  return rows.map((row) => Object.fromEntries(present(row)) as unknown as TargetResult);
}
