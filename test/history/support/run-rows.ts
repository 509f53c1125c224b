import type pg from 'pg';

/** Rows of one definition: `count` ticks `everySeconds` apart, the first one `days` ago at 00:00 UTC. */
export interface WrittenRuns {
  definitionId: string;
  days: number;
  count: number;
  everySeconds: number;
  source?: string;
  /** SQL over `n`, the number of the row from 0; null is going. */
  outcome?: string;
  /** SQL over `n`, in seconds. */
  took?: string;
  /** SQL over `n`: bool. */
  isFailed?: string;
}

/** Writes rows as time would have, each with one of every detail. Makes the months that they need. */
export async function writeRuns(pool: pg.Pool, runs: WrittenRuns): Promise<void> {
  const { definitionId, days, count, everySeconds, source = 'activity-core' } = runs;
  const { outcome = "'completed'", took = '1', isFailed = 'false' } = runs;
  const begin = `actcore.begin_of(actcore.today() - ${days})`;
  await pool.query(
    `SELECT actcore.ensure_month(month) FROM generate_series(${begin}, ${begin} + make_interval(secs => $1), '15 days') AS month
     UNION ALL SELECT actcore.ensure_month(${begin} + make_interval(secs => $1))`,
    [count * everySeconds],
  );
  await pool.query(
    `WITH made AS (
       SELECT n, gen_random_uuid() AS id, ${begin} + make_interval(secs => n * $3) AS tick, ${outcome} AS outcome
       FROM generate_series(0, $2 - 1) AS n),
     kept AS (
       INSERT INTO actcore.runs (id, scheduled_at, definition_id, definition_uuid, kind, source, trigger, actor, revision,
         contract_hash, workflow_id, workflow_run_id, standing, outcome, assessment, assessment_failure_count, exit_code,
         reason, attempt, started_at, finished_at)
       SELECT id, tick, $1, md5($1)::uuid, 'sweep', $4, 'schedule', 'schedule', 'r', 'c', id::text, id::text,
         CASE WHEN outcome IS NULL THEN 0 ELSE 2 END, outcome, CASE WHEN ${isFailed} THEN 'failed' ELSE 'passed' END, 0,
         CASE WHEN outcome IS NOT NULL THEN 0 END, '', 1, tick,
         CASE WHEN outcome IS NOT NULL THEN tick + (${took}) * interval '1 second' END
       FROM made),
     assessed AS (
       INSERT INTO actcore.assessments (run_id, scheduled_at, ordinal, target, rule, message)
       SELECT id, tick, 1, 'a', 'C-05', 'differs' FROM made),
     listed AS (
       INSERT INTO actcore.results (run_id, scheduled_at, ordinal, target, outcome, assessment, assessment_failure_count,
         reason, attempt) SELECT id, tick, 1, 'a', 'completed', 'none', 0, '', 1 FROM made)
     INSERT INTO actcore.errors (run_id, scheduled_at, ordinal, definition_id, attempt, at, error, rescued)
     SELECT id, tick, 1, $1, 1, tick, 'refused', false FROM made`,
    [definitionId, count, everySeconds, source],
  );
}

/** Makes a definition known, as `apply` does; `content` are keys of its frontmatter. */
export async function writeDefinitionRow(pool: pg.Pool, id: string, content: object = {}): Promise<void> {
  await pool.query(
    `WITH kept AS (
       INSERT INTO actcore.revisions (definition_uuid, revision, contract_hash, file, text, content, actor)
       VALUES (md5($1)::uuid, md5($2), 'c', 'a.md', '', $2::json, 'tester') ON CONFLICT DO NOTHING)
     INSERT INTO actcore.definitions (uuid, id, enabled, revision) VALUES (md5($1)::uuid, $1, true, md5($2))
     ON CONFLICT (uuid) DO UPDATE SET revision = excluded.revision`,
    [id, JSON.stringify({ id, ...content })],
  );
}
