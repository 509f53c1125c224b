import type pg from 'pg';
import type { ActionRecord, CheckReport, FailedAttempt, Firing, Order, RunReport } from '../workflows/contract.ts';
import { joinFlags } from './flags.ts';
import type { Flag } from './flags.ts';
import { keepDone } from './action-batches.ts';
import { writeInMonths } from './months.ts';
import { keepChecks } from './observation.ts';
import { findRun, reportOf } from './queries.ts';
import { runIdOf } from './run-id.ts';
import { states } from './states.ts';
import { storable } from './storable.ts';

/** A run that has begun and not yet ended. */
export interface RunStart {
  startedAt: string;
  attempt: number;
  flags?: Flag[];
}

/** Of an order, what the row of a run says; all that an outside runner knows of it. */
export type RowOrder = Pick<Order, 'revision' | 'contractHash'> & {
  definition: Pick<Order['definition'], 'id' | 'uuid' | 'kind'>;
};

/** How a run ended, as a row keeps it. */
export type RowReport = RunReport & {
  flags?: Flag[];
  /** JSON text: what an outside runner has to show where others have a response. */
  output?: string;
};

/** Writes runs into the history. Every write may be repeated, and may race with another writer of the same run. */
export interface Ledger {
  /** Makes the row of a run that has started; leaves a row that is already there as it is. */
  recordStart(order: RowOrder, firing: Firing, start: RunStart): Promise<void>;
  /**
   * Writes how a run ended, unless a row of equal or higher standing is there; returns what the row says then. What a
   * watchdog's checks did, and the actions that no history was there for, are written whichever row stands, once.
   */
  recordEnd(order: RowOrder, firing: Firing, report: RowReport): Promise<RunReport>;
  /** Writes why a tick had no run, unless there is any row of it; false where there is one. */
  recordConclusion(order: RowOrder, firing: Firing, report: RunReport & { certainty: 'concluded' }): Promise<boolean>;
}

/** The columns of a row in the order of its parameters. */
const columns = [
  ...['id', 'scheduled_at', 'definition_id', 'definition_uuid', 'kind', 'source', 'trigger', 'actor', 'revision'],
  ...['contract_hash', 'workflow_id', 'workflow_run_id', 'standing', 'outcome', 'assessment'],
  ...['assessment_failure_count', 'exit_code', 'reason', 'attempt', 'started_at', 'finished_at'],
  ...['response_status', 'response', 'stages', 'targets', 'too_short', 'details_dropped'],
  ...['dry_run', 'flags'],
] as const;

/** Of an outside runner each execution has a name of its own: what it replaces was written by another of the same tick. */
const replacedReporter = `CASE WHEN run.trigger = 'external' AND run.standing > ${states.concluded.rank}
  AND run.workflow_run_id <> excluded.workflow_run_id THEN '{repeated}' ELSE '{}' END::text[]`;

const parameters = columns.map((_, index) => `$${index + 1}`).join(', ');
const replaced = columns
  .filter((column) => column !== 'id' && column !== 'scheduled_at')
  .map(
    (column) =>
      `${column} = ${column === 'flags' ? joinFlags('excluded.flags', replacedReporter) : `excluded.${column}`}`,
  )
  .join(', ');

const upsertRun = `
  INSERT INTO actcore.runs AS run (${columns.join(', ')}) VALUES (${parameters})
  ON CONFLICT (id, scheduled_at) DO UPDATE SET ${replaced}, replaced = run.standing, recorded_at = now()
    WHERE run.standing < excluded.standing
  RETURNING id, scheduled_at, replaced`;

const next = columns.length + 1;
/** Only a row that had ended before can have details that are to be replaced. */
const upsertRunWithDetails = `
  WITH written AS (${upsertRun})
  SELECT
    CASE WHEN replaced > ${states.running.rank} OR cardinality($${next}::text[]) > 0 THEN
      actcore.replace_assessments(id, scheduled_at, $${next}::text[], $${next + 1}::text[], $${next + 2}::text[]) END,
    CASE WHEN replaced > ${states.running.rank} OR json_array_length($${next + 3}::json) > 0 THEN
      actcore.replace_errors(id, scheduled_at, $3, $${next + 3}::json) END
  FROM written`;

