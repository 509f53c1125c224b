import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type pg from 'pg';
import type { Treatment } from '../../activities/watchdog/finding.ts';
import { RemedyError } from '../../activities/watchdog/sql-remedy-error.ts';
import { treatBySql } from '../../activities/watchdog/sql-remedy.ts';
import { createTestDatabase, readTestSetting } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { connectAsRun, defineCheck, detectNow, stageTreatment } from './support/treatment.ts';
import type { CheckText } from './support/treatment.ts';

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = await connectAsRun(database.url);
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

beforeEach(async () => {
  await client.query(`
    DROP SCHEMA public CASCADE; CREATE SCHEMA public;
    CREATE TABLE jobs (id int PRIMARY KEY, state text NOT NULL, attempts int NOT NULL DEFAULT 0 CHECK (attempts < 9));
    CREATE TABLE audit (run_id uuid, definition_id text, check_name text, action text, mode text, finding jsonb,
      before jsonb, after jsonb, decision jsonb);
    INSERT INTO jobs SELECT n, 'stuck' FROM generate_series(1, 5) n`);
});

const stuck: CheckText = {
  detect: 'select id, state, attempts from jobs where state = :state order by id;',
  remedy: "update jobs set state = 'ready', attempts = :attempts + 1 where id = :id returning *;",
  audit: `insert into audit values (:run_id, :definition_id, :check_name, :action, :mode, :finding_key, :before, :after, :decision)`,
  params: { state: 'stuck' },
};

async function treat(text: CheckText, changes: Partial<Treatment> = {}) {
  const check = await defineCheck(text);
  const findings = await detectNow(client, check);
  const staged = stageTreatment(client, check, changes);
  const treated = await treatBySql(staged.treatment, findings);
  return {
    ...staged,
    treated,
    outcomes: treated.map(({ outcome }) => outcome),
    errors: treated.map(({ error }) => error),
  };
}

const readJobs = async () => {
  const { rows } = await client.query('SELECT id, state, attempts FROM jobs ORDER BY id');
  return rows.map(({ id, state, attempts }) => `${id} ${state} ${attempts}`);
};
const countAudit = async () => Number((await client.query('SELECT count(*) FROM audit')).rows[0].count);

it('cures each finding, and writes its triplet in the transaction that is told of', async () => {
  const { outcomes, kept, fates, treatment } = await treat(stuck);
  expect(outcomes).toEqual(['cured', 'cured', 'cured', 'cured', 'cured']);
  expect(fates).toEqual(['committed']);
  expect(await readJobs()).toEqual(['1 ready 1', '2 ready 1', '3 ready 1', '4 ready 1', '5 ready 1']);
  expect(kept[1]?.record).toMatchObject({
    ...{ checkName: 'sample', findingKey: '[2]', action: 'mend', mode: 'auto', outcome: 'cured' },
    before: '{"id":2,"state":"stuck","attempts":0}',
    after: '{"id":2,"state":"ready","attempts":1}',
  });
  const { rows } = await client.query("SELECT *, xmin::text FROM audit WHERE finding = '[2]'");
  expect(rows).toEqual([
    {
      ...{ run_id: treatment.runId, definition_id: 'team.sample', check_name: 'sample', action: 'mend', mode: 'auto' },
      ...{ finding: '[2]', before: '{"id": 2, "state": "stuck", "attempts": 0}' },
      ...{
        after: '{"id": 2, "state": "ready", "attempts": 1}',
        decision: expect.stringContaining('under a lock'),
        xmin: kept[1]?.xid,
      },
    },
  ]);
  const written = await client.query('SELECT xmin::text FROM jobs WHERE id = 2');
  expect(written.rows[0].xmin).toBe(kept[1]?.xid);
});

it('the values that are bound are those of the moment, and what was cured meanwhile is gone', async () => {
  const check = await defineCheck(stuck);
  const findings = await detectNow(client, check);
  await client.query(
    "UPDATE jobs SET attempts = 4 WHERE id = 1; UPDATE jobs SET state = 'done' WHERE id = 2; DELETE FROM jobs WHERE id = 3",
  );
  const { treatment, kept } = stageTreatment(client, check);
  const treated = await treatBySql(treatment, findings);
  expect(treated.map(({ outcome }) => outcome)).toEqual(['cured', 'gone', 'gone', 'cured', 'cured']);
  expect(treated[1]).not.toHaveProperty('record');
  expect(kept).toHaveLength(3);
  expect(await readJobs()).toEqual(['1 ready 5', '2 done 0', '4 ready 1', '5 ready 1']);
});

