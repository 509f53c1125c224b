import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../../activities/index.ts';
import { openDetailWriter } from '../../../history/detail-writer.ts';
import { createLedger } from '../../../history/ledger.ts';
import { readResults } from '../../../history/results.ts';
import { createWatchLedger } from '../../../history/watch-ledger.ts';
import type { Firing, Order, RunReport } from '../../../workflows/contract.ts';
import { makeTick, openTestHistory } from '../../history/support/history.ts';
import type { TestHistory } from '../../history/support/history.ts';
import { createTestDatabase } from '../../support/database.ts';

/** A database to watch, a history, and a way to run watchdogs on them without a Temporal server. */
export interface WatchStage {
  history: TestHistory;
  /** Of the superuser. */
  url: string;
  /** A connection of the test's own to the watched database. */
  client: pg.Client;
  /** Starts a run; `environment` is over `WATCHED_URL`, `pool` in place of the history's. */
  watch(order: Order, options?: WatchOptions): Watched;
  close(): Promise<void>;
}

export interface WatchOptions {
  firing?: Partial<Firing>;
  environment?: Record<string, string>;
  pool?: pg.Pool;
  now?: () => Date;
}

/** A run in the SDK's own harness. */
export interface Watched {
  report: Promise<RunReport>;
  heartbeats: unknown[];
  cancel: MockActivityEnvironment['cancel'];
}

/** Sets such a stage; `setUp` is SQL for the watched database. */
export async function openWatchStage(setUp: string): Promise<WatchStage> {
  const history = await openTestHistory();
  const database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
  await client.query(setUp);
  return {
    ...{ history, url: database.url, client },
    watch: (order, options = {}) =>
      startWatch(order, { environment: { WATCHED_URL: database.url }, pool: history.pool, ...options }),
    async close() {
      await client.end();
      await database.drop();
      await history.close();
    },
  };
}

function startWatch(order: Order, { firing, environment = {}, pool, now = () => new Date() }: WatchOptions): Watched {
  if (pool === undefined) throw new Error('a run needs a history');
  const { watchdog } = createActivities({
    ...{
      ledger: createLedger(pool),
      details: openDetailWriter(pool),
      watch: createWatchLedger(pool),
      environment,
      now,
    },
    readResults: (runId, scheduledAt) => readResults(pool, runId, scheduledAt),
  });
  const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };
  const at = Date.now();
  const context = new MockActivityEnvironment(
    { scheduledTimestampMs: at, currentAttemptScheduledTimestampMs: at },
    { logger: quiet },
  );
  const heartbeats: unknown[] = [];
  context.on('heartbeat', (details) => heartbeats.push(details));
  const tick = makeTick({
    trigger: 'canary',
    actor: 'tester',
    scheduledAt: new Date().toISOString(),
    workflowRunId: randomUUID(),
    ...firing,
  });
  return { report: context.run(watchdog, order, tick), heartbeats, cancel: context.cancel };
}
