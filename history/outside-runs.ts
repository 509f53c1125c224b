import type pg from 'pg';
import type { AssessmentFailure, Firing, Outcome } from '../workflows/contract.ts';
import { exitCodeOf } from '../workflows/contract.ts';
import { joinFlags } from './flags.ts';
import type { Flag } from './flags.ts';
import { createLedger } from './ledger.ts';
import type { RowOrder } from './ledger.ts';
import { runIdOf } from './run-id.ts';
import { findSourceRetirement } from './source-retirement.ts';
import type { SourceRetirement } from './source-retirement.ts';
import { states } from './states.ts';
import { storable } from './storable.ts';

/** One execution by an outside runner, as whoever placed it among the ticks tells it. Plain data; times are ISO. */
export interface OutsideRun {
  order: RowOrder;
  source: string;
  /** The tick that it belongs to; its own start where none is near. */
  scheduledAt: string;
  startedAt: string;
  actor: string;
  /** A UUID of this execution: what is told again under it is the same, and what another tells of the tick is a repetition. */
  reporterId: string;
  flags: Flag[];
}

/** How such an execution ended. `output` is JSON text. */
export interface OutsideEnd {
  finishedAt: string;
  outcome: Outcome;
  certainty: 'witnessed' | 'inferred';
  reason: string;
  /** Whether the data were judged at all. */
  isAssessed: boolean;
  failures: AssessmentFailure[];
  isTooShort?: true;
  output?: string;
}

/** What the row of the tick says after a report. */
export interface OutsideRow {
  runId: string;
  scheduledAt: string;
  /** Null while the run is going. */
  outcome: Outcome | null;
  flags: string[];
  /** Whether the row is of this execution; else another one of the same tick ended first. */
  isOwn: boolean;
}

/** Writes that an outside run has begun; may be repeated. */
export async function recordOutsideStart(pool: pg.Pool, run: OutsideRun): Promise<OutsideRow> {
  const { flags } = await flagReport(pool, run);
  const start = { startedAt: run.startedAt, attempt: 1, flags };
  await createLedger(pool).recordStart(run.order, firingOf(run), start);
  return flagLoser(pool, run, flags);
}

/**
 * Writes how an outside run ended; may be repeated. The first execution of a tick that ended keeps the row; that somebody
 * is at work already ends no row of whoever is. A retired source completes nothing.
 */
export async function recordOutsideEnd(pool: pg.Pool, run: OutsideRun, end: OutsideEnd): Promise<OutsideRow> {
  const { flags, retirement, isAtWork } = await flagReport(pool, run);
  if (end.outcome === 'lock_skipped' && isAtWork) return flagLoser(pool, run, flags);
  const { outcome, reason } = retirement === undefined ? end : refuseRetired(end, run.source, retirement);
  const { startedAt, scheduledAt } = run;
  const firing = firingOf(run);
  const count = end.failures.length;
  await createLedger(pool).recordEnd(run.order, firing, {
    ...{
      runId: runIdOf(run.order.definition.uuid, firing),
      trigger: firing.trigger,
      outcome,
      reason,
      flags,
      startedAt,
    },
    assessment: end.isAssessed ? (count > 0 ? 'failed' : 'passed') : 'none',
    assessmentFailureCount: count,
    assessmentFailures: end.failures,
    exitCode: exitCodeOf(outcome),
    finishedAt: end.finishedAt,
    latenessMs: Date.parse(startedAt) - Date.parse(scheduledAt),
    attempt: 1,
    certainty: end.certainty,
    ...(end.output === undefined ? {} : { output: end.output }),
    ...(end.isTooShort === undefined ? {} : { isTooShort: true }),
    recorded: false,
  });
  return flagLoser(pool, run, flags);
}

/** The row that an execution would share with another of its tick; undefined where the tick is its own. */
export async function findOtherReport(
  pool: pg.Pool,
  { order, source, scheduledAt, reporterId }: Pick<OutsideRun, 'order' | 'source' | 'scheduledAt' | 'reporterId'>,
): Promise<{ runId: string } | undefined> {
  const firing = firingOf({ source, scheduledAt, reporterId, actor: '' });
  const { rows } = await pool.query<{ runId: string }>(
    `SELECT id AS "runId" FROM actcore.runs
     WHERE id = $1 AND scheduled_at = $2 AND standing > ${states.concluded.rank} AND workflow_run_id <> $3`,
    [runIdOf(order.definition.uuid, firing), scheduledAt, reporterId],
  );
  return rows[0];
}

