import type { Order, Outcome } from '../../workflows/contract.ts';
import type { InterruptedError } from '../deadline.ts';
import { watchReasons } from './watch-reasons.ts';

/** On which outcome an interrupted watchdog ends, and why. What was under way is rolled back. */
export function explainInterrupted(
  { interruption }: InterruptedError,
  { budget }: Pick<Order, 'budget'>,
): { outcome: Outcome; reason: string } {
  switch (interruption) {
    case 'hard_timeout':
      return { outcome: 'timed_out', reason: watchReasons.hardTimeout(budget.hardTimeoutMs) };
    case 'cancelled':
      return { outcome: 'cancelled', reason: watchReasons.cancelled };
    case 'worker_shutdown':
      return { outcome: 'cancelled', reason: watchReasons.shutDown };
    case 'abandoned':
      return { outcome: 'cancelled', reason: watchReasons.abandoned };
  }
}
