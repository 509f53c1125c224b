import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { compileFiles } from '../compiler/compile-files.ts';
import { prepareSql } from '../compiler/sql.ts';
import type { WatchdogCheck } from '../workflows/contract.ts';

/** How many rows the remedies have to mend. */
export const stuckRows = 10_000;

const millionRows = 1_000_000;
const largeFindings = 100;

/** A queue with stuck jobs, its audit, and a table of a million rows of which a hundred are wrong, without an index. */
export async function makeTables(client: pg.Client): Promise<void> {
  await client.query(`
    CREATE TABLE queue (id bigserial PRIMARY KEY, canon_name text NOT NULL, status text NOT NULL, attempts int NOT NULL DEFAULT 0,
      max_attempts int NOT NULL DEFAULT 3, last_error text, started_at timestamptz, scheduled_at timestamptz);
    CREATE INDEX ON queue (status, started_at);
    CREATE TABLE runs (id bigserial PRIMARY KEY, run_id uuid NOT NULL, action text, finding json, before jsonb, after jsonb,
      decision jsonb, created_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE large (id bigint PRIMARY KEY, name text NOT NULL, score float8, seen_at timestamptz NOT NULL);
    INSERT INTO large SELECT n, 'row ' || n, CASE WHEN n % ${millionRows / largeFindings} = 0 THEN -1 ELSE n END, now()
      FROM generate_series(1, ${millionRows}) n;
    CREATE PROCEDURE break_rows() LANGUAGE sql AS $$
      TRUNCATE runs; TRUNCATE queue;
      INSERT INTO queue (canon_name, status, attempts, started_at)
        SELECT 'job ' || n, CASE WHEN n % 2 = 0 THEN 'running' ELSE 'done' END, n % 3, now() - interval '7 hours'
        FROM generate_series(1, ${2 * stuckRows}) n
    $$`);
  await client.query('VACUUM ANALYZE large');
}

const remedy = `attempts = q.attempts + 1, last_error = 'stuck',
  status = case when q.attempts + 1 >= q.max_attempts then 'dead' else 'pending' end,
  scheduled_at = now() + interval '1 minute' * power(2, q.attempts)`;

const stuck = "status = 'running' and started_at < now() -";
const columns = 'id, canon_name, status, attempts, max_attempts, started_at';

/** What somebody does who knows nothing of watchdogs: one UPDATE, and one INSERT of what it gave. */
export async function mendByHand(client: pg.Client): Promise<void> {
  await client.query('BEGIN');
  const { rows } = await client.query<{ key: string; before: string; after: string }>(
    `UPDATE queue q SET ${remedy} WHERE ${stuck} $1::interval
     RETURNING json_build_array(q.id)::text AS key, to_json(old)::text AS before, to_json(new)::text AS after`,
    ['6 hours'],
  );
  if (rows.length !== stuckRows) throw new Error(`${rows.length} of ${stuckRows} were mended by hand`);
  const lists = [rows.map(({ key }) => key), rows.map(({ before }) => before), rows.map(({ after }) => after)];
  await client.query(
    `INSERT INTO runs (run_id, action, finding, before, after, decision)
     SELECT $1, $2, key::json, before::jsonb, after::jsonb, $3::jsonb
     FROM unnest($4::text[], $5::text[], $6::text[]) AS u(key, before, after)`,
    [randomUUID(), 'requeue', JSON.stringify({ check: 'each', reason: 'running for longer than 6 hours' }), ...lists],
  );
  await client.query('COMMIT');
}

/** The bare query of the check \`large\`. */
export async function findByHand(client: pg.Client): Promise<void> {
  const { rows } = await client.query('SELECT id, name, score, seen_at FROM large WHERE score < $1', [0]);
  if (rows.length !== largeFindings) throw new Error(`${rows.length} of ${largeFindings} were found by hand`);
}

const fence = '```';
const audit = `${fence}sql audit
insert into runs (run_id, action, finding, before, after, decision)
values (:run_id, :action, :finding_key, :before::jsonb, :after::jsonb, :decision::jsonb)
${fence}`;
const detectStuck = `${fence}sql detect
select ${columns} from queue where ${stuck} :longest::interval
${fence}`;

const definition = `---
id: bench.watchdog
title: A watchdog
owner: bench
kind: watchdog
schedule: { every: 1h }
budget: { max_seconds: 600 }
watchdog:
  database: [BENCH_DSN]
  max_actions: 100000
  checks:
    each: { key: id, mode: auto, action: requeue, limit: 100000, params: { longest: 6 hours } }
    batch: { key: id, mode: auto, action: requeue, limit: 100000, params: { longest: 6 hours }, batch: true }
    large: { key: id, limit: 100000, params: { least: 0 } }
---
# A watchdog

## each

${detectStuck}

${fence}sql remedy
update queue q set ${remedy} where q.id = :id and q.status = 'running' returning *
${fence}

${audit}

## batch

${detectStuck}

${fence}sql remedy
update queue q set ${remedy} from findings f where q.id = f.id returning q.*
${fence}

${audit}

## large

${fence}sql detect
select id, name, score, seen_at from large where score < :least
${fence}

## On automation error
## On assessment failure
`;

/** The checks as the compiler makes them of a definition. */
export async function defineChecks(): Promise<Record<'each' | 'batch' | 'large', WatchdogCheck>> {
  await prepareSql();
  const { definitions, problems } = compileFiles([{ file: 'bench.watchdog.md', text: definition }]);
  const order = definitions[0]?.order;
  const [each, batch, large] = order?.kind === 'watchdog' ? order.watchdog.checks : [];
  if (!each || !batch || !large) throw new Error(JSON.stringify(problems));
  return { each, batch, large };
}
