import type pg from 'pg';
import type { Assessment } from '../workflows/contract.ts';
import { isoColumn } from './iso-column.ts';
import { writeInMonths } from './months.ts';
import { writeStorable } from './storable.ts';

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

/** The columns of a row by the key of a result. */
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

/** A row under way: its keys come with each of them, and so are short; `r` is the place of its run among those sent along. */
const writeRow = (result: TargetResult, run: number) => ({
  r: run,
  n: result.ordinal,
  t: result.target,
  o: result.outcome,
  a: result.assessment,
  f: result.assessmentFailureCount,
  y: result.reason,
  s: result.status,
  c: result.attempt,
  i: result.idempotencyKey,
  b: result.startedAt,
  e: result.finishedAt,
});

/**
 * Rows go in by their key, so that two batches never wait for each other, and each key once. A row is replaced by one
 * that knows more: any end beats `not_reached`, and of two ends the later one stands.
 */
const upsertResults = {
  name: 'upsert-results',
  text: `
  INSERT INTO actcore.results AS result (${names})
  SELECT DISTINCT ON (run_id, scheduled_at, ordinal) ${names}
  FROM (
    SELECT ($2::uuid[])[r] AS run_id, ($3::timestamptz[])[r] AS scheduled_at, n AS ordinal, t AS target, o AS outcome,
      a AS assessment, f AS assessment_failure_count, y AS reason, s AS status, c AS attempt, i AS idempotency_key,
      b AS started_at, e AS finished_at
    FROM json_to_recordset($1) AS json (r integer, n integer, t text, o text, a text, f integer, y text, s integer,
      c integer, i text, b timestamptz, e timestamptz)
  ) AS given
  ORDER BY run_id, scheduled_at, ordinal, ${isTold('given')} DESC, ${toldAt('given')} DESC
  ON CONFLICT (run_id, scheduled_at, ordinal) DO UPDATE
    SET (${names}, recorded_at) = (${keys.map((key) => `excluded.${columns[key].name}`).join(', ')}, now())
    WHERE (${isTold('excluded')}, ${toldAt('excluded')}) > (${isTold('result')}, ${toldAt('result')})`,
};

/** Writes results, of any runs; may be repeated, and may race with another writer of the same. */
export async function writeResults(pool: pg.Pool, results: TargetResult[]): Promise<void> {
  const runs = new Map<string, { place: number; tick: string }>();
  const rows = results.map((result) => {
    let run = runs.get(result.runId);
    if (run === undefined) {
      // To the millisecond, like the row of the run.
      run = { place: runs.size + 1, tick: new Date(result.scheduledAt).toISOString() };
      runs.set(result.runId, run);
    }
    return writeRow(result, run.place);
  });
  const ticks = Array.from(runs.values(), ({ tick }) => tick);
  const values = [writeStorable(rows), [...runs.keys()], ticks];
  await writeInMonths(pool, ticks, () => pool.query({ ...upsertResults, values }));
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
