import { setTimeout as sleep } from 'node:timers/promises';

/** Waits; ends early by throwing the signal's reason. */
export async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(durationMs, undefined, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
