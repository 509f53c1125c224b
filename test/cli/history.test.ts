import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunDetail, RunRow } from '../../history/queries.ts';
import { createTestDatabase } from '../support/database.ts';
import { writeDefinition } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { healthy, sendJson } from '../support/target.ts';
import { findClosedPort } from './support/dead-ends.ts';
import { envOf, readActcore, runActcore, writeFolder } from './support/actcore.ts';

let runner: Runner;
let rows: RunRow[];
const id = `test.history-${randomUUID().slice(0, 8)}`;
const folder = writeFolder({ 'activity-definitions/a.md': writeDefinition(id) });

const run = (...args: string[]) => runActcore(args, { cwd: folder, env: envOf(runner) });

beforeAll(async () => {
  runner = await startRunner();
  await runner.startWorker();
  runner.target.answer = (_, response) =>
    sendJson(response, {
      ...healthy,
      big: 1,
      assessment_failures: [{ target: 'r', rule: 'C-07', message: 'differs' }],
    });
  await run('apply', '--allow-uncanaried', '--reason', 'no canary among the rows that are counted');
  for (let count = 0; count < 3; count++) await run('trigger', id, '--follow');
  rows = await runner.runsOf(id);
  if (rows.length !== 3) throw new Error(`there are ${rows.length} rows for three firings`);
}, 120_000);

afterAll(async () => {
  await runner.client.schedule.getHandle(id).delete();
  await runner.close();
});

it('runs lists the newest first, as a table and as JSON', async () => {
  const ended = await run('runs');
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
  const [head = '', ...lines] = ended.stdout.split('\n');
  expect(head).toMatch(/^SCHEDULED \(UTC\) +DEFINITION +SOURCE +TRIGGER +OUTCOME +ASSESSMENT +TOOK +RUN$/);
  expect(lines.map((line) => line.slice(-8))).toEqual(rows.map((row) => row.id.slice(0, 8)));
  expect(lines[0]).toMatch(/ activity-core +manual +completed +failed \(1\) +\d+ ms +[0-9a-f]{8}$/);
  const { document } = await readActcore<{ runs: RunRow[] }>(['runs', id], { env: envOf(runner) });
  expect(document.runs).toEqual(rows);
});

it('runs --limit and --since narrow it, and nothing found is said', async () => {
  expect((await run('runs', id, '--limit', '2')).stdout.split('\n')).toHaveLength(3);
  expect((await run('runs', '--since', '1h', '--limit', '9007199254740991')).stdout.split('\n')).toHaveLength(4);
  expect((await run('runs', '--since', '99999d')).stdout.split('\n')).toHaveLength(4);
  expect(await run('runs', '--since', '2099-01-01')).toMatchObject({ exitCode: 0, stdout: 'no runs' });
  expect(await run('runs', 'test.nothing')).toMatchObject({ exitCode: 0, stdout: 'no runs' });
});

