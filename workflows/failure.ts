import { ActivityFailure, CancelledFailure, TimeoutFailure, patched } from '@temporalio/workflow';
import type { InferredEnd, Order, RunReport } from './contract.ts';

/** What can be concluded from the way an activity failed to report how it ended. */
export function concludeEnd(error: unknown): InferredEnd {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof CancelledFailure) return { kind: 'cancelled', message };
  if (!(cause instanceof TimeoutFailure)) return { kind: 'activity_failed', message };
  return { kind: cause.timeoutType === 'HEARTBEAT' ? 'worker_lost' : 'timed_out', message };
}

/**
 * Whether `on_failure: pause` applies: after an automation error of a tick. A timeout says that the target was slow, not
 * that the automation is broken; runs that were under way while it paused as well go on as they began.
 */
export function pausesSchedule(order: Order, { outcome, trigger }: RunReport): boolean {
  if (order.onFailure !== 'pause' || trigger !== 'schedule') return false;
  return outcome === 'automation_error' || (outcome === 'timed_out' && !patched('pause-for-automation-errors-only'));
}
