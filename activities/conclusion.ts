import { CelEvaluationError, evaluateCel } from '../expressions/cel.ts';
import type { EachPlan, SweepOrder, TargetTally } from '../workflows/contract.ts';
import type { Interruption } from './deadline.ts';
import type { Ending } from './ending.ts';
import type { FanOut } from './fan-out.ts';
import { describeTally, fanOutReasons } from './fan-out-reasons.ts';

/** What ended a fan-out before all its targets had. */
export type Stop = Extract<Interruption, 'hard_timeout' | 'cancelled'> | undefined;

/**
 * How a fan-out ended as a whole. In this order: cancelled where someone did; an automation error where `fail_when`
 * holds; timed out where targets were not reached or were aborted, for the job has not done what it was to do; an
 * automation error where, without `fail_when`, every target that was asked failed; held off where all are locked.
 */
export function concludeFanOut({ budget }: SweepOrder, each: EachPlan, fanOut: FanOut, stop: Stop): Ending {
  const targets = fanOut.tally();
  const told = describeFanOut(fanOut, targets);
  const common = { assessed: fanOut.isAssessed, failures: fanOut.failures, failureCount: fanOut.failureCount, targets };
  if (stop === 'cancelled') return { ...common, outcome: 'cancelled', reason: `${fanOutReasons.cancelled}; ${told}` };
  const rule = judgeTally(each.failWhen, targets);
  if (rule !== undefined) return { ...common, outcome: 'automation_error', reason: `${rule}; ${told}` };
  if (targets.notReached > 0) {
    const names = fanOut.targets.filter(({ ordinal }) => !fanOut.ended.has(ordinal)).map(({ key }) => key);
    const reason = fanOutReasons.notReached(targets, names, budget.maxSeconds);
    return { ...common, outcome: 'timed_out', reason: `${reason}; ${told}` };
  }
  if (stop === 'hard_timeout') {
    const reason = fanOutReasons.hardTimeout(budget.hardTimeoutMs);
    return { ...common, outcome: 'timed_out', reason: `${reason}; ${told}` };
  }
  const { total, completed, failed, lockSkipped } = targets;
  if (each.failWhen === undefined && completed === 0 && failed > 0) {
    return { ...common, outcome: 'automation_error', reason: told };
  }
  const isLocked = total > 0 && lockSkipped === total;
  return { ...common, outcome: isLocked ? 'lock_skipped' : 'completed', reason: told };
}

/** The sentence about a `fail_when` that holds or cannot be applied. */
function judgeTally(failWhen: string | undefined, targets: TargetTally): string | undefined {
  if (failWhen === undefined) return undefined;
  const asked = askFailWhen(failWhen, targets);
  if ('fault' in asked) return fanOutReasons.failWhenFailed(asked.fault);
  return asked.holds ? fanOutReasons.failWhen(failWhen) : undefined;
}

/** What `fail_when` says of targets that ended so, or why it cannot be applied. */
export function askFailWhen(failWhen: string, targets: TargetTally): { holds: boolean } | { fault: string } {
  const { total, completed, failed, lockSkipped, notReached } = targets;
  try {
    const scope = { total, completed, failed, lock_skipped: lockSkipped, not_reached: notReached };
    const result = evaluateCel(failWhen, scope);
    return typeof result === 'boolean' ? { holds: result } : { fault: `it gave ${JSON.stringify(result)}, not a bool` };
  } catch (error) {
    if (!(error instanceof CelEvaluationError)) throw error;
    return { fault: error.message };
  }
}

function describeFanOut({ examples, failureCount, failures, isAssessed }: FanOut, targets: TargetTally): string {
  const more = targets.failed - examples.length;
  const told = [...examples, ...(more > 0 && examples.length > 0 ? [`and ${more} more`] : [])].join('; ');
  const lost = failureCount - failures.length;
  const assessed = isAssessed && failureCount > 0 ? `; ${fanOutReasons.failures(failureCount)}` : '';
  const missing = lost > 0 ? ` (${fanOutReasons.lostFailures(lost)})` : '';
  return `${describeTally(targets)}${told === '' ? '' : ` (${told})`}${assessed}${missing}`;
}
