import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type pg from 'pg';
import { treatBySql } from '../../activities/watchdog/sql-remedy.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { connectAsRun, defineCheck, detectNow, stageTreatment } from './support/treatment.ts';
import { slackMs } from '../support/slack.ts';

let database: TestDatabase;
let client: pg.Client;
let other: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  [client, other] = await Promise.all([connectAsRun(database.url), connectAsRun(database.url)]);
});

afterAll(async () => {
  await Promise.all([client.end().catch(() => {}), other.end()]);
  await database.drop();
});

beforeEach(async () => {
  await other.query(`DROP TABLE IF EXISTS jobs, audit, totals;
    CREATE TABLE jobs (id int PRIMARY KEY, state text NOT NULL, attempts int NOT NULL DEFAULT 0);
    CREATE TABLE audit (key json); CREATE TABLE totals (name text PRIMARY KEY, n int); INSERT INTO totals VALUES ('all', 0);
    INSERT INTO jobs SELECT n, 'stuck' FROM generate_series(1, 2000) n`);
});

const stuck = {
  detect: "select id from jobs where state = 'stuck'",
  remedy: "update jobs set state = 'ready', attempts = attempts + 1 where id = :id returning attempts",
  audit: 'insert into audit values (:finding_key)',
};

const readTally = async () => {
  const { rows } = await other.query(`SELECT max(attempts) AS most, count(*) FILTER (WHERE attempts > 0) AS touched,
    (SELECT count(*) FROM audit) AS audited, (SELECT count(DISTINCT key::text) FROM audit) AS keys FROM jobs`);
  return rows[0];
};

it.each([{ batch: false }, { batch: true }])(
  'of two treatments at once no row is acted on twice, %j',
  async ({ batch }) => {
    const remedy =
      "update jobs j set state = 'ready', attempts = attempts + 1 from findings f where j.id = f.id returning j.id";
    const check = await defineCheck(batch ? { ...stuck, remedy, batch } : stuck);
    const findings = await detectNow(other, check);
    const both = await Promise.all([
      treatBySql(stageTreatment(client, check).treatment, findings),
      treatBySql(stageTreatment(other, check).treatment, findings.toReversed()),
    ]);
    const outcomes = both.flat().map(({ outcome }) => outcome);
    expect(new Set(outcomes)).not.toContain('failed');
    const cured = outcomes.filter((outcome) => outcome === 'cured').length;
    expect(await readTally()).toEqual({
      most: '1',
      touched: String(cured),
      audited: String(cured),
      keys: String(cured),
    });
    const [left, right] = both;
    const right2 = right?.toReversed() ?? [];
    // Whatever one of them let go, the other had or has done.
    expect(left?.every(({ outcome }, index) => outcome === 'cured' || right2[index]?.outcome !== 'gone')).toBe(true);
  },
);

it('a row that another session holds is locked, and costs no time', async () => {
  await other.query('BEGIN; SELECT FROM jobs WHERE id = 7 FOR UPDATE');
  const check = await defineCheck(stuck);
  const { treatment } = stageTreatment(client, check);
  const treated = await treatBySql(treatment, (await detectNow(client, check)).slice(0, 10));
  await other.query('ROLLBACK');
  expect(treated.filter(({ outcome }) => outcome === 'locked').map(({ finding }) => finding.key)).toEqual(['[7]']);
  expect(await readTally()).toMatchObject({ touched: '9', audited: '9' });
});

it('a row that others only refer to by a foreign key is not locked', async () => {
  await other.query('CREATE TABLE parts (job int REFERENCES jobs)');
  await other.query('BEGIN; INSERT INTO parts VALUES (7)');
  const check = await defineCheck(stuck);
  const { treatment } = stageTreatment(client, check);
  const treated = await treatBySql(treatment, (await detectNow(client, check)).slice(0, 10));
  await other.query('ROLLBACK; DROP TABLE parts');
  expect(new Set(treated.map(({ outcome }) => outcome))).toEqual(new Set(['cured']));
});

it('a lock on other rows of the remedy holds it up for a second once, and leaves those findings to the next run', async () => {
  await other.query("BEGIN; UPDATE totals SET n = n + 1 WHERE name = 'all'");
  const check = await defineCheck({
    ...stuck,
    remedy: `with t as (update totals set n = n + 1 where name = 'all' and :id % 2 = 0)
      update jobs set state = 'ready', attempts = attempts + 1 where id = :id returning attempts`,
  });
  const { treatment } = stageTreatment(client, check);
  const findings = (await detectNow(client, check)).slice(0, 20);
  const startedAt = performance.now();
  const treated = await treatBySql(treatment, findings);
  expect(performance.now() - startedAt).toBeLessThan(10_000 + slackMs);
  await other.query('ROLLBACK');
  expect(treated.filter(({ outcome }) => outcome === 'locked')).toHaveLength(10);
  expect(treated.find(({ outcome }) => outcome === 'locked')?.error).toContain('another transaction holds rows');
  expect(await readTally()).toMatchObject({ touched: '10', audited: '10' });
});

it('where the connection is killed in the middle, both remedy and audit are there, or neither', async () => {
  const check = await defineCheck({
    ...stuck,
    remedy:
      "update jobs set state = 'ready', attempts = attempts + 1 where id = :id and (:id <> 650 or pg_sleep(60) is not null) returning attempts",
  });
  const doomed = await connectAsRun(database.url);
  const pid = (await doomed.query('SELECT pg_backend_pid() AS pid')).rows[0].pid as string;
  const { treatment, fates } = stageTreatment(doomed, check);
  const treating = treatBySql(treatment, await detectNow(doomed, check)).catch((error: unknown) => error);
  await eventually(async () => {
    const asleep = await other.query("SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'", [pid]);
    return asleep.rows.length > 0;
  });
  await other.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
  const error = await treating;
  expect(error).toMatchObject({
    name: 'CheckError',
    message: expect.stringMatching(/connection to the database was lost/),
  });
  const { touched, audited } = await readTally();
  expect(Number(touched)).toBeGreaterThan(0);
  expect(Number(touched)).toBeLessThan(650);
  expect(audited).toBe(touched);
  expect((error as { treated: unknown[] }).treated).toHaveLength(Number(touched));
  expect(new Set(fates)).toEqual(new Set(['committed']));
  await doomed.end().catch(() => {});
});

it('where the connection is killed before the commit, the triplets are told of a transaction that is not there', async () => {
  const check = await defineCheck(stuck);
  const doomed = await connectAsRun(database.url);
  const pid = (await doomed.query('SELECT pg_backend_pid() AS pid')).rows[0].pid as string;
  const xids: (string | undefined)[] = [];
  const { treatment } = stageTreatment(doomed, check, {
    async prepare(_, xid) {
      xids.push(xid);
      await other.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
      return { settle: () => Promise.reject(new Error('nobody knows yet')) };
    },
  });
  await expect(treatBySql(treatment, (await detectNow(client, check)).slice(0, 5))).rejects.toThrow(
    /connection|terminat/i,
  );
  expect((await other.query('SELECT pg_xact_status($1) AS status', [xids[0]])).rows).toEqual([{ status: 'aborted' }]);
  expect(await readTally()).toMatchObject({ touched: '0', audited: '0' });
  await doomed.end().catch(() => {});
});