it('run shows one by the first digits of its id, with its assessment failures, and the answer when asked', async () => {
  const [row] = rows;
  const short = await run('run', row?.id.slice(0, 8) ?? '');
  expect(short).toMatchObject({ exitCode: 0, stderr: '' });
  for (const part of [row?.id, 'manual by tester', row?.scheduledAt, 'completed (', 'C-07', 'differs']) {
    expect(short.stdout).toContain(part);
  }
  expect(short.stdout).not.toContain('"big"');
  const whole = await run('run', row?.id.toUpperCase() ?? '', '--response');
  expect(whole.stdout).toMatch(/\n\{"big": ?1|"big": ?1/);
  const { document } = await readActcore<RunDetail>(['run', row?.id.replaceAll('-', '') ?? ''], { env: envOf(runner) });
  expect(document).toMatchObject({
    id: row?.id,
    assessmentFailures: [{ target: 'r', rule: 'C-07', message: 'differs' }],
  });
});

it.each([
  ['an unknown id', 'ffffffff-ffff-4fff-bfff-ffffffffffff', /^error: The history has no run ffffffff/],
  ['what is no id', 'xyz!', /^error: xyz! is not a run id\n {2}Give at least its first four digits/],
  ['too few digits', 'a--b', /^error: a--b is not a run id/],
])('run refuses %s', async (_, prefix, says) => {
  const ended = await run('run', prefix);
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toMatch(says);
});

it('run refuses a prefix of several, and names them', async () => {
  const copies = ['abcd0000-0000-5000-8000-000000000001', 'abcd0000-0000-5000-8000-000000000002'];
  for (const copy of copies) {
    const { rows: columns } = await runner.history.query<{ names: string }>(
      `SELECT string_agg(quote_ident(column_name), ', ') AS names FROM information_schema.columns
       WHERE table_schema = 'actcore' AND table_name = 'runs' AND column_name <> 'id'`,
    );
    const names = columns[0]?.names ?? '';
    await runner.history.query(
      `INSERT INTO actcore.runs (id, ${names}) SELECT $1, ${names} FROM actcore.runs WHERE id = $2`,
      [copy, rows[0]?.id],
    );
  }
  const ended = await run('run', 'abcd');
  expect(ended.stderr).toBe(`error: More than one run begins with abcd: ${copies.join(', ')}\n  Give more digits.`);
  expect(ended.exitCode).toBe(1);
  await runner.history.query('DELETE FROM actcore.runs WHERE id = ANY($1)', [copies]);
});

it('list and show tell the last runs, and go without them where the history is away', async () => {
  const listed = await run('list');
  const line = listed.stdout.split('\n').find((text) => text.startsWith(id));
  expect(line).toMatch(/ sweep +on +\d{4}-01-01 00:00:00 +\S+ \S+ +completed +failed \(1\)$/);
  const shown = await run('show', id);
  for (const part of ['A sweep under test', 'POST ${TARGET_URL}/sweep', 'TARGET_TOKEN (secret)', '# What this does']) {
    expect(shown.stdout).toContain(part);
  }
  expect(shown.stdout).toContain(rows[0]?.id.slice(0, 8));
  expect(shown.stdout).toMatch(/^headroom +p95 \d+ ms of 30 s \(\d %\) over 3 runs$/m);
  const { port } = await findClosedPort();
  const away = { ...envOf(runner), ACTCORE_DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/history` };
  for (const [args, remark] of [
    [['list'], 'last runs are not shown'],
    [['show', id], 'runs are not shown'],
  ] as const) {
    const ended = await runActcore([...args], { env: away });
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout).toContain(id);
    expect(ended.stderr).toBe(`${remark}: The history does not answer at 127.0.0.1:${port}/history`);
  }
});

it('show warns where runs leave little of their budget', async () => {
  const setLength = (length: string) =>
    runner.history.query(`UPDATE actcore.runs SET finished_at = ${length} WHERE definition_id = $1`, [id]);
  await runner.history.query('ALTER TABLE actcore.runs ADD COLUMN kept timestamptz');
  await runner.history.query('UPDATE actcore.runs SET kept = finished_at');
  try {
    await setLength("started_at + interval '23.8 s'");
    expect((await run('show', id)).stdout).toMatch(/^headroom +p95 24 s of 30 s \(79 %\) over 3 runs$/m);
    await setLength("started_at + interval '24 s'");
    const warned = await readActcore<object>(['show', id], { env: envOf(runner) });
    expect(warned.document).toMatchObject({
      headroom: { runs: 3, p95Ms: 24_000, budgetMs: 30_000, usedPercent: 80, isTight: true },
    });
    expect((await run('show', id)).stdout).toMatch(
      /^headroom +p95 24 s of 30 s \(80 %\) over 3 runs: little is left of the budget$/m,
    );
  } finally {
    await setLength('kept');
    await runner.history.query('ALTER TABLE actcore.runs DROP COLUMN kept');
  }
});

it('list as JSON says state, next tick and last run of each', async () => {
  const { document } = await readActcore<{ schedules: { id: string }[] }>(['list'], { env: envOf(runner) });
  expect(document.schedules.find((schedule) => schedule.id === id)).toMatchObject({
    paused: false,
    kind: 'sweep',
    owner: 'tests',
    lastRun: { id: rows[0]?.id },
    nextTick: expect.stringMatching(/^\d{4}-01-01T00:00:00.000Z$/),
  });
});

it('an unknown schedule is refused by every command that takes one', async () => {
  for (const command of ['show', 'trigger', 'pause', 'resume']) {
    const ended = await run(command, 'test.nothing');
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^error: The server has no schedule test\.nothing\n {2}actcore list shows/);
  }
});

it('migrate makes the tables once, and says so', async () => {
  const database = await createTestDatabase();
  const env = { ACTCORE_DATABASE_URL: database.url };
  try {
    const first = await readActcore<{ applied: string[] }>(['migrate'], { env });
    expect(first.document.applied.length).toBeGreaterThan(0);
    expect(await runActcore(['migrate'], { env })).toMatchObject({ exitCode: 0, stdout: 'the history is up to date' });
    expect(await runActcore(['runs'], { env })).toMatchObject({ exitCode: 0, stdout: 'no runs' });
  } finally {
    await database.drop();
  }
});

it('doctor --json is one document of findings', async () => {
  const { document, stderr } = await readActcore<{ findings: { name: string; ok: string; found: string }[] }>(
    ['doctor'],
    { env: envOf(runner) },
  );
  expect(stderr).toBe('');
  expect(document.findings.length).toBeGreaterThan(5);
  for (const finding of document.findings) expect(['ok', 'warning', 'missing']).toContain(finding.ok);
  expect(JSON.stringify(document)).not.toContain(new URL(runner.databaseUrl).password);
});
