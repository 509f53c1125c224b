import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from '@temporalio/worker';
import type { WorkerPhase } from './readiness.ts';
import { UndrainedError } from './undrained.ts';

/** How long runs in flight get to end where nobody says. */
export const usualDrainMs = 3_000;
/** So long after the end of the drain time the worker is given up, whatever its activities do. */
const forceAfterMs = 5_000;

/** What ends a worker: that it is told to leave, and that it is told to be quick about it. */
export interface Leave {
  leaving: AbortSignal;
  cutShort: AbortSignal;
  drainMs: number;
}

/**
 * Runs a worker to its end, which comes soon after the drain time at the latest.
 *
 * @throws UndrainedError
 */
export async function runToEnd(worker: Worker, { leaving, cutShort, drainMs }: Leave): Promise<void> {
  const ended = new AbortController();
  const working = worker.run();
  // Whoever waits hears of a failure below; once it is given up nobody does.
  working.catch(() => {});
  const giveUp = [expire(leaving, drainMs + forceAfterMs, ended.signal), expire(cutShort, forceAfterMs, ended.signal)];
  try {
    await Promise.race([working, ...giveUp]);
  } finally {
    ended.abort();
  }
}

/** Rejects so long after the signal; resolves when the worker has ended. */
async function expire(signal: AbortSignal, delayMs: number, ended: AbortSignal): Promise<void> {
  try {
    if (!signal.aborted) await once(signal, 'abort', { signal: ended });
    await sleep(delayMs, undefined, { signal: ended });
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