it('a remedy that fails for one finding costs that finding alone', async () => {
  await client.query('UPDATE jobs SET attempts = 8 WHERE id = 2');
  const { outcomes, errors, kept } = await treat(stuck);
  expect(outcomes).toEqual(['cured', 'failed', 'cured', 'cured', 'cured']);
  expect(errors[1]).toMatch(/a check constraint was violated: .*"jobs_attempts_check".*SQLSTATE 23514/);
  expect(kept.map(({ record }) => record.outcome)).toEqual(outcomes);
  expect(kept[1]?.record).toMatchObject({
    before: '{"id":2,"state":"stuck","attempts":8}',
    after: null,
    error: errors[1],
  });
  expect(await readJobs()).toContain('2 stuck 8');
  expect(await countAudit()).toBe(4);
});

it('a remedy that does not cure is rolled back and flagged', async () => {
  const remedy =
    "update jobs set state = case when id = 4 then 'stuck' else 'ready' end, attempts = 1 where id = :id returning id";
  const { outcomes, errors } = await treat({ ...stuck, remedy });
  expect(outcomes).toEqual(['cured', 'cured', 'cured', 'not_cured', 'cured']);
  expect(errors[3]).toBe('the finding is still there after it');
  expect(await readJobs()).toContain('4 stuck 0');
  expect(await countAudit()).toBe(4);
});

it.each([
  ['with RETURNING', 'returning id'],
  ['without', ''],
])('a remedy %s that touches more rows than it may is rolled back', async (_, returning) => {
  const remedy = `update jobs set state = 'ready' where id = :id or (:id = 2 and id = 3) ${returning}`;
  const { outcomes, errors } = await treat({ ...stuck, remedy });
  expect(outcomes).toEqual(['cured', 'failed', 'cured', 'cured', 'cured']);
  expect(errors[1]).toBe('it touches more rows than max_rows (1)');
  const wider = await treat({ ...stuck, remedy, maxRows: 2 });
  expect(wider.outcomes).toEqual(['cured']);
});

it('where more rows may be touched, after is a list', async () => {
  const { kept } = await treat({ ...stuck, maxRows: 2 });
  expect(kept[0]?.record.after).toBe('[{"id":1,"state":"ready","attempts":1}]');
  const none = await treat({
    ...stuck,
    params: { state: 'ready' },
    remedy: 'delete from jobs where id = :id',
    maxRows: 2,
  });
  expect(none.kept[0]?.record.after).toBeNull();
});

it('an audit that fails takes its remedy back with it', async () => {
  await client.query("ALTER TABLE audit ADD CHECK (finding <> '[3]')");
  const { outcomes } = await treat(stuck);
  expect(outcomes).toEqual(['cured', 'cured', 'failed', 'cured', 'cured']);
  expect(await readJobs()).toContain('3 stuck 0');
  expect(await countAudit()).toBe(4);
});

it('a constraint that is only checked at the end is checked for each finding', async () => {
  await client.query(`CREATE TABLE states (state text PRIMARY KEY); INSERT INTO states VALUES ('stuck'), ('ready1'), ('ready3');
    ALTER TABLE jobs ADD FOREIGN KEY (state) REFERENCES states DEFERRABLE INITIALLY DEFERRED`);
  const remedy = "update jobs set state = 'ready' || id where id = :id";
  const { outcomes, errors, fates } = await treat({ ...stuck, remedy });
  expect(outcomes).toEqual(['cured', 'failed', 'cured', 'failed', 'failed']);
  expect(errors[1]).toContain('foreign key');
  expect(fates).toEqual(['committed']);
});

it('sim says what would be, and leaves every row as it was', async () => {
  const [before] = (
    await client.query('SELECT array_agg(j.ctid || j.xmin::text || j::text ORDER BY id)::text FROM jobs j')
  ).rows;
  await client.query('UPDATE jobs SET attempts = 8 WHERE id = 2');
  const fresh = (
    await client.query('SELECT array_agg(j.ctid || j.xmin::text || j::text ORDER BY id)::text FROM jobs j')
  ).rows[0];
  const { outcomes, kept } = await treat(stuck, { mode: 'sim' });
  expect(outcomes).toEqual(['simulated', 'failed', 'simulated', 'simulated', 'simulated']);
  expect(kept[0]).toMatchObject({
    xid: undefined,
    record: {
      mode: 'sim',
      outcome: 'simulated',
      before: '{"id":1,"state":"stuck","attempts":0}',
      after: '{"id":1,"state":"ready","attempts":1}',
    },
  });
  const after = (
    await client.query('SELECT array_agg(j.ctid || j.xmin::text || j::text ORDER BY id)::text FROM jobs j')
  ).rows[0];
  expect(before).not.toEqual(fresh);
  expect(after).toEqual(fresh);
  expect(await countAudit()).toBe(0);
});

