import type { Outcome } from '../workflows/contract.ts';

/**
 * How certain a row is of its end. A writer replaces a row only by one of higher standing, so writers may race, repeat
 * and arrive in any order without moving an outcome backwards.
 *
 * - `running`: the run has started. Left when it ends, or when somebody finds that it can no longer end by itself.
 * - `inferred`: somebody outside concluded how it ended (the worker was lost, a timeout struck). Left only when the run
 *   itself reports after all: a worker that was frozen and woke up knows better than the one who took it for dead.
 * - `witnessed`: the run itself reported its end. Never left.
 */
export const standings = { running: 0, inferred: 1, witnessed: 2 } as const;

export type Standing = keyof typeof standings;

/** The legal moves: upwards only. The ledger's SQL holds the same rule; a property test compares the two. */
export function mayReplace(current: Standing, next: Standing): boolean {
  return standings[next] > standings[current];
}

/** What each outcome means to the operator who reads it in a row. */
export const outcomeMeanings: Record<Outcome, string> = {
  completed: 'the target did its work and said so',
  lock_skipped: 'the target was already at work for someone else and did nothing',
  overlap_skipped: 'the run before was still going',
  misfire_skipped: 'the start came later than the grace allows, and the policy is to skip',
  paused: 'the schedule was paused',
  missed: 'nothing fired',
  timed_out: 'the run exceeded its hard timeout and was aborted',
  cancelled: 'someone, or the shutdown of the worker, stopped the run',
  automation_error: 'the automation itself failed, and the work may not be done',
};
