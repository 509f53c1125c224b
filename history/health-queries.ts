import type pg from 'pg';
import { ownSource } from '../workflows/contract.ts';
import type { HealthFacts } from './health-facts.ts';
import { readHeadrooms } from './headroom.ts';
import { isoColumn } from './iso-column.ts';

/** A span of ticks: from one moment on and before another. */
export interface Span {
  since: Date;
  until: Date;
}

/** Definitions with runs that failed as a whole. */
export async function listFailing(pool: pg.Pool, { since, until }: Span): Promise<HealthFacts['failing']> {
  const { rows } = await pool.query<HealthFacts['failing'][number]>(
    `SELECT definition_id AS "definitionId", count(*)::int AS errors,
       (array_agg(reason ORDER BY scheduled_at DESC))[1] AS "lastReason"
     FROM actcore.runs WHERE outcome IN ('automation_error', 'timed_out') AND scheduled_at >= $1 AND scheduled_at < $2
     GROUP BY definition_id`,
    [since, until],
  );
  return rows;
}

/** What sources reported that are retired, and whether they still are. */
export async function listRetiredReports(
  pool: pg.Pool,
  { since, until }: Span,
): Promise<HealthFacts['retiredReports']> {
  const { rows } = await pool.query<HealthFacts['retiredReports'][number]>(
    `SELECT "definitionId", reported.source, reports, "lastAt", ${isoColumn('retired_at')} AS "retiredAt",
       retired_by AS "retiredBy"
     FROM (
       SELECT definition_id AS "definitionId", source, count(*)::int AS reports, ${isoColumn('max(started_at)')} AS "lastAt",
         (array_agg(definition_uuid))[1] AS uuid
       FROM actcore.runs WHERE 'retired_source' = ANY(flags) AND scheduled_at >= $1 AND scheduled_at < $2
       GROUP BY definition_id, source) AS reported
     LEFT JOIN actcore.retired_sources AS retired
       ON definition_uuid = uuid AND retired.source = reported.source AND reverted_at IS NULL
     ORDER BY 1, 2`,
    [since, until],
  );
  return rows;
}

/** Every run that has not ended, the oldest first; at most a thousand. */
export async function listRunning(
  pool: pg.Pool,
): Promise<{ definitionId: string; runId: string; startedAt: string }[]> {
  const { rows } = await pool.query<{ definitionId: string; runId: string; startedAt: string }>(
    `SELECT definition_id AS "definitionId", id AS "runId", ${isoColumn('started_at')} AS "startedAt"
     FROM actcore.runs WHERE outcome IS NULL ORDER BY scheduled_at LIMIT 1000`,
  );
  return rows;
}

/** Ticks that nothing fired, as somebody has concluded by now. */
export async function countGaps(pool: pg.Pool, { since, until }: Span): Promise<HealthFacts['gaps']> {
  const { rows } = await pool.query<HealthFacts['gaps'][number]>(
    `SELECT definition_id AS "definitionId", source, count(*)::int AS ticks FROM actcore.runs
     WHERE outcome = 'missed' AND scheduled_at >= $1 AND scheduled_at < $2 GROUP BY definition_id, source`,
    [since, until],
  );
  return rows;
}

/** Runs that were shorter than their definition believes possible. */
export async function countTooShort(pool: pg.Pool, { since, until }: Span): Promise<HealthFacts['tooShort']> {
  const { rows } = await pool.query<HealthFacts['tooShort'][number]>(
    `SELECT definition_id AS "definitionId", count(*)::int AS runs FROM actcore.runs
     WHERE too_short AND scheduled_at >= $1 AND scheduled_at < $2 GROUP BY definition_id`,
    [since, until],
  );
  return rows;
}

/** Findings that are left alone until somebody releases them. */
export async function countQuarantined(pool: pg.Pool): Promise<HealthFacts['quarantined']> {
  const { rows } = await pool.query<HealthFacts['quarantined'][number]>(
    `SELECT definition_id AS "definitionId", count(*)::int AS findings FROM actcore.findings
     WHERE state = 'quarantined' GROUP BY definition_id`,
  );
  return rows;
}