it('where the triplets can be kept nowhere, nothing is done', async () => {
  const prepare = () => Promise.reject(new Error('no place'));
  await expect(treat(stuck, { prepare })).rejects.toThrow('no place');
  expect(await readJobs()).toContain('1 stuck 0');
  await expect(treat(stuck, { prepare, mode: 'sim' })).rejects.toThrow('no place');
});

it.each([
  [
    'missing column',
    { remedy: 'update jobs set stat = 1 where id = :id' },
    /its remedy block: there is no such column: .*"stat"/,
  ],
  [
    'missing table',
    { audit: 'insert into audits values (:run_id)' },
    /its audit block: there is no such table: .*"audits"/,
  ],
  ['wrong type', { remedy: "update jobs set attempts = 'x'::int where id = :id" }, /wrong type.*"x"/],
  [
    'unknown name',
    { remedy: 'update jobs set attempts = 1 where id = :ident' },
    /the remedy binds :ident, which is neither/,
  ],
  [
    'type unknown',
    { audit: "select json_build_object('a', :run_id)" },
    /its audit block: the type of a parameter cannot be told/,
  ],
  [
    'wrong param',
    { params: { state: 'stuck', n: 'x' }, remedy: 'update jobs set attempts = :n where id = :id' },
    /wrong type: .*"x"/,
  ],
])('%s is an error of the check, and nothing is done', async (_, changes, message) => {
  const error: unknown = await treat({ ...stuck, ...changes }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RemedyError);
  expect(error).toMatchObject({ message: expect.stringMatching(message), treated: [] });
  expect(await readJobs()).toContain('1 stuck 0');
});

it('a statement that takes longer than it may ends the treatment, and what was before stays known', async () => {
  await client.query("INSERT INTO jobs SELECT n, 'stuck' FROM generate_series(6, 110) n");
  const remedy = "update jobs set state = 'ready' where id = :id and (:id <> 105 or pg_sleep(60) is not null)";
  const error: unknown = await treat({ ...stuck, remedy }, { statementTimeoutMs: () => 700 }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ message: expect.stringContaining('57014'), treated: { length: 100 } });
  expect(await countAudit()).toBe(100);
});

it('an interruption rolls back what is under way, and is thrown as it is', async () => {
  const interrupted = new AbortController();
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  const remedy = "update jobs set state = 'ready' where id = :id and (:id <> 3 or pg_sleep(60) is not null)";
  const treating = treat({ ...stuck, remedy }, { signal: interrupted.signal });
  const other = await connectAsRun(database.url);
  for (;;) {
    const asleep = await other.query("SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'", [
      rows[0].pid,
    ]);
    if (asleep.rows.length > 0) break;
  }
  const reason = new Error('interrupted');
  interrupted.abort(reason);
  await other.query('SELECT pg_cancel_backend($1)', [rows[0].pid]);
  await expect(treating).rejects.toBe(reason);
  await other.end();
  expect(await readJobs()).toContain('1 stuck 0');
  expect(await countAudit()).toBe(0);
});

it('several thousand findings are more than one transaction, and each is acted on once', async () => {
  await client.query(
    "INSERT INTO jobs SELECT n, 'stuck', CASE WHEN n = 700 THEN 8 ELSE 0 END FROM generate_series(6, 1500) n",
  );
  const { outcomes, kept, fates } = await treat(stuck);
  expect(outcomes.filter((outcome) => outcome === 'cured')).toHaveLength(1499);
  expect(outcomes[699]).toBe('failed');
  expect(kept).toHaveLength(1500);
  expect(fates.length).toBeGreaterThan(3);
  expect((await client.query('SELECT count(DISTINCT finding), count(*) FROM audit')).rows).toEqual([{ count: '1499' }]);
});

it('a key of several columns, of odd names and types, or one that has no equality, is compared as it should be', async () => {
  await client.query(`CREATE TABLE odd ("Weird ""Name" text, "loop" timestamptz, j json, done boolean DEFAULT false);
    INSERT INTO odd VALUES ('it''s "1"', '2026-01-01 00:00:00.123456+00', '{"a": 1}'), ('it''s "1"', '2026-01-01 00:00:00.123457+00', '{"a":1}')`);
  const odd = { detect: 'select * from odd where not done', remedy: 'update odd set done = true where loop = :loop' };
  expect((await treat({ ...odd, key: ['Weird "Name', 'loop'] })).outcomes).toEqual(['cured', 'cured']);
  await client.query('UPDATE odd SET done = false');
  const byJson = await treat({ ...odd, key: ['j'], remedy: 'update odd set done = true where j::text = :j::text' });
  expect(byJson.outcomes).toEqual(['cured', 'cured']);
});