/** The time by the clock of the history, which is the one that all rows are compared by. */
export async function readHistoryClock(pool: pg.Pool): Promise<Date> {
  const { rows } = await pool.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  return rows[0]?.now ?? new Date();
}

function firingOf({
  source,
  scheduledAt,
  reporterId,
  actor,
}: Omit<OutsideRun, 'order' | 'startedAt' | 'flags'>): Firing {
  return { source, trigger: 'external', actor, scheduledAt, workflowId: '', workflowRunId: reporterId };
}

/** Adds to the flags of a report what only the history knows. */
async function flagReport(
  pool: pg.Pool,
  run: OutsideRun,
): Promise<{ flags: Flag[]; retirement: SourceRetirement | undefined; isAtWork: boolean }> {
  const { source, scheduledAt, startedAt, reporterId } = run;
  const { id, uuid } = run.order.definition;
  const { rows } = await pool.query<{ isFirst: boolean; hasLater: boolean; isAtWork: boolean }>(
    `SELECT own.id IS NULL OR own.standing = ${states.concluded.rank} AS "isFirst",
       coalesce(own.standing = ${states.running.rank} AND own.workflow_run_id <> $6, false) AS "isAtWork",
       EXISTS (SELECT FROM actcore.runs WHERE definition_id = $1 AND definition_uuid = $2 AND source = $3
         AND scheduled_at > $4 AND standing > ${states.concluded.rank}) AS "hasLater"
     FROM (SELECT) AS one LEFT JOIN actcore.runs AS own ON own.id = $5 AND own.scheduled_at = $4`,
    [id, uuid, source, scheduledAt, runIdOf(uuid, firingOf(run)), reporterId],
  );
  const { isFirst = false, hasLater = false, isAtWork = false } = rows[0] ?? {};
  const retired = await findSourceRetirement(pool, { definitionUuid: uuid, source });
  // What had begun before its source was retired was right to.
  const retirement = retired !== undefined && startedAt >= retired.retiredAt ? retired : undefined;
  const flags = new Set(run.flags);
  if (isFirst && hasLater) flags.add('out_of_order');
  if (retirement !== undefined) flags.add('retired_source');
  return { flags: [...flags].sort(), retirement, isAtWork };
}

function refuseRetired(
  { outcome, reason }: OutsideEnd,
  source: string,
  { successor, retiredAt, retiredBy }: SourceRetirement,
): Pick<OutsideEnd, 'outcome' | 'reason'> {
  const told = `${source} was retired by ${retiredBy} at ${retiredAt} in favour of ${successor}, and fired; ${reason}`;
  return { outcome: outcome === 'completed' ? 'automation_error' : outcome, reason: told };
}

/** A report that did not become the row leaves its flags there. */
async function flagLoser(pool: pg.Pool, run: OutsideRun, flags: Flag[]): Promise<OutsideRow> {
  const runId = runIdOf(run.order.definition.uuid, firingOf(run));
  const values = [runId, run.scheduledAt, run.reporterId, flags.map(storable)];
  const select = 'outcome, flags, workflow_run_id = $3 AS "isOwn"';
  type Told = Pick<OutsideRow, 'outcome' | 'flags' | 'isOwn'>;
  const { rows } = await pool.query<Told>(
    `UPDATE actcore.runs AS run SET flags = ${joinFlags('$4::text[]', "CASE WHEN workflow_run_id <> $3 THEN '{repeated}' ELSE '{}' END::text[]")}
     WHERE id = $1 AND scheduled_at = $2 AND (workflow_run_id <> $3 OR NOT flags @> $4::text[])
     RETURNING ${select}`,
    values,
  );
  const [row] = rows[0] === undefined ? await readRow() : rows;
  return { runId, scheduledAt: run.scheduledAt, ...(row ?? { outcome: null, flags, isOwn: true }) };

  async function readRow(): Promise<Told[]> {
    const told = `SELECT ${select} FROM actcore.runs WHERE id = $1 AND scheduled_at = $2 AND $4::text[] IS NOT NULL`;
    return (await pool.query<Told>(told, values)).rows;
  }
}