/** The headroom of those that took most of their budget in the period; `budgets` by definition, in milliseconds. */
export async function listHeadroom(
  pool: pg.Pool,
  { since, until }: Span,
  budgets: ReadonlyMap<string, number>,
): Promise<HealthFacts['headroom']> {
  const { rows } = await pool.query<{ definitionId: string }>(
    `SELECT definition_id AS "definitionId" FROM actcore.runs
     JOIN unnest($3::text[], $4::float8[]) AS known (name, budget_ms) ON name = definition_id
     WHERE source = $5 AND outcome IN ('completed', 'timed_out') AND scheduled_at >= $1 AND scheduled_at < $2
     GROUP BY definition_id
     HAVING bool_or(extract(epoch FROM finished_at - started_at) * 1000 >= 0.8 * budget_ms)`,
    [since, until, [...budgets.keys()], [...budgets.values()], ownSource],
  );
  const wanted = rows.map(({ definitionId: id }) => [id, budgets.get(id) ?? Infinity] as const);
  if (wanted.length === 0) return [];
  const found = await readHeadrooms(pool, new Map(wanted));
  return [...found].map(([definitionId, headroom]) => ({ definitionId, ...headroom }));
}

/** What the last reconciliation of this definition could not put right. */
export async function listUnreconciled(pool: pg.Pool, reconcilerId: string): Promise<HealthFacts['unreconciled']> {
  const { rows } = await pool.query<HealthFacts['unreconciled'][number]>(
    `SELECT target AS "definitionId", message
     FROM (SELECT id, scheduled_at FROM actcore.runs WHERE definition_id = $1 AND outcome = 'completed'
           ORDER BY scheduled_at DESC LIMIT 1) AS last
     JOIN actcore.assessments AS found ON run_id = id AND found.scheduled_at = last.scheduled_at
     WHERE rule IN ('T-02', 'T-03') ORDER BY ordinal`,
    [reconcilerId],
  );
  return rows;
}

/** How big the database is, and the oldest month that it has rows of. */
export async function measureSize(pool: pg.Pool): Promise<HealthFacts['history']> {
  const { rows } = await pool.query<{ sizeBytes: number; oldestMonth: string | null }>(
    `SELECT pg_database_size(current_database())::float8 AS "sizeBytes",
       (SELECT min(month)::text FROM actcore.list_months()) AS "oldestMonth"`,
  );
  const { sizeBytes = 0, oldestMonth = null } = rows[0] ?? {};
  return { sizeBytes, ...(oldestMonth === null ? {} : { oldestMonth }) };
}

/** A definition as it was applied last, and still is to be on the server. */
export interface AppliedText {
  id: string;
  uuid: string;
  enabled: boolean;
  /** ISO: since when this revision is in force; to apply it once more does not move it. */
  appliedAt: string;
  file: string;
  text: string;
}

/** All that are applied, neither retired nor removed from the server since. */
export async function listApplied(pool: pg.Pool): Promise<AppliedText[]> {
  const { rows } = await pool.query<AppliedText>(
    `SELECT DISTINCT ON (known.id) known.id, uuid, enabled, file, text,
       ${isoColumn("CASE WHEN last.field <> 'schedule' THEN least(last.at, applied_at) ELSE applied_at END")} AS "appliedAt"
     FROM actcore.definitions AS known
     JOIN actcore.revisions AS applied ON definition_uuid = uuid AND applied.revision = known.revision
     LEFT JOIN LATERAL (
       SELECT at, field FROM actcore.journal WHERE entity_id = known.id AND entity_type = 'definition'
         AND (field IN ('revision', 'retired') OR (field = 'schedule' AND action = 'delete'))
       ORDER BY event_id DESC LIMIT 1) AS last ON true
     WHERE retired_at IS NULL AND NOT EXISTS (
       SELECT FROM actcore.journal WHERE entity_id = known.id AND entity_type = 'definition' AND field = 'schedule'
         AND action = 'delete' AND at > applied_at)
     ORDER BY known.id, applied_at DESC`,
  );
  return rows;
}
