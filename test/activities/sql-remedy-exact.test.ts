import { afterAll, beforeAll, expect, it } from 'vitest';
import type pg from 'pg';
import { treatBySql } from '../../activities/watchdog/sql-remedy.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { connectAsRun, defineCheck, detectNow, stageTreatment } from './support/treatment.ts';

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = await connectAsRun(database.url);
  await client.query(
    `CREATE TYPE mood AS ENUM ('glad', 'it''s, so'); CREATE DOMAIN percent AS int NOT NULL CHECK (value <= 100)`,
  );
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

const huge = '123456789012345678901234567890123456789012345678901234567890123456789012345678';
const values: [type: string, literal: string][] = [
  ['numeric(78,0)', huge],
  ['numeric', '0.1000000000000000000000000000000000000000000000000001000'],
  ['numeric', 'NaN'],
  ['int8', '9223372036854775807'],
  ['int8', '-9223372036854775808'],
  ['float8', 'Infinity'],
  ['float8', 'NaN'],
  ['float8', '0.1'],
  ['float8', '5e-324'],
  ['float4', '1.1754944e-38'],
  ['timestamptz', '2026-03-29 01:59:59.999999+00'],
  ['timestamp', 'infinity'],
  ['date', '4714-11-24 BC'],
  ['interval', '1 year 2 mons -3 days 04:05:06.000007'],
  ['bytea', String.raw`\x00ff5c2700`],
  ['jsonb', '{"big": 123456789012345678901234567890.10, "a": [1, null, "\\u0001\\\\"]}'],
  ['json', '{"b":1,  "b":2 , "big": 9007199254740993}'],
  ['mood', "it's, so"],
  ['percent', '100'],
  ['uuid', '3f0a8f0c-5d0e-5d3b-9a58-0f3c0f8a6b11'],
  ['text[]', String.raw`{"a,b","\"q\"",NULL,"NULL","back\\slash",""}`],
  ['int8[]', '[2:3]={9223372036854775807,NULL}'],
  ['text[]', '{{a,b},{c,d}}'],
  ['text', ''],
  ['text', String.raw`it's "quoted" \0 \u0000 $1 :name $$ 😀` + '\u0001\n\t\u2028'],
  ['char(4)', 'a   '],
  ['bit varying', '0101'],
  ['inet', '::1/128'],
  ['tstzrange', '["2026-01-01 00:00:00.000001+00",)'],
  ['xml', '<a b="1">&lt;</a>'],
  ['point', '(1.5,-0)'],
];

it.each(values)(
  '%s %s comes through exactly: bound, before, after, in the key and in the audit',
  async (type, literal) => {
    await client.query(`DROP TABLE IF EXISTS things, audit;
    CREATE TABLE things (value ${type}, copy ${type}, of_param ${type}, id text, state text DEFAULT 'bad');
    CREATE TABLE audit (key json, before json, after json, value ${type}, param ${type})`);
    await client.query('INSERT INTO things (value, copy, of_param) VALUES ($1, $1, $1)', [literal]);
    await client.query('UPDATE things SET id = ctid');
    const check = await defineCheck({
      detect: "select value, id, copy from things where state = 'bad'",
      remedy: `update things set copy = :value, of_param = :literal, state = 'good' where id = :id returning value, copy, of_param`,
      audit: 'insert into audit values (:finding_key, :before, :after, :value, :literal)',
      key: ['value', 'id'],
      params: { literal },
    });
    const [finding] = await detectNow(client, check);
    const { treatment, kept } = stageTreatment(client, check);
    const treated = await treatBySql(treatment, finding ? [finding] : []);
    expect(treated.map(({ outcome, error }) => [outcome, error])).toEqual([['cured', undefined]]);
    const { rows } = await client.query(`
    SELECT to_json(t.value)::text AS json, t.value::text AS value, t.copy::text AS copy, t.of_param::text AS of_param,
      a.key::text AS key, a.before::text AS before, a.after::text AS after, a.value::text AS audited, a.param::text AS param,
      json_build_array(t.value, t.id)::text AS expected_key FROM things t, audit a`);
    const [row] = rows;
    expect(row.value).toBe((await client.query(`SELECT $1::${type}::text AS text`, [literal])).rows[0].text);
    for (const name of ['copy', 'of_param', 'audited', 'param']) expect(row[name]).toBe(row.value);
    expect(row.key).toBe(row.expected_key);
    const record = kept[0]?.record;
    expect(record?.findingKey).toBe(row.expected_key);
    expect(record?.before).toContain(`{"value":${row.json},"id":`);
    expect(record?.after).toBe(`{"value":${row.json},"copy":${row.json},"of_param":${row.json}}`);
    expect(row.before).toBe(record?.before);
    expect(row.after).toBe(record?.after);
  },
);

it('a NULL stays NULL, in a column and as a parameter', async () => {
  await client.query(`DROP TABLE IF EXISTS things;
    CREATE TABLE things (id int PRIMARY KEY, mood mood, tags text[] DEFAULT '{a}', seen int8 DEFAULT 1); INSERT INTO things VALUES (1)`);
  const check = await defineCheck({
    detect: 'select id, mood, seen from things where tags is not null',
    remedy: 'update things set mood = :mood, tags = :none, seen = :nothing where id = :id returning *',
    params: { none: null, nothing: null },
  });
  const { treatment } = stageTreatment(client, check);
  const [treated] = await treatBySql(treatment, await detectNow(client, check));
  expect(treated?.record?.after).toBe('{"id":1,"mood":null,"tags":null,"seen":null}');
});

it('lists of params are arrays of whatever type the SQL takes them for', async () => {
  await client.query(
    'DROP TABLE IF EXISTS things; CREATE TABLE things (id int PRIMARY KEY, tags text[], ids int8[], moods mood[]); INSERT INTO things (id) VALUES (1)',
  );
  const check = await defineCheck({
    detect: 'select id from things where tags is null and id = any(:ids)',
    remedy: 'update things set tags = :tags, ids = :ids, moods = :moods where id = :id returning *',
    params: { tags: ['a,b', '"q"', null, 'NULL', '\\', ''], ids: [1, 2], moods: ["it's, so"] },
  });
  const { treatment } = stageTreatment(client, check);
  const [treated] = await treatBySql(treatment, await detectNow(client, check));
  expect(treated?.record?.after).toBe(
    String.raw`{"id":1,"tags":["a,b","\"q\"",null,"NULL","\\",""],"ids":[1,2],"moods":["it's, so"]}`,
  );
});

it('a value that is bound as another type keeps all its digits, or the finding fails', async () => {
  await client.query(`DROP TABLE IF EXISTS things;
    CREATE TABLE things (id int PRIMARY KEY, f float8, n numeric, whole int8, bad boolean DEFAULT true);
    INSERT INTO things VALUES (1, 0.12345678901234568), (2, 7)`);
  const detect = 'select id, f from things where bad';
  const toWhole = await defineCheck({ detect, remedy: 'update things set whole = :f, bad = false where id = :id' });
  const treated = await treatBySql(stageTreatment(client, toWhole).treatment, await detectNow(client, toWhole));
  expect(treated.map(({ outcome }) => outcome)).toEqual(['failed', 'cured']);
  expect(treated[0]?.error).toContain('invalid input syntax for type bigint: "0.12345678901234568"');
  const toNumeric = await defineCheck({
    detect,
    remedy: 'update things set n = :f, bad = false where id = :id returning n',
  });
  const [exact] = await treatBySql(stageTreatment(client, toNumeric).treatment, await detectNow(client, toNumeric));
  expect(exact?.record?.after).toBe('{"n":0.12345678901234568}');
});
