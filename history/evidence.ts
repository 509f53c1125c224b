import type pg from 'pg';
import { isoColumn } from './iso-column.ts';

/** A check as it is defined: what it would find and do, whatever its mode. */
export interface CheckContract {
  definitionUuid: string;
  checkName: string;
  contractHash: string;
}

/** What the dry and simulated runs of a check tell of it. Times are ISO in UTC. */
export interface Evidence {
  /** Runs that looked, those that broke among them. */
  runs: number;
  brokenRuns: number;
  runsWithFindings: number;
  /** Runs in which there were more findings than the check's limit. */
  overflowingRuns: number;
  /** The most findings of one run. */
  mostFindings: number;
  firstRunAt: string | null;
  lastRunAt: string | null;
  /** Of the last run, where it broke. */
  lastError: string | null;
  /** Episodes of findings: what `auto` would have acted on, each once. */
  findings: number;
  keys: number;
  /** Keys that were gone and came back. */
  cameBack: number;
  /** Findings that were gone before anybody did anything. */
  vanished: number;
  /** What became of the remedy where it was done and rolled back. */
  simulated: number;
  notCured: number;
  failed: number;
}

const evidenceOfRuns = `
  SELECT count(*)::int AS runs, count(error)::int AS "brokenRuns",
    (count(*) FILTER (WHERE findings > 0))::int AS "runsWithFindings",
    (count(*) FILTER (WHERE has_more))::int AS "overflowingRuns", coalesce(max(findings), 0) AS "mostFindings",
    ${isoColumn('min(scheduled_at)')} AS "firstRunAt", ${isoColumn('max(scheduled_at)')} AS "lastRunAt",
    (array_agg(error ORDER BY scheduled_at DESC))[1] AS "lastError"
  FROM actcore.checks WHERE definition_uuid = $1 AND check_name = $2 AND contract_hash = $3
    AND mode IN ('dry_run', 'sim') AND scheduled_at >= $4`;

const evidenceOfFindings = `
  SELECT coalesce(sum(episodes), 0)::int AS findings, count(*)::int AS keys,
    (count(*) FILTER (WHERE episodes > 1))::int AS "cameBack", coalesce(sum(vanished), 0)::int AS vanished
  FROM (SELECT count(*) AS episodes, count(*) FILTER (WHERE resolution = 'vanished') AS vanished
        FROM actcore.findings WHERE definition_uuid = $1 AND check_name = $2 AND looked_contract = $3 AND looked_at >= $4
        GROUP BY key) AS by_key`;

const evidenceOfActions = `
  SELECT (count(*) FILTER (WHERE outcome = 'simulated'))::int AS simulated,
    (count(*) FILTER (WHERE outcome = 'not_cured'))::int AS "notCured",
    (count(*) FILTER (WHERE outcome = 'failed'))::int AS failed
  FROM actcore.checks JOIN actcore.actions AS action USING (run_id, check_name)
  WHERE checks.definition_uuid = $1 AND check_name = $2 AND contract_hash = $3 AND checks.mode = 'sim'
    AND checks.scheduled_at >= $4 AND action.mode = 'sim'`;

/** What is known of a check's contract since then. */
export async function readEvidence(pool: pg.Pool, check: CheckContract, since: Date): Promise<Evidence> {
  const { rows } = await pool.query<Evidence>(
    `SELECT * FROM (${evidenceOfRuns}) AS of_runs, (${evidenceOfFindings}) AS of_findings,
       (${evidenceOfActions}) AS of_actions`,
    [check.definitionUuid, check.checkName, check.contractHash, since],
  );
  const [evidence] = rows;
  if (evidence === undefined) throw new Error('counting gave no row');
  return evidence;
}

/** Which of these checks have looked without an error in at least one dry or simulated run, as `uuid hash`. */
export async function findProven(db: pg.Pool | pg.ClientBase, checks: CheckContract[]): Promise<Set<string>> {
  const { rows } = await db.query<{ proven: string }>(
    `SELECT uuid || ' ' || hash AS proven FROM unnest($1::uuid[], $2::text[]) AS wanted (uuid, hash) WHERE EXISTS (
       SELECT FROM actcore.checks
       WHERE contract_hash = hash AND definition_uuid = uuid AND mode IN ('dry_run', 'sim') AND error IS NULL)`,
    [checks.map(({ definitionUuid }) => definitionUuid), checks.map(({ contractHash }) => contractHash)],
  );
  return new Set(rows.map(({ proven }) => proven));
}
