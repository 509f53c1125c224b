import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, expect, it } from 'vitest';
import { createRoles } from '../../history/roles.ts';
import { compileWatchdog, openCheckStage, replaceIn } from '../examples/support/run-checks.ts';
import { writeDefinitionRow, writeRuns } from './support/run-rows.ts';

const stage = await openCheckStage();
const { pool, url } = stage.history;
// Days and months are of UTC wherever the server is.
await pool.query(
  `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone TO ''Pacific/Kiritimati''', current_database()); END $$`,
);
afterAll(() => stage.close());

const file = 'activity-definitions/actcore.retention.md';
const order = await compileWatchdog(file);
const run = (databaseUrl = url) => stage.runChecks(order, { ACTCORE_DATABASE_URL: databaseUrl });

async function ask<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
  return (await pool.query<Row>(text, values)).rows;
}

const counted = `count(*)::int AS runs, count(*) FILTER (WHERE assessment = 'failed')::int AS failures,
  percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at) * 1000)::float8 AS p50,
  percentile_disc(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at) * 1000)::float8 AS p95`;

/** What the rows of definitions say by day, as roll-ups have to have it. */
const summarizeRows = (like: string) =>
  ask(
    `SELECT (scheduled_at AT TIME ZONE 'UTC')::date::text AS day, definition_id, source, coalesce(outcome, 'running') AS outcome, ${counted}
     FROM actcore.runs WHERE definition_id LIKE $1 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
    [like],
  );
const readDays = (like: string) =>
  ask(
    `SELECT day::text, definition_id, source, outcome, runs::int, failures::int, p50_ms AS p50, p95_ms AS p95
     FROM actcore.run_days WHERE definition_id LIKE $1 ORDER BY 1, 2, 3, 4`,
    [like],
  );
const countRows = async (like: string, table = 'runs') =>
  (
    await ask<{ count: number }>(
      `SELECT count(*)::int AS count FROM actcore.${table} JOIN (SELECT id FROM actcore.runs WHERE definition_id LIKE $1) AS own
       ON own.id = ${table}.${table === 'runs' ? 'id' : 'run_id'}`,
      [like],
    )
  )[0]?.count;
const listMonths = async () =>
  (await ask<{ month: string }>('SELECT month::text FROM actcore.list_months()')).map(({ month }) => month);
const monthAt = async (distance: number) =>
  (await ask<{ month: string }>('SELECT actcore.month_at($1)::text AS month', [distance]))[0]?.month ?? '';
/** Days ago of a day in the middle of a month so many months ago. */
const daysAgo = async (months: number, day = 15) =>
  (
    await ask<{ days: number }>('SELECT actcore.today() - (actcore.month_at($1) + $2::int - 1) AS days', [-months, day])
  )[0]?.days ?? 0;

it('makes the months ahead, of every table that has them, and is quiet when they are there', async () => {
  const ahead = await monthAt(2);
  expect(await listMonths()).not.toContain(ahead);
  expect(await run()).toMatchObject({ 'months-ahead': { findings: 1, cured: 1 }, 'expired-months': { findings: 0 } });
  expect(await listMonths()).toContain(ahead);
  await ask(`DROP TABLE actcore.results_${ahead.slice(0, 7).replace('-', '_')}`);
  expect(await run()).toMatchObject({ 'months-ahead': { findings: 1, cured: 1 } });
  const quiet = await run();
  expect(Object.values(quiet).map(({ findings, error }) => [findings, error])).toEqual(
    ['a', 'b', 'c', 'd'].map(() => [0, undefined]),
  );
});

it('rolls up days that have settled, once, as the rows say', async () => {
  const runs = {
    definitionId: 'roll.a',
    days: 6,
    count: 600,
    everySeconds: 900,
    took: '(n * 7919) % 101',
    isFailed: 'n % 5 = 0',
  };
  await writeRuns(pool, {
    ...runs,
    outcome: "CASE WHEN n % 3 = 0 THEN 'timed_out' WHEN n % 50 <> 1 THEN 'completed' END",
  });
  await writeRuns(pool, { ...runs, source: 'local-timer', took: 'n' });
  await ask('DELETE FROM actcore.rolled_days');
  // The month before may begin within the six days.
  const first = await run();
  expect(first['days-not-rolled-up']?.cured).toBe(first['days-not-rolled-up']?.findings);
  const [{ settled } = { settled: '' }] = await ask<{ settled: string }>(
    'SELECT (actcore.today() - 2)::text AS settled',
  );
  const wanted = (await summarizeRows('roll.%')).filter(({ day }) => String(day) < settled);
  expect(wanted.length).toBeGreaterThan(12);
  expect(await readDays('roll.%')).toEqual(wanted);
  expect(await run()).toMatchObject({ 'days-not-rolled-up': { findings: 0 } });
});

it('drops a month beyond its age with all its tables, rolled up to the last row, and leaves a triplet', async () => {
  await writeRuns(pool, {
    definitionId: 'drop.a',
    days: await daysAgo(14),
    count: 500,
    everySeconds: 1_800,
    took: '(n * 7919) % 499',
  });
  await writeRuns(pool, { definitionId: 'drop.a', days: await daysAgo(13), count: 10, everySeconds: 1_800 });
  const wanted = await summarizeRows('drop.a');
  const month = await monthAt(-14);
  expect(await run()).toMatchObject({ 'expired-months': { findings: 1, cured: 1 }, 'surplus-rows': { findings: 0 } });
  expect(await listMonths()).not.toContain(month);
  expect(await listMonths()).toContain(await monthAt(-13));
  expect(await countRows('drop.a')).toBe(10);
  const suffix = month.slice(0, 7).replace('-', '_');
  expect(await ask('SELECT FROM pg_class WHERE relname LIKE $1', [`%${suffix}`])).toEqual([]);
  expect((await readDays('drop.a')).filter(({ day }) => String(day) < monthEnd(month))).toEqual(
    wanted.filter(({ day }) => String(day) < monthEnd(month)),
  );
  const [triplet] = await ask(
    'SELECT action, outcome, before, after, decision FROM actcore.actions WHERE finding_key = $1 AND check_name = $2',
    [`["${month}"]`, 'expired-months'],
  );
  expect(triplet).toMatchObject({
    ...{ action: 'drop the month', outcome: 'cured', before: { month, tables: 5 } },
    after: {
      runs: 500,
      tables: expect.arrayContaining([`actcore.runs_${suffix}`, `actcore.checks_${suffix}`]) as unknown,
    },
    decision: { check: 'expired-months', threshold: 13 },
  });
  expect(await run()).toMatchObject({ 'expired-months': { findings: 0 }, 'days-not-rolled-up': { failed: 0 } });
});

/** The first day of the month after. */
const monthEnd = (month: string) =>
  new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5, 7)), 1)).toISOString().slice(0, 10);

it('a row that comes after its month was dropped is counted when it goes in its turn', async () => {
  const before = await readDays('drop.a');
  await writeRuns(pool, { definitionId: 'drop.a', days: await daysAgo(14), count: 3, everySeconds: 60, took: '9' });
  expect(await run()).toMatchObject({ 'expired-months': { findings: 1, cured: 1 } });
  const [first, ...rest] = await readDays('drop.a');
  const [known, ...others] = before;
  expect(first).toEqual({ ...known, runs: Number(known?.['runs']) + 3 });
  expect(rest).toEqual(others);
});

it('drops nothing where more months than max_actions would go', async () => {
  for (const months of [14, 15, 16, 17]) {
    await writeRuns(pool, { definitionId: 'many.a', days: await daysAgo(months), count: 2, everySeconds: 60 });
  }
  expect(await run()).toMatchObject({ 'expired-months': { findings: 4, cured: 0, left: 4 } });
  expect(await countRows('many.a')).toBe(8);
  const raised = await compileWatchdog(file, (text) => replaceIn(text, 'max_actions: 3', 'max_actions: 4'));
  const ended = await stage.runChecks(raised, { ACTCORE_DATABASE_URL: url });
  expect(ended).toMatchObject({ 'expired-months': { findings: 4, cured: 4 } });
});

it('a definition keeps its rows as short as its retention says, and the details go with them', async () => {
  await writeDefinitionRow(pool, 'short.a', { retention: { runs: '20d' } });
  for (const definitionId of ['short.a', 'short.b']) {
    await writeRuns(pool, { definitionId, days: 40, count: 160, everySeconds: 21_600, took: 'n' });
  }
  const wanted = await summarizeRows('short.a');
  const ended = await run();
  expect(ended['surplus-rows']?.cured).toBe(ended['surplus-rows']?.findings);
  const rows = await summarizeRows('short.a');
  expect(rows).toHaveLength(20);
  expect(rows).toEqual(wanted.slice(20));
  expect(await countRows('short.b')).toBe(160);
  for (const table of ['assessments', 'errors', 'results']) {
    expect(
      await ask(`SELECT FROM actcore.${table} WHERE scheduled_at >= actcore.begin_of(actcore.today() - 40)
      AND NOT EXISTS (SELECT FROM actcore.runs WHERE id = run_id)`),
    ).toEqual([]);
    expect(await countRows('short.%', table)).toBe(80 + 160);
  }
  expect((await readDays('short.a')).filter(({ day }) => String(day) < String(rows[0]?.['day']))).toEqual(
    wanted.slice(0, 20),
  );
  expect(await run()).toMatchObject({ 'surplus-rows': { findings: 0 } });
});

it('a definition keeps its newest rows as its retention says, in whole days, and never less than eight', async () => {
  await writeDefinitionRow(pool, 'count.a', { retention: { count: 100 } });
  await writeDefinitionRow(pool, 'count.b', { retention: { count: 100 } });
  await writeRuns(pool, { definitionId: 'count.a', days: 50, count: 200, everySeconds: 21_600 });
  await writeRuns(pool, { definitionId: 'count.b', days: 12, count: 12 * 48, everySeconds: 1_800 });
  await run();
  // The hundredth newest is the first of its day.
  expect(await countRows('count.a')).toBe(100);
  expect(await summarizeRows('count.b')).toHaveLength(8);
  const [sum] = await ask(
    "SELECT sum(runs)::int AS runs FROM actcore.run_days WHERE definition_id = 'count.b' AND day < actcore.today() - 8",
  );
  expect(sum).toEqual({ runs: 4 * 48 });
});

it('a month is held for a definition that keeps its rows longer, and the rows of all others go', async () => {
  await writeDefinitionRow(pool, 'long.a', { retention: { runs: '800d' } });
  await writeDefinitionRow(pool, 'long.b');
  for (const definitionId of ['long.a', 'long.b', 'long.unknown']) {
    await writeRuns(pool, { definitionId, days: await daysAgo(16), count: 5, everySeconds: 60 });
  }
  expect(await run()).toMatchObject({ 'expired-months': { findings: 0 }, 'surplus-rows': { findings: 1, cured: 1 } });
  expect([await countRows('long.a'), await countRows('long.%')]).toEqual([5, 5]);
  expect(await run()).toMatchObject({ 'surplus-rows': { findings: 0 } });
  await writeDefinitionRow(pool, 'long.a', { retention: { runs: '300d' } });
  expect(await run()).toMatchObject({ 'expired-months': { findings: 1, cured: 1 } });
  const days = await readDays('long.%');
  expect(days.map(({ definition_id: id, runs }) => [id, runs])).toEqual([
    ['long.a', 5],
    ['long.b', 5],
    ['long.unknown', 5],
  ]);
});

it('a worker of the least rights retains all the same, and can drop no month that is young', async () => {
  await createRoles(pool);
  const login = `login_${randomUUID().slice(0, 8)}`;
  await ask(`CREATE ROLE ${login} LOGIN PASSWORD 'secret'; GRANT actcore_worker TO ${login}`);
  const own = new URL(url);
  [own.username, own.password] = [login, 'secret'];
  await writeRuns(pool, { definitionId: 'role.a', days: await daysAgo(14), count: 2, everySeconds: 60 });
  await writeRuns(pool, { definitionId: 'short.a', days: 30, count: 2, everySeconds: 60 });
  await ask(`DROP TABLE actcore.results_${(await monthAt(2)).slice(0, 7).replace('-', '_')}`);
  const one = { findings: 1, cured: 1 };
  expect(await run(own.href)).toMatchObject({ 'months-ahead': one, 'expired-months': one, 'surplus-rows': one });
  await ask(`GRANT actcore_operator TO ${login}; REVOKE actcore_worker FROM ${login}`);
  await writeRuns(pool, { definitionId: 'role.a', days: await daysAgo(14), count: 2, everySeconds: 60 });
  await expect(run(own.href)).rejects.toThrow('permission denied for function drop_month');
  await expect(ask('SELECT actcore.drop_month(actcore.month_at(0))')).rejects.toThrow('is too young to be dropped');
  await expect(ask('SELECT actcore.drop_month(actcore.month_at(-14) + 1)')).rejects.toThrow('is too young');
  await ask('SELECT actcore.drop_surplus(actcore.month_at(0), -100, 1)');
  expect(
    await ask(
      `SELECT FROM actcore.runs WHERE definition_id = 'roll.a' AND scheduled_at > now() - interval '7 days' LIMIT 1`,
    ),
  ).toHaveLength(1);
});
