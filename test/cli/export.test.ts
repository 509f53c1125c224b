import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects, parquetSchema, parquetMetadataAsync } from 'hyparquet';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestHistory } from '../history/support/history.ts';
import type { TestHistory } from '../history/support/history.ts';
import { eventually } from '../support/eventually.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { runActcore, startActcore } from './support/actcore.ts';

let history: TestHistory;
let env: Record<string, string>;

/** More than what is fetched at once. */
const manyEvents = 700;
const bigValue = JSON.stringify({ text: 'é"\\😀'.repeat(100_000), number: 0 }).replace(':0}', ':9007199254740993}');
const hostile = 'comma, "quote"\nline\r\nend ';

beforeAll(async () => {
  history = await openTestHistory();
  env = { ACTCORE_DATABASE_URL: history.url };
  const { pool } = history;
  await pool.query(
    `INSERT INTO actcore.journal (at, entity_type, entity_id, field, action, old_value, new_value, actor, source, workspace)
     SELECT timestamptz '2026-03-01 00:00:00.123456Z' + place * interval '1 h', 'definition', 'test.' || place, 'title', 'update',
       NULL, to_json(place), 'tester', 'test', '' FROM generate_series(1, $1) AS place`,
    [manyEvents],
  );
  await pool.query(
    `INSERT INTO actcore.journal (at, entity_type, entity_id, field, action, old_value, new_value, actor, source, workspace)
     VALUES ('2026-04-01 00:00:00.000001Z', 'finding', $1, 'state', 'insert', $2, 'null', 'tester', 'test', 'here')`,
    [hostile, bigValue],
  );
  await insertRuns(pool);
}, 60_000);

afterAll(() => history.close());

async function insertRuns(pool: pg.Pool): Promise<void> {
  await pool.query(`SELECT actcore.ensure_month('2026-03-01'), actcore.ensure_month('2026-04-01')`);
  await pool.query(
    `INSERT INTO actcore.runs (id, scheduled_at, definition_id, definition_uuid, kind, source, trigger, actor, revision,
       contract_hash, workflow_id, workflow_run_id, standing, outcome, assessment, assessment_failure_count, exit_code,
       reason, attempt, started_at, finished_at, response_status, response, stages, too_short, details_dropped)
     VALUES ('b1b105b0-3d7c-543d-b6ba-2879089e9e63', '2026-03-31T23:59:59.999Z', 'test.a', gen_random_uuid(), 'sweep', 's',
       'schedule', 'schedule', 'r', 'c', 'w', 'x', 2, 'completed', 'passed', 0, 0, 'went well', 1, now(), now(), 200,
       $1, '{"queueMs": 1.5}', true, 3),
     ('b1b105b0-3d7c-543d-b6ba-2879089e9e64', '2026-04-01T00:00:00Z', 'test.a', gen_random_uuid(), 'sweep', 's',
       'schedule', 'schedule', 'r', 'c', 'w', 'y', 0, NULL, 'none', 0, NULL, 'runs', 1, '2026-04-01T00:00:00.000001Z', NULL,
       NULL, NULL, NULL, false, 0)`,
    ['{\n  "big": 12345678901234567890.10,\r\n  "text": "a\\nb"\n}'],
  );
}

const run = (...args: string[]) => runActcore(['export', ...args], { env });

/** What another reader finds in a Parquet file; instants in microseconds. */
async function readParquet(path: string) {
  const file = await asyncBufferFromFile(path);
  const parsers = { timestampFromMicroseconds: (value: bigint) => value } as never;
  const { children } = parquetSchema(await parquetMetadataAsync(file));
  const types = children.map(({ element }) => [element.name, element.logical_type?.type ?? element.converted_type]);
  return { rows: await parquetReadObjects({ file, parsers }), types: Object.fromEntries(types) };
}

/** What Postgres has, by the same names. */
async function readTable(columns: string, table: string, order: string): Promise<unknown[]> {
  return (await history.pool.query(`SELECT ${columns} FROM actcore.${table} ORDER BY ${order}`)).rows;
}

const micros = (name: string) => `(extract(epoch FROM ${name}) * 1000000)::bigint::text AS ${name}`;
const asText = (rows: Record<string, unknown>[], ...names: string[]) =>
  rows.map((row) => ({ ...row, ...Object.fromEntries(names.map((name) => [name, row[name]?.toString() ?? null])) }));

it('the journal as Parquet holds every event, to the microsecond and the last digit, for another reader', async () => {
  const to = join(makeTempFolder(), 'journal.parquet');
  const ended = await run('journal', '--to', to);
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
  expect(ended.stdout).toMatch(
    new RegExp(`^${manyEvents + 1} rows of journal in .*journal\\.parquet \\(\\d+\\.\\d MB\\)$`),
  );
  const { rows, types } = await readParquet(to);
  const columns = `event_id::text, ${micros('at')}, entity_type, entity_id, field, action, old_value::text, new_value::text,
    actor, source, workspace`;
  expect(asText(rows, 'event_id', 'at')).toEqual(await readTable(columns, 'journal', 'journal.event_id'));
  expect(rows.at(-1)).toMatchObject({ entity_id: hostile, old_value: bigValue, new_value: 'null' });
  expect(typeof rows[0]?.['event_id']).toBe('bigint');
  expect(types).toMatchObject({ event_id: 'INT_64', at: 'TIMESTAMP', old_value: 'UTF8' });
});

