import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type pg from 'pg';
import type { Treatment } from '../../activities/watchdog/finding.ts';
import { treatBySql } from '../../activities/watchdog/sql-remedy.ts';
import { createTestDatabase } from '../support/database.ts';
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
    DROP TABLE IF EXISTS jobs, audit;
    CREATE TABLE jobs (id int PRIMARY KEY, state text NOT NULL, attempts numeric(78,0) NOT NULL DEFAULT 0 CHECK (attempts <> 9));
    CREATE TABLE audit (run_id uuid NOT NULL, finding json, before json, after json, decision json, attempts numeric, at timestamptz DEFAULT now());
    INSERT INTO jobs SELECT n, 'stuck', 10::numeric ^ 77 + n FROM generate_series(1, 4) n`);
});

const stuck: CheckText = {
  detect: 'select id, state, attempts from jobs where state = :state;',
  remedy:
    'update jobs j set state = :target, attempts = f.attempts + 1 from findings f where j.id = f.id returning j.*; -- done',
  audit: `insert into audit (run_id, finding, before, after, decision, attempts)
    values (:run_id, :finding_key, :before, :after, :decision, :attempts)`,
  params: { state: 'stuck', target: 'ready' },
  batch: true,
};

async function treat(text: CheckText, changes: Partial<Treatment> = {}, pick = (id: string) => id !== '') {
  const check = await defineCheck(text);
  const findings = (await detectNow(client, check)).filter(({ columns }) => pick(columns.get('id') ?? ''));
  const staged = stageTreatment(client, check, changes);
  const treated = await treatBySql(staged.treatment, findings);
  return {
    ...staged,
    treated,
    outcomes: treated.map(({ outcome }) => outcome),
    errors: treated.map(({ error }) => error),
  };
}

const readStates = async () =>
  (await client.query<{ s: string }>("SELECT string_agg(state, ' ' ORDER BY id) AS s FROM jobs")).rows[0]?.s;
const readAudit = async () => (await client.query('SELECT *, xmin::text FROM audit ORDER BY attempts')).rows;

it('all findings are cured by one statement, each with its triplet', async () => {
  const { outcomes, kept, treatment } = await treat(stuck);
  expect(outcomes).toEqual(['cured', 'cured', 'cured', 'cured']);
  const large = `1${'0'.repeat(76)}`;
  expect(kept[2]?.record).toMatchObject({
    ...{ findingKey: '[3]', outcome: 'cured', before: `{"id":3,"state":"stuck","attempts":${large}3}` },
    after: `{"id":3,"state":"ready","attempts":${large}4}`,
  });
  expect((await readAudit())[2]).toMatchObject({
    ...{ run_id: treatment.runId, finding: '[3]', before: kept[2]?.record.before, after: kept[2]?.record.after },
    ...{ attempts: `${large}3`, decision: kept[2]?.record.decision, xmin: kept[2]?.xid },
  });
});

it('only those that were asked for are touched', async () => {
  const { outcomes } = await treat(stuck, {}, (id) => id !== '2');
  expect(outcomes).toHaveLength(3);
  expect(await readStates()).toBe('ready stuck ready ready');
});

it('what somebody else holds is locked, and what is not there any more is gone', async () => {
  const check = await defineCheck(stuck);
  const findings = await detectNow(client, check);
  const other = await connectAsRun(database.url);
  await other.query('DELETE FROM jobs WHERE id = 4');
  await other.query('BEGIN; SELECT FROM jobs WHERE id = 2 FOR UPDATE');
  const { treatment, kept } = stageTreatment(client, check);
  const treated = await treatBySql(treatment, findings);
  await other.query('ROLLBACK');
  await other.end();
  expect(treated.map(({ outcome }) => outcome)).toEqual(['cured', 'locked', 'cured', 'gone']);
  expect(kept).toHaveLength(2);
  expect(await readAudit()).toHaveLength(2);
});

it.each([
  ['one fails', 'case when f.id = 2 then 9 else 1 end', 'true', 'failed failed failed failed', 'check constraint'],
  ['one is not cured', '1', 'f.id <> 2', 'failed not_cured failed failed', '1 of 4 findings are still there after it'],
])('where %s, nothing is done', async (_, attempts, condition, outcomes, message) => {
  const remedy = `update jobs j set state = :target, attempts = ${attempts} from findings f where j.id = f.id and ${condition} returning j.id`;
  const result = await treat({ ...stuck, remedy });
  expect(result.outcomes.join(' ')).toBe(outcomes);
  expect(result.errors[0]).toContain(message);
  expect(result.kept.map(({ record, xid }) => [record.outcome, record.after, xid])).toEqual(
    result.outcomes.map((outcome) => [outcome, null, undefined]),
  );
  expect(await readStates()).toBe('stuck stuck stuck stuck');
  expect(await readAudit()).toEqual([]);
});

it.each([
  ['with', 'returning id'],
  ['without', ''],
])('more rows than max_rows for each finding are rolled back, %s RETURNING', async (_, returning) => {
  const remedy = `update jobs set state = :target where state = :state ${returning}`;
  const { outcomes, errors } = await treat({ ...stuck, remedy }, {}, (id) => id === '1');
  expect(outcomes).toEqual(['failed']);
  expect(errors[0]).toContain('it touches 4 rows for 1 findings');
  expect(await readStates()).toBe('stuck stuck stuck stuck');
});

it('where a finding may touch more rows, after is a list of them, and there is one triplet', async () => {
  await client.query(
    "ALTER TABLE jobs ADD parent int; INSERT INTO jobs (id, state, parent) VALUES (11, 'child', 1), (21, 'child', 2)",
  );
  const remedy =
    'update jobs j set state = :target from findings f where f.id in (j.id, j.parent) returning f.id, j.state';
  const { outcomes, kept } = await treat({ ...stuck, remedy, maxRows: 2 });
  expect(outcomes).toHaveLength(4);
  expect(kept[0]?.record.after).toBe('[{"id":1,"state":"ready"},{"id":1,"state":"ready"}]');
  expect(kept[2]?.record.after).toBe('[{"id":3,"state":"ready"}]');
  expect(await readAudit()).toHaveLength(4);
});

it.each([
  ['no RETURNING', 'delete from jobs where id in (select id from findings)'],
  ['other columns', 'update jobs set state = :target where id in (select id from findings) returning state'],
  ['twice the key', 'update jobs j set state = :target from findings f where j.id = f.id returning *'],
  [
    'a WITH that reads',
    'with f as (select * from findings) update jobs set state = :target from f where jobs.id = f.id returning f.id as i',
  ],
  [
    'a SELECT',
    'with update as (update jobs set state = :target where id in (select id from findings) returning 1) select count(*) from update',
  ],
])('a remedy with %s leaves no after', async (_, remedy) => {
  const text = { ...stuck, remedy, maxRows: 4 };
  if (!remedy.includes(':target')) text.params = { state: 'stuck' };
  const { outcomes, kept } = await treat(text);
  expect(outcomes).toEqual(['cured', 'cured', 'cured', 'cured']);
  expect(kept[0]?.record.after).toBeNull();
  expect(await readAudit()).toHaveLength(4);
});

it('a WITH of the remedy that changes rows stands beside the findings', async () => {
  const remedy = `with recursive gone as (delete from jobs where id in (select id from findings) returning *)
    insert into jobs select id + 100, 'ready', attempts from gone returning id - 100 as id`;
  const { outcomes, kept } = await treat({ ...stuck, remedy, params: { state: 'stuck' } });
  expect(outcomes).toEqual(['cured', 'cured', 'cured', 'cured']);
  expect(kept[0]?.record.after).toBe('{"id":1}');
});

it('sim leaves everything as it was', async () => {
  const read = async () =>
    (await client.query("SELECT string_agg(ctid || xmin::text || j::text, ' ') AS all FROM jobs j")).rows;
  const before = await read();
  const { outcomes, kept } = await treat(stuck, { mode: 'sim' });
  expect(outcomes).toEqual(['simulated', 'simulated', 'simulated', 'simulated']);
  expect(kept[0]).toMatchObject({ xid: undefined, record: { after: expect.stringContaining('"state":"ready"') } });
  expect(await read()).toEqual(before);
  expect(await readAudit()).toEqual([]);
});

it.each([
  [
    'a column that is missing',
    { remedy: 'update jobs set stat = 1 from findings f where jobs.id = f.id' },
    /its remedy block: there is no such column/,
  ],
  [
    'a column of the finding as a parameter',
    { remedy: 'update jobs set attempts = 1 where id = :id' },
    /reads the columns of its findings from the relation findings/,
  ],
  [
    'an audit of two rows',
    { audit: 'insert into audit (run_id) values (:run_id), (:run_id)' },
    /one INSERT INTO ... VALUES/,
  ],
  [
    'a default in the audit',
    { audit: 'insert into audit (run_id, at) values (:run_id, default)' },
    /one INSERT INTO ... VALUES/,
  ],
])('%s is an error of the check', async (_, changes, message) => {
  await expect(treat({ ...stuck, ...changes })).rejects.toThrow(message);
});

it('an audit may go on after its values', async () => {
  await client.query('CREATE UNIQUE INDEX ON audit (run_id)');
  const audit =
    "insert into audit as a (run_id, before) values (:run_id, coalesce((:before::json), '[]')) on conflict do nothing returning a.run_id";
  const { outcomes } = await treat({ ...stuck, audit });
  expect(outcomes).toContain('cured');
  expect(await readAudit()).toHaveLength(1);
});