it('a remedy may be a SELECT that does something, and one with a WITH that changes rows', async () => {
  const victim = await connectAsRun(database.url, { application_name: 'victim' });
  const sessions = {
    detect: "select pid, application_name from pg_stat_activity where application_name = 'victim'",
    remedy: 'select pg_terminate_backend(:pid, 5000) as ended',
    key: ['pid'],
  };
  const { kept, outcomes } = await treat(sessions);
  expect(outcomes).toEqual(['cured']);
  expect(kept[0]?.record).toMatchObject({
    after: '{"ended":true}',
    decision: expect.stringContaining('without a lock'),
  });
  await victim.end().catch(() => {});
  const remedy =
    'with gone as (delete from jobs where id = :id returning id) insert into audit (finding) select to_jsonb(id) from gone returning finding';
  const moved = await treat({ detect: stuck.detect, params: { state: 'stuck' }, remedy });
  expect(moved.outcomes).toEqual(Array.from({ length: 5 }, () => 'cured'));
  expect(moved.kept[0]?.record.after).toBe('{"finding":1}');
});

it('names in the SQL that are also words or variables of the program are those of the SQL', async () => {
  await client.query(`CREATE TABLE names (id int PRIMARY KEY, before text, outcome text, code int, loop int, k0 int, f0 int, input text);
    INSERT INTO names VALUES (1, 'b', 'o', 1, 1, 7, 8, '$actcore$')`);
  const { outcomes, kept } = await treat({
    detect: "select * from names where outcome = 'o' and input <> '$actcore$ :x'",
    remedy: `update names set outcome = before || k0 || f0 || $q$ $1 $q$, code = loop + :loop -- :nothing
      where id = :id and k0 = :k0 returning names.outcome, code, '$actcore$' as tag`,
    audit: "insert into audit (check_name, before) select outcome, :after from names where id = :id and before <> ''",
  });
  expect(outcomes).toEqual(['cured']);
  expect(kept[0]?.record.after).toBe('{"outcome":"b78 $1 ","code":2,"tag":"$actcore$"}');
  expect((await client.query('SELECT check_name, before FROM audit')).rows).toMatchObject([{ check_name: 'b78 $1 ' }]);
});

it('settings of the session do not change what the SQL means', async () => {
  await client.query('CREATE SCHEMA other; CREATE TABLE other.things (id int PRIMARY KEY, name text)');
  await client.query(String.raw`INSERT INTO other.things VALUES (1, 'a\'), (2, 'b')`);
  await client.query(
    "SET search_path = other; SET standard_conforming_strings = off; SET DateStyle = 'SQL, DMY'; SET plan_cache_mode = force_generic_plan",
  );
  const { outcomes } = await treat({
    detect: "select id, name, '2026-02-01'::date as day from things where name = :name",
    remedy: String.raw`update things set name = 'c\' || :day::text where id = :id and :name = 'a\'`,
    params: { name: 'a\\' },
  });
  expect(outcomes).toEqual(['cured']);
  expect((await client.query('SELECT name FROM things WHERE id = 1')).rows).toEqual([{ name: 'c\\01/02/2026' }]);
  await client.query('RESET ALL');
});

it('a role that may only read is refused before anything is tried; one that may not lock acts without a lock', async () => {
  await client.query(`DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sql_remedy_reader') THEN
    CREATE ROLE sql_remedy_reader; END IF; END $$; REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO sql_remedy_reader; GRANT SELECT ON jobs TO sql_remedy_reader;
    CREATE FUNCTION mend(int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'update public.jobs set state = ''ready'' where id = $1 returning id'`);
  await client.query(
    `DO $$ BEGIN EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database()); END $$`,
  );
  await client.query('SET ROLE sql_remedy_reader');
  await expect(treat(stuck)).rejects.toThrow(/its remedy block: permission denied: .*jobs/);
  const { outcomes, kept } = await treat({ ...stuck, remedy: 'select mend(:id)', audit: 'select :after::json' });
  expect(outcomes).toContain('cured');
  expect(kept[0]?.record.decision).toContain('this role may not lock them');
  await client.query('RESET ROLE');
});

it('a database that takes no writes is told of once', async () => {
  await client.query('SET default_transaction_read_only = on');
  await expect(treat(stuck)).rejects.toThrow(
    'the remedy writes, and the database is read-only: default_transaction_read_only is on',
  );
  await client.query('RESET default_transaction_read_only');
  expect(readTestSetting('ACTCORE_TEST_DATABASE_URL')).toContain('postgres://');
});