it('runs as Parquet have their types, and NULL where there is nothing', async () => {
  const to = join(makeTempFolder(), 'runs.parquet');
  await run('runs', '--to', to, '--since', '2026-01-01');
  const { rows, types } = await readParquet(to);
  const columns = `id::text, ${micros('scheduled_at')}, definition_id, definition_uuid::text, kind, source, trigger, actor,
    revision, contract_hash, workflow_id, workflow_run_id, standing, outcome, assessment, assessment_failure_count, exit_code,
    reason, attempt, ${micros('started_at')}, ${micros('finished_at')}, response_status, response::text, stages::text,
    targets::text, too_short, details_dropped, ${micros('recorded_at')}, dry_run, to_json(flags)::text AS flags`;
  const found = asText(rows, 'scheduled_at', 'started_at', 'finished_at', 'recorded_at');
  expect(found).toEqual(await readTable(columns, 'runs', 'runs.scheduled_at'));
  expect(rows[1]).toMatchObject({
    outcome: null,
    exit_code: null,
    finished_at: null,
    response: null,
    too_short: false,
  });
  expect(types).toMatchObject({ standing: 'INT_32', finished_at: 'TIMESTAMP', response: 'UTF8' });
});

it('--since leaves out what is older, and no row at all is a file all the same', async () => {
  const to = join(makeTempFolder(), 'x.parquet');
  await run('runs', '--to', to, '--since', '2026-04-01');
  expect((await readParquet(to)).rows).toHaveLength(1);
  const ended = await run('runs', '--to', to, '--since', '2099-01-01', '--force', '--json');
  expect(JSON.parse(ended.stdout)).toMatchObject({ subject: 'runs', format: 'parquet', rows: 0, file: to });
  expect((await readParquet(to)).rows).toEqual([]);
});

it('JSON Lines on stdout are one document a line, with JSON as JSON and numbers as they were', async () => {
  const { stdout, exitCode, stderr } = await run('runs', '--to', '-', '--format', 'jsonl');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const lines = stdout.split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain('"big": 12345678901234567890.10,');
  const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(first).toMatchObject({ response: { text: 'a\nb' }, stages: { queueMs: 1.5 }, too_short: true });
  expect(first).toMatchObject({ scheduled_at: '2026-03-31T23:59:59.999000Z' });
  expect(second).toMatchObject({ started_at: '2026-04-01T00:00:00.000001Z', outcome: null, response: null });
});

it('CSV quotes what has to be quoted, and tells NULL from an empty text', async () => {
  const to = join(makeTempFolder(), 'journal.csv');
  await run('journal', '--to', to, '--since', '2026-03-30T04:00Z');
  const [head, first, ...rest] = readFileSync(to, 'utf8').split('\n');
  expect(head).toBe('event_id,at,entity_type,entity_id,field,action,old_value,new_value,actor,source,workspace');
  expect(first).toBe('700,2026-03-30T04:00:00.123456Z,definition,test.700,title,update,,700,tester,test,""');
  const quoted = `"${bigValue.replaceAll('"', '""')}"`;
  expect(rest.join('\n')).toBe(
    `701,2026-04-01T00:00:00.000001Z,finding,"${hostile.replaceAll('"', '""')}",state,insert,${quoted},null,tester,test,here\n`,
  );
});

it.each([
  [
    'a file that is there',
    ['--to', 'there.csv'],
    /^error: there\.csv is there already\n {2}Name another file, or .*--force/,
  ],
  ['a folder', ['--to', '.', '--format', 'csv', '--force'], /^error: \. is not a regular file/],
  ['a folder that is not there', ['--to', 'no/x.csv'], /^error: no\/x\.csv cannot be written: ENOENT/],
  [
    'a name that says no format',
    ['--to', 'x.txt'],
    /^error: x\.txt does not say which format.*\n {2}Say --format parquet\|csv/,
  ],
  ['Parquet on stdout', ['--to', '-', '--format', 'parquet'], /^error: Parquet is not written to stdout/],
  ['JSON beside rows', ['--to', '-', '--format', 'csv', '--json'], /^error: --json has no place beside --to -/],
])('export refuses %s, and leaves nothing behind', async (_, args, says) => {
  const cwd = makeTempFolder();
  writeFileSync(join(cwd, 'there.csv'), 'precious');
  const ended = await runActcore(['export', 'runs', ...args], { cwd, env });
  expect(ended.stderr).toMatch(says);
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(readdirSync(cwd)).toEqual(['there.csv']);
  expect(readFileSync(join(cwd, 'there.csv'), 'utf8')).toBe('precious');
});

it.each(['parquet', 'csv'])(
  'Ctrl-C in the middle of %s leaves the file as it was, and nothing beside it',
  async (format) => {
    const cwd = makeTempFolder();
    writeFileSync(join(cwd, `x.${format}`), 'before');
    const holder = await history.pool.connect();
    try {
      await holder.query('BEGIN; LOCK TABLE actcore.journal IN ACCESS EXCLUSIVE MODE');
      const started = startActcore(['export', 'journal', '--to', `x.${format}`, '--force'], { cwd, env });
      await eventually(
        async () => {
          const waiting = await holder.query('SELECT FROM pg_locks WHERE NOT granted AND relation = $1::regclass', [
            'actcore.journal',
          ]);
          return waiting.rowCount === 1;
        },
        { what: 'an export that waits' },
      );
      expect(readdirSync(cwd)).toHaveLength(2);
      started.kill('SIGINT');
      expect(await started).toMatchObject({ exitCode: 130, stderr: '' });
      expect(readdirSync(cwd)).toEqual([`x.${format}`]);
      expect(readFileSync(join(cwd, `x.${format}`), 'utf8')).toBe('before');
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
  },
);
