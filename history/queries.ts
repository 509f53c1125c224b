import type pg from 'pg';
import type { Assessment, AssessmentFailure, Outcome, RunReport, Trigger } from '../workflows/contract.ts';
import type { CheckReport, FailedAttempt, StageTimes, TargetTally } from '../workflows/contract.ts';
import { isoColumn } from './iso-column.ts';
import { standings, states } from './states.ts';
import type { Standing } from './states.ts';

/** One row of the history. Times are ISO in UTC; `response` is JSON text, so that large numbers stay exact. */
export interface RunRow {
  id: string;
  definitionId: string;
  source: string;
  trigger: Trigger;
  actor: string;
  scheduledAt: string;
  startedAt: string;
  finishedAt: string | null;
  /** Null while the run is going. */
  outcome: Outcome | null;
  assessment: Assessment;
  assessmentFailureCount: number;
  exitCode: 0 | 1 | null;
  reason: string;
  certainty: Standing;
  attempt: number;
  revision: string;
  contractHash: string;
  workflowId: string;
  workflowRunId: string;
  responseStatus: number | null;
  /** Where the time went; null where no request was made. */
  stages: StageTimes | null;
  /** How the targets of a fan-out ended; null where the run was none. */
  targets: TargetTally | null;
  isTooShort: boolean;
  /** How many results of targets the history could not take. */
  detailsDropped: number;
  /** Its checks were only to look, whatever their modes. */
  isDryRun: boolean;
  /** What was odd about the reports of an outside runner, sorted; see flags.ts. */
  flags: string[];
}

export interface RunDetail extends RunRow {
  assessmentFailures: AssessmentFailure[];
  failedAttempts: FailedAttempt[];
  /** Of a watchdog; empty for any other. */
  checks: CheckReport[];
  response: string | null;
}

/** SQL that gives the name of a row's standing. */
export const standingName = `(ARRAY[${standings.map((name) => `'${name}'`).join(', ')}])[standing + ${1 - states.concluded.rank}]`;

const rowColumns = `
  id, definition_id AS "definitionId", source, trigger, actor, ${isoColumn('scheduled_at')} AS "scheduledAt",
  ${isoColumn('started_at')} AS "startedAt", ${isoColumn('finished_at')} AS "finishedAt", outcome, assessment,
  assessment_failure_count AS "assessmentFailureCount", exit_code AS "exitCode", reason,
  ${standingName} AS certainty, attempt, revision,
  contract_hash AS "contractHash", workflow_id AS "workflowId", workflow_run_id AS "workflowRunId",
  response_status AS "responseStatus", stages, targets, too_short AS "isTooShort", details_dropped AS "detailsDropped",
  dry_run AS "isDryRun", flags`;

/** The newest runs by tick, of one definition or of all. */
export async function listRuns(
  pool: pg.Pool,
  { definitionId, since, limit }: { definitionId?: string; since?: Date; limit: number },
): Promise<RunRow[]> {
  const newest = (condition: string) =>
    `SELECT ${rowColumns} FROM actcore.runs WHERE ${condition} AND ($2::timestamptz IS NULL OR scheduled_at >= $2)
     ORDER BY scheduled_at DESC, id LIMIT $3`;
  if (definitionId === undefined) {
    return (await pool.query<RunRow>(newest('$1::text IS NULL'), [null, since ?? null, limit])).rows;
  }
  const { rows } = await pool.query<RunRow>(
    `SELECT newest.* FROM unnest($1::text[]) AS wanted (wanted_id), LATERAL (${newest('definition_id = wanted_id')}) AS newest
     ORDER BY "scheduledAt" DESC, id LIMIT $3`,
    [await listIds(pool, definitionId), since ?? null, limit],
  );
  return rows;
}

