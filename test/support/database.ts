import { randomBytes } from 'node:crypto';
import { createDatabase, dropDatabase, renameInUrl } from '../../dev/postgres-database.ts';

/** A database of one test file's own. */
export interface TestDatabase {
  url: string;
  drop: () => Promise<void>;
}

/** Makes a database on the suite's Postgres: empty, or a copy of a template that nobody is connected to. */
export async function createTestDatabase(options: { template?: string } = {}): Promise<TestDatabase> {
  const adminUrl = readTestSetting('ACTCORE_TEST_DATABASE_URL');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await createDatabase(adminUrl, name, options.template);
  return { url: renameInUrl(adminUrl, name), drop: () => dropDatabase(adminUrl, name) };
}

/** What the global set-up tells the tests. */
export function readTestSetting(
  name: `ACTCORE_TEST_${'DATABASE_URL' | 'TEMPORAL_ADDRESS' | 'TEMPORAL_UI_URL' | 'TEMPORAL_HTTP_URL'}`,
): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests through vitest with the project's config`);
  return value;
}
