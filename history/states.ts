import type { Outcome } from '../workflows/contract.ts';

/** A state of a row: what it means to whoever reads it, and how it is left. */
interface State {
  rank: number;
  meaning: string;
  left: string;
}

/**
 * How certain a row is of its end, from the weakest to the strongest. A writer replaces a row only by one of higher
 * rank, so writers may race, repeat and arrive in any order without moving an outcome backwards. The ranks stand in
 * the database: they are never given a new meaning.
 */
export const states = {
  concluded: {
    rank: -1,
    meaning: 'nobody saw a run of this tick, and the reconciler concluded why there was none',
    left: 'when a run of the tick shows up after all: then it was late, and knows better',
  },
  running: {
    rank: 0,
    meaning: 'the run has started',
    left: 'when it ends, or when somebody finds that it can no longer end by itself',
  },
  inferred: {
    rank: 1,
    meaning: 'somebody outside concluded how the run ended: its worker was lost, or a timeout struck',
    left: 'only when the run itself reports: a worker that was frozen knows better than the one who took it for dead',
  },
  witnessed: {
    rank: 2,
    meaning: 'the run itself reported its end',
    left: 'never',
  },
} as const satisfies Record<string, State>;

/** The name of a row's state. */
export type Standing = keyof typeof states;

/** The names by rank, the weakest first. */
export const standings: readonly Standing[] = ['concluded', 'running', 'inferred', 'witnessed'];

/** The legal moves: upwards only. The ledger's SQL holds the same rule; a property test compares the two. */
export function mayReplace(current: Standing, next: Standing): boolean {
  return states[next].rank > states[current].rank;
}

/** What each outcome means to the operator who reads it in a row. */
export const outcomeMeanings: Record<Outcome, string> = {
  completed: 'the work was done, and whoever did it said so',
  lock_skipped: 'somebody else was at the same work already, and nothing was done',
  overlap_skipped: 'the run before was still going',
  misfire_skipped: 'the start came later than the grace allows, and the policy is to skip',
  paused: 'the schedule was paused',
  missed: 'nothing fired',
  timed_out: 'the run exceeded its hard timeout and was aborted',
  cancelled: 'someone, or the shutdown of the worker, stopped the run',
  automation_error: 'the automation itself failed, and the work may not be done',
};