/** A ledger on the history behind `pool`. */
export function createLedger(pool: pg.Pool): Ledger {
  return {
    async recordStart(order, firing, start) {
      await writeRow(pool, firing, { name: 'record-row', text: upsertRun }, startValues(order, firing, start));
    },
    async recordEnd(order, firing, { actions = [], ...report }) {
      const failures = report.assessmentFailures;
      const statement = { name: 'record-end', text: upsertRunWithDetails };
      const wrote = await writeRow(pool, firing, statement, [
        ...endValues(order, firing, report),
        failures.map((failure) => storable(failure.target)),
        failures.map((failure) => storable(failure.rule)),
        failures.map((failure) => storable(failure.message)),
        JSON.stringify((report.failedAttempts ?? []).map(storableAttempt)),
      ]);
      await keepWatched(pool, order, firing, { checks: report.checks ?? [], actions });
      if (wrote) return { ...report, recorded: true };
      const standing = await findRun(pool, runIdOf(order.definition.uuid, firing));
      return standing === undefined ? { ...report, recorded: true } : reportOf(standing);
    },
    recordConclusion: (order, firing, report) =>
      writeRow(pool, firing, { name: 'record-row', text: upsertRun }, endValues(order, firing, report)),
  };
}

/** After the row, which says who is the actor of the actions. */
async function keepWatched(
  pool: pg.Pool,
  { definition }: RowOrder,
  firing: Firing,
  { checks, actions }: { checks: CheckReport[]; actions: ActionRecord[] },
): Promise<void> {
  const { id: definitionId, uuid: definitionUuid } = definition;
  const { scheduledAt, trigger } = firing;
  const run = { definitionId, definitionUuid, runId: runIdOf(definitionUuid, firing), scheduledAt, trigger };
  if (checks.length > 0) await keepChecks(pool, run, checks);
  if (actions.length > 0) await keepDone(pool, run, actions);
}

/** Runs the upsert; true when it wrote. It has a name, for a connection to plan it once: that takes longer than the row. */
async function writeRow(
  pool: pg.Pool,
  firing: Firing,
  statement: { name: string; text: string },
  raw: unknown[],
): Promise<boolean> {
  const values = raw.map((value) => (typeof value === 'string' ? storable(value) : value));
  const { rowCount } = await writeInMonths(pool, [firing.scheduledAt], () => pool.query({ ...statement, values }));
  return rowCount === 1;
}

function storableAttempt({ target, operation, error, ...rest }: FailedAttempt): FailedAttempt {
  return {
    ...rest,
    ...(target === undefined ? {} : { target: storable(target) }),
    ...(operation === undefined ? {} : { operation: storable(operation) }),
    error: storable(error),
  };
}

function identityValues(order: RowOrder, firing: Firing): unknown[] {
  const { definition } = order;
  // To the millisecond, like the id: a finer time would give the same id a second row.
  const scheduledAt = new Date(firing.scheduledAt).toISOString();
  return [
    ...[runIdOf(definition.uuid, firing), scheduledAt, definition.id, definition.uuid, definition.kind],
    ...[firing.source, firing.trigger, firing.actor, order.revision, order.contractHash],
    ...[firing.workflowId, firing.workflowRunId],
  ];
}

function startValues(order: RowOrder, firing: Firing, start: RunStart): unknown[] {
  const reason = 'the run has started and has not ended yet';
  return [
    ...identityValues(order, firing),
    ...[states.running.rank, null, 'none', 0, null, reason, start.attempt, start.startedAt, null, null, null],
    ...[null, null, false, 0, firing.dryRun ?? false, start.flags ?? []],
  ];
}

function endValues(order: RowOrder, firing: Firing, report: RowReport): unknown[] {
  return [
    ...identityValues(order, firing),
    ...[states[report.certainty].rank, report.outcome, report.assessment, report.assessmentFailureCount],
    ...[report.exitCode, report.reason, report.attempt, report.startedAt, report.finishedAt],
    ...[report.response?.status ?? null, report.response?.json ?? report.output ?? null],
    ...[report.stages ?? null, report.targets ?? null, report.isTooShort ?? false, report.detailsDropped ?? 0],
    ...[firing.dryRun ?? false, report.flags ?? []],
  ];
}
