import type { Info } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../../activities/index.ts';
import type { Activities } from '../../../activities/index.ts';
import { openDetailWriter } from '../../../history/detail-writer.ts';
import { createLedger } from '../../../history/ledger.ts';
import { readResults } from '../../../history/results.ts';
import { createWatchLedger } from '../../../history/watch-ledger.ts';
import type { Firing, Order, RunReport } from '../../../workflows/contract.ts';
import type { TestHistory } from '../../history/support/history.ts';

export const secret = 'tok/en+1234567890';

/** A run of the activity `sweep` in the SDK's own harness, which stands in for the worker and nothing else. */
export interface Conducted {
  report: Promise<RunReport>;
  heartbeats: unknown[];
  cancel: MockActivityEnvironment['cancel'];
}

/** The product's activities on that history, with the target's address and token in their environment. */
export function makeActivities(
  history: Pick<TestHistory, 'pool'>,
  targetUrl: string,
  now = () => new Date(),
): Activities {
  const environment = { TARGET_URL: targetUrl, TARGET_TOKEN: secret };
  return createActivities({
    ledger: createLedger(history.pool),
    details: openDetailWriter(history.pool),
    watch: createWatchLedger(history.pool),
    readResults: (runId, scheduledAt) => readResults(history.pool, runId, scheduledAt),
    environment,
    now,
  });
}

/** Starts a sweep. `expectedAttempt` is the attempt that the server waits for, as a worker that asks is told. */
export function conduct(
  activities: Activities,
  order: Order,
  firing: Firing,
  info: Partial<Info> = {},
  expectedAttempt = info.attempt,
): Conducted {
  const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };
  const now = Date.now();
  const client = standIn(expectedAttempt);
  const times = { scheduledTimestampMs: now, currentAttemptScheduledTimestampMs: now };
  const context = new MockActivityEnvironment({ ...times, ...info }, { logger: quiet, client });
  const heartbeats: unknown[] = [];
  context.on('heartbeat', (details) => heartbeats.push(details));
  return { report: context.run(activities.sweep, order, firing), heartbeats, cancel: context.cancel };
}

/** The one question that an activity asks the server. */
function standIn(attempt: number | undefined): Client {
  const description = { status: { name: 'RUNNING' }, raw: { pendingActivities: [{ activityId: 'test', attempt }] } };
  const withAbortSignal = (_: AbortSignal, ask: () => unknown) => ask();
  const workflow = { getHandle: () => ({ describe: async () => description }) };
  return { workflow, withAbortSignal } as unknown as Client;
}
