import pg from 'pg';

/** What stands in the generated history. */
export interface GeneratedHistory {
  runs: number;
  bytes: number;
  /** A definition that fires every few minutes, and one that fires every few hours. */
  busyId: string;
  quietId: string;
}

export const definitions = 500;
const busyDefinitions = 10;
/** How much more often a busy one fires. */
const busyFactor = 20;
export const sources = ['activity-core', 'local-timer', 'laptop'];
const months = 13;

/** The id of one of the definitions, from 1. */
export const nameOf = (number: number) => `bench.activity-${String(number).padStart(3, '0')}`;

/**
 * Fills an empty history with about `wanted` runs of 500 definitions from 3 sources over 13 months, as time would have:
 * month by month, in the order of the ticks, 94 of 100 completed. Every failed one has an attempt in `errors`.
 */
export async function generateHistory(
  url: string,
  wanted: number,
  onProgress: (text: string) => void,
): Promise<GeneratedHistory> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`SET maintenance_work_mem = '256MB'; SET work_mem = '256MB'`);
    await client.query(definitionRows, [definitions]);
    const share = wanted / sources.length / (definitions - busyDefinitions + busyDefinitions * busyFactor);
    for (let back = months - 1; back >= 0; back -= 1) {
      onProgress(`month ${months - back} of ${months}`);
      // The last tick of a definition may fall into the month after.
      for (const month of [back, back - 1]) {
        await client.query('SELECT actcore.ensure_month(now() - make_interval(months => $1))', [month]);
      }
      await client.query(runsOfMonth, [back, definitions, busyDefinitions, busyFactor, share, sources, months]);
      await client.query(failuresOfMonth, [back]);
    }
    onProgress('vacuum and analyze');
    await client.query('VACUUM (ANALYZE)');
    const { rows } = await client.query<{ runs: string; bytes: string }>(
      `SELECT (SELECT count(*) FROM actcore.runs) AS runs, pg_database_size(current_database()) AS bytes`,
    );
    const [found] = rows;
    return { runs: Number(found?.runs), bytes: Number(found?.bytes), busyId: nameOf(1), quietId: nameOf(definitions) };
  } finally {
    await client.end();
  }
}

const idOf = (number: string) => `'bench.activity-' || lpad(${number}::text, 3, '0')`;

const definitionRows = `
  WITH made AS (SELECT number, md5(number::text)::uuid AS uuid FROM generate_series(1, $1::int) AS number),
  kept AS (
    INSERT INTO actcore.revisions (definition_uuid, revision, contract_hash, file, text, content, actor)
    SELECT uuid, md5('r' || number), md5('c' || number), 'bench.md', '', json_build_object('id', ${idOf('number')}), 'bench'
    FROM made)
  INSERT INTO actcore.definitions (uuid, id, enabled, revision)
  SELECT uuid, ${idOf('number')}, true, md5('r' || number) FROM made`;

/** From the first instant of a month to its last, or to now; the pace of a definition is its share of the whole span. */
const monthSpan = (back: string) => `
  SELECT date_trunc('month', now() - make_interval(months => ${back}), 'UTC') AS lower,
    least(now(), date_trunc('month', now() - make_interval(months => ${back} - 1), 'UTC')) AS upper`;

const runsOfMonth = `
  INSERT INTO actcore.runs (id, scheduled_at, definition_id, definition_uuid, kind, source, trigger, actor, revision,
    contract_hash, workflow_id, workflow_run_id, standing, outcome, assessment, assessment_failure_count, exit_code, reason,
    attempt, started_at, finished_at, response_status, response, stages)
  SELECT gen_random_uuid(), tick, id, md5(number::text)::uuid, 'sweep', source,
    CASE WHEN source = ($6::text[])[1] THEN 'schedule' ELSE 'external' END, 'schedule', md5('r' || number), md5('c' || number),
    id || '-workflow-' || to_char(tick, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), gen_random_uuid(), 2,
    CASE WHEN die < 0.94 THEN 'completed' WHEN die < 0.97 THEN 'lock_skipped' WHEN die < 0.98 THEN 'misfire_skipped'
      WHEN die < 0.995 THEN 'automation_error' ELSE 'timed_out' END,
    CASE WHEN die < 0.05 THEN 'failed' WHEN die < 0.94 THEN 'passed' ELSE 'none' END, CASE WHEN die < 0.05 THEN 1 ELSE 0 END,
    CASE WHEN die < 0.98 THEN 0 ELSE 1 END, 'the target answered 200 and reported what it had done', 1,
    tick + interval '40 ms', tick + interval '40 ms' + die * interval '20 s', 200,
    '{"status": "completed", "checked": 42, "changed": 0, "assessment_failures": [], "automation_error": null}',
    '{"queueMs": 12, "connectMs": 3, "tlsMs": 0, "firstByteMs": 840, "bodyMs": 2, "retryMs": 0, "pollMs": 0}'
  FROM (
    SELECT number, ${idOf('number')} AS id, source, random() AS die,
      whole.lower + pace.every * step + number * interval '1 s' AS tick
    FROM (SELECT date_trunc('month', now() - make_interval(months => $7 - 1), 'UTC') AS lower) AS whole,
      (${monthSpan('$1::int')}) AS month, generate_series(1, $2::int) AS number, unnest($6::text[]) AS source,
      LATERAL (SELECT (now() - whole.lower) / ($5::float8 * CASE WHEN number <= $3 THEN $4 ELSE 1 END) AS every) AS pace,
      LATERAL generate_series(
        ceil(extract(epoch FROM month.lower - whole.lower) / extract(epoch FROM pace.every))::bigint,
        ceil(extract(epoch FROM month.upper - whole.lower) / extract(epoch FROM pace.every))::bigint - 1) AS step
  ) AS made
  WHERE tick < now()
  ORDER BY tick`;

const failuresOfMonth = `
  WITH month AS MATERIALIZED (${monthSpan('$1::int')}),
  assessed AS (
    INSERT INTO actcore.assessments (run_id, scheduled_at, ordinal, target, rule, message)
    SELECT id, scheduled_at, 1, 'atlas', 'C-05', 'workplans/0001.md: WP-0001 had no row; the row is made'
    FROM actcore.runs, month WHERE scheduled_at >= lower AND scheduled_at < upper AND assessment = 'failed')
  INSERT INTO actcore.errors (run_id, scheduled_at, ordinal, definition_id, attempt, at, operation, error, rescued)
  SELECT id, scheduled_at, 1, definition_id, 1, started_at, 'POST /sweep', 'the target answered 503', false
  FROM actcore.runs, month WHERE scheduled_at >= lower AND scheduled_at < upper AND outcome = 'automation_error'`;
