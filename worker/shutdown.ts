import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { GracefulShutdownPeriodExpiredError } from '@temporalio/worker';
import type { Worker, WorkerOptions } from '@temporalio/worker';
import type { WorkerPhase } from './readiness.ts';
import { UndrainedError } from './undrained.ts';

const usualDrainMs = 3_000;
/** So long after the end of the drain time the process goes, whatever its activities do. */
const forceAfterMs = 5_000;

/** The SDK's limits for a drain time; 3 s when it is absent. */
export function limitShutdown(drainMs = usualDrainMs): Pick<WorkerOptions, 'shutdownGraceTime' | 'shutdownForceTime'> {
  return { shutdownGraceTime: drainMs, shutdownForceTime: drainMs + forceAfterMs };
}

/** Runs a worker to its end, which comes soon after `cutShort`. */
export async function runToEnd(worker: Worker, cutShort: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const working = worker.run();
  try {
    await Promise.race([working, expire(cutShort, ended.signal)]);
  } catch (error) {
    working.catch(() => {});
    throw error instanceof GracefulShutdownPeriodExpiredError ? new UndrainedError(error) : error;
  } finally {
    ended.abort();
  }
}

async function expire(cutShort: AbortSignal, ended: AbortSignal): Promise<void> {
  try {
    if (!cutShort.aborted) await once(cutShort, 'abort', { signal: ended });
    await sleep(forceAfterMs, undefined, { signal: ended });
  } catch {
    return;
  }
  throw new UndrainedError();
}

/** Where a worker is in its life, in the words of /readyz. */
export function namePhase(worker: Worker): WorkerPhase {
  const state = worker.getState();
  if (state === 'INITIALIZED') return 'starting';
  if (state === 'RUNNING') return 'polling';
  return state === 'STOPPED' || state === 'FAILED' ? 'ended' : 'draining';
}
