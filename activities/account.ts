import type { FailedAttempt, StageTimes } from '../workflows/contract.ts';
import type { ExchangeTiming } from './http-client.ts';
import { cutText } from './report-size.ts';

/** More failed attempts than this are not kept one by one. */
const mostFailedAttempts = 1_000;
const longestError = 500;

/** Where the time of a run went and which of its attempts failed; of a fan-out over all its targets. */
export interface Account {
  stages: StageTimes;
  failedAttempts: FailedAttempt[];
  /** False until the first request of the run is about to be sent. */
  hasSent: boolean;
}

/** An account on which nothing stands yet. */
export function openAccount(queueMs: number): Account {
  return {
    stages: { queueMs, connectMs: 0, tlsMs: 0, firstByteMs: 0, bodyMs: 0, retryMs: 0, pollMs: 0 },
    failedAttempts: [],
    hasSent: false,
  };
}

/** Adds what an exchange took. */
export function addTiming({ stages }: Account, timing: ExchangeTiming): void {
  stages.connectMs += timing.connectMs;
  stages.tlsMs += timing.tlsMs;
  stages.firstByteMs += timing.firstByteMs;
  stages.bodyMs += timing.bodyMs;
}

/** Notes an attempt that failed; what comes back is its entry, for being marked as rescued. */
export function noteFailure(account: Account, failure: Omit<FailedAttempt, 'rescued'>): FailedAttempt {
  const entry = { ...failure, error: cutText(failure.error, longestError), rescued: false };
  if (account.failedAttempts.length < mostFailedAttempts) account.failedAttempts.push(entry);
  return entry;
}

/** The stages in whole milliseconds. */
export function roundStages(stages: StageTimes): StageTimes {
  const { queueMs, connectMs, tlsMs, firstByteMs, bodyMs, retryMs, pollMs } = stages;
  const round = Math.round;
  return {
    queueMs: round(queueMs),
    connectMs: round(connectMs),
    tlsMs: round(tlsMs),
    firstByteMs: round(firstByteMs),
    bodyMs: round(bodyMs),
    retryMs: round(retryMs),
    pollMs: round(pollMs),
  };
}
