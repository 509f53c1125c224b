import { ActivityFailure, CancelledFailure, TimeoutFailure } from '@temporalio/workflow';
import type { InferredEnd } from './contract.ts';

/** What can be concluded from the way an activity failed to report how it ended. */
export function concludeEnd(error: unknown): InferredEnd {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof CancelledFailure) return { kind: 'cancelled', message };
  if (!(cause instanceof TimeoutFailure)) return { kind: 'activity_failed', message };
  return { kind: cause.timeoutType === 'HEARTBEAT' ? 'worker_lost' : 'timed_out', message };
}
