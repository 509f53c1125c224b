import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase, dropDatabase, renameInUrl } from '../../dev/postgres-database.ts';

/** A database of one test file's own. */
export interface TestDatabase {
  url: string;
  drop: () => Promise<void>;
}

/**
 * The server drops a database after a checkpoint, and when every session of any database has taken notice: one that is
 * stopped, or writes to a client that does not read, holds that up. What is left goes with the suite's server.
 */
const dropPatienceMs = 15_000;

/** Makes a database on the suite's Postgres: empty, or a copy of a template that nobody is connected to. */
export async function createTestDatabase(options: { template?: string } = {}): Promise<TestDatabase> {
  const adminUrl = readTestSetting('ACTCORE_TEST_DATABASE_URL');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await createDatabase(adminUrl, name, options.template);
  const drop = () => Promise.race([dropDatabase(adminUrl, name), sleep(dropPatienceMs, undefined, { ref: false })]);
  return { url: renameInUrl(adminUrl, name), drop };
}

/** What the global set-up tells the tests. */
export function readTestSetting(
  name: `ACTCORE_TEST_${'DATABASE_URL' | 'TEMPORAL_ADDRESS' | 'TEMPORAL_UI_URL' | 'TEMPORAL_HTTP_URL'}`,
): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests through vitest with the project's config`);
  return value;
}
