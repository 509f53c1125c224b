import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';
import { dumpSchema } from './support/schema-dump.ts';

const golden = new URL('../golden/schema.sql', import.meta.url);

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

it('the schema is the one in test/golden/schema.sql (UPDATE_GOLDEN=1 npx vitest run test/history/schema writes it)', async () => {
  const schema = await dumpSchema(history.pool);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, schema);
  expect(schema).toBe(readFileSync(golden, 'utf8'));
});

it.for([
  'ALTER TABLE actcore.runs ADD COLUMN extra int',
  'ALTER TABLE actcore.runs ALTER COLUMN reason DROP NOT NULL',
  'ALTER TABLE actcore.runs ALTER COLUMN attempt SET DEFAULT 1',
  'ALTER TABLE actcore.runs ALTER COLUMN attempt TYPE bigint',
  'ALTER TABLE actcore.runs DROP CONSTRAINT runs_outcome_check',
  'DROP INDEX actcore.runs_definition',
  'DROP FUNCTION actcore.ensure_month',
  'CREATE VIEW actcore.extra AS SELECT 1 AS one',
])('the dump shows a drift such as %s', async (change) => {
  const before = await dumpSchema(history.pool);
  const client = await history.pool.connect();
  try {
    await client.query(`BEGIN; ${change}`);
    expect(await dumpSchema(client as never)).not.toBe(before);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
});
