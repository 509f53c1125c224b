import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type pg from 'pg';
import { openHistory } from '../../history/database.ts';
import { migrate } from '../../history/migrate.ts';
import { listRuns } from '../../history/queries.ts';
import type { RunRow } from '../../history/queries.ts';
import { createTestDatabase, readTestSetting } from './database.ts';
import { loadWorker } from './shipped.ts';
import { startTarget } from './target.ts';
import type { Target } from './target.ts';

/** Everything that a run needs, each part real: a target, a history, a Temporal server and a worker. */
export interface Runner {
  target: Target;
  history: pg.Pool;
  databaseUrl: string;
  client: Client;
  connection: Connection;
  temporalAddress: string;
  taskQueue: string;
  secret: string;
  /** The environment of a worker that serves this runner. */
  environment: Record<string, string>;
  startWorker(): Promise<void>;
  stopWorker(): Promise<void>;
  runsOf(definitionId: string): Promise<RunRow[]>;
  close(): Promise<void>;
}

/** Starts a runner; its worker is not started yet. */
export async function startRunner(temporalAddress = readTestSetting('ACTCORE_TEST_TEMPORAL_ADDRESS')): Promise<Runner> {
  const database = await createTestDatabase();
  const history = openHistory(database.url);
  await migrate(history);
  const target = await startTarget();
  const connection = await Connection.connect({ address: temporalAddress });
  const secret = `secret-${randomBytes(9).toString('base64url')}`;
  const taskQueue = `queue-${randomBytes(4).toString('hex')}`;
  const environment = { TARGET_URL: target.url, TARGET_TOKEN: secret };
  let stop: (() => Promise<void>) | undefined;
  const runner: Runner = {
    ...{ target, history, databaseUrl: database.url, connection, temporalAddress, taskQueue, secret, environment },
    client: new Client({ connection, namespace: 'default' }),
    async startWorker() {
      const { startWorker } = await loadWorker();
      const worker = await startWorker({
        temporalAddress,
        namespace: 'default',
        taskQueue,
        databaseUrl: database.url,
        environment,
      });
      const running = worker.run();
      stop = async () => {
        worker.shutdown();
        await running;
      };
    },
    async stopWorker() {
      await stop?.();
      stop = undefined;
    },
    runsOf: (definitionId) => listRuns(history, { definitionId, limit: 1_000 }),
    async close() {
      await runner.stopWorker();
      await target.close();
      await connection.close();
      await history.end();
      await database.drop();
    },
  };
  return runner;
}
