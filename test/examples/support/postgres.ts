import { createTestDatabase } from '../../support/database.ts';
import type { TestDatabase } from '../../support/database.ts';

/** A Postgres server on which a test file makes databases of its own. */
export interface TestPostgres {
  /** Makes an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  /** Drops what was made. */
  stop(): Promise<void>;
}

/** The suite's server, with the databases of one test file on it. */
export function startTestPostgres(): TestPostgres {
  const made: TestDatabase[] = [];
  return {
    async createDatabase() {
      const database = await createTestDatabase();
      made.push(database);
      return database.url;
    },
    async stop() {
      await Promise.all(made.map((database) => database.drop()));
    },
  };
}