/** The id itself, and those under which the definition that now has it was applied before it moved. */
export async function listIds(pool: pg.Pool, definitionId: string): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT DISTINCT content ->> 'id' AS id FROM actcore.revisions WHERE definition_uuid =
       (SELECT uuid FROM actcore.definitions WHERE id = $1 ORDER BY applied_at DESC, uuid LIMIT 1)`,
    [definitionId],
  );
  return [...new Set([definitionId, ...rows.map(({ id }) => id)])];
}

/** One run whole, or undefined where the history has none of this id. */
export async function findRun(pool: pg.Pool, runId: string): Promise<RunDetail | undefined> {
  const { rows } = await pool.query<RunDetail>(
    `SELECT ${rowColumns}, response::text AS response, coalesce((
       SELECT json_agg(json_build_object('target', target, 'rule', rule, 'message', message) ORDER BY ordinal)
       FROM actcore.assessments WHERE run_id = runs.id AND scheduled_at = runs.scheduled_at), '[]') AS "assessmentFailures",
     coalesce((
       SELECT json_agg(json_strip_nulls(json_build_object('target', target, 'attempt', attempt, 'at', ${isoColumn('at')},
         'operation', operation, 'error', error, 'rescued', rescued)) ORDER BY ordinal)
       FROM actcore.errors WHERE run_id = runs.id AND scheduled_at = runs.scheduled_at), '[]') AS "failedAttempts",
     coalesce((
       SELECT json_agg(json_strip_nulls(json_build_object('name', check_name, 'mode', mode, 'contractHash', contract_hash,
         'findings', findings, 'hasMore', has_more, 'cured', cured, 'sent', sent, 'simulated', simulated,
         'proposed', proposed, 'failed', failed, 'left', left_alone, 'tookMs', took_ms, 'error', error)) ORDER BY ordinal)
       FROM actcore.checks WHERE run_id = runs.id AND scheduled_at = runs.scheduled_at), '[]') AS checks
     FROM actcore.runs WHERE id = $1`,
    [runId],
  );
  return rows[0];
}

/** The ids of at most `limit` runs that begin with `prefix` (hexadecimal digits, with or without dashes); none for any other text. */
export async function findRunIds(pool: pg.Pool, prefix: string, limit: number): Promise<string[]> {
  const digits = prefix.replaceAll('-', '').toLowerCase();
  if (!/^[0-9a-f]{0,32}$/.test(digits)) return [];
  const { rows } = await pool.query<{ id: string }>(
    'SELECT id FROM actcore.runs WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT $3',
    [digits.padEnd(32, '0'), digits.padEnd(32, 'f'), limit],
  );
  return rows.map((row) => row.id);
}

/** Which of these contract hashes a canary has completed under, and not a dry one, whoever fired it and whenever. */
export async function findCanaried(db: pg.Pool | pg.ClientBase, contractHashes: string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ hash: string }>(
    `SELECT hash FROM unnest($1::text[]) AS wanted (hash) WHERE EXISTS (
       SELECT FROM actcore.runs WHERE contract_hash = hash AND trigger = 'canary' AND outcome = 'completed' AND NOT dry_run)`,
    [[...new Set(contractHashes)]],
  );
  return new Set(rows.map(({ hash }) => hash));
}

/** The newest run of each definition that has one, keyed by the definition's id; a canary is a trial and not counted. */
export async function findLastRuns(pool: pg.Pool, definitionIds: string[]): Promise<Map<string, RunRow>> {
  const { rows } = await pool.query<RunRow>(
    `SELECT last.* FROM unnest($1::text[]) AS wanted (wanted_id),
       LATERAL (SELECT ${rowColumns} FROM actcore.runs WHERE definition_id = wanted_id AND trigger <> 'canary'
                ORDER BY scheduled_at DESC, id LIMIT 1) AS last`,
    [definitionIds],
  );
  return new Map(rows.map((row) => [row.definitionId, row]));
}

/** The report that an ended row stands for. */
export function reportOf(run: RunDetail): RunReport {
  if (run.outcome === null || run.finishedAt === null || run.exitCode === null || run.certainty === 'running') {
    throw new Error(`run ${run.id} has not ended`);
  }
  return {
    runId: run.id,
    trigger: run.trigger,
    outcome: run.outcome,
    assessment: run.assessment,
    assessmentFailureCount: run.assessmentFailureCount,
    assessmentFailures: run.assessmentFailures,
    exitCode: run.exitCode,
    reason: run.reason,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    latenessMs: Date.parse(run.startedAt) - Date.parse(run.scheduledAt),
    attempt: run.attempt,
    certainty: run.certainty,
    ...(run.stages === null ? {} : { stages: run.stages }),
    ...(run.failedAttempts.length === 0 ? {} : { failedAttempts: run.failedAttempts }),
    ...(run.targets === null ? {} : { targets: run.targets }),
    ...(run.checks.length === 0 ? {} : { checks: run.checks }),
    ...(run.isTooShort ? { isTooShort: true as const } : {}),
    ...(run.detailsDropped === 0 ? {} : { detailsDropped: run.detailsDropped }),
    recorded: true,
  };
}
