import { ownSource } from '../workflows/contract.ts';
import type { Assessment, AssessmentFailure, Outcome } from '../workflows/contract.ts';

/** A row, as far as it is compared. Times are epoch milliseconds. */
export interface TickRun {
  id: string;
  /** Null while the run is going. */
  outcome: Outcome | null;
  /** `concluded` where there was no run at all, and the row says why. */
  certainty: 'concluded' | 'running' | 'inferred' | 'witnessed';
  startedMs: number;
  finishedMs: number | null;
  assessment: Assessment;
  /** What the run found, by target and rule. */
  failures: Pick<AssessmentFailure, 'target' | 'rule'>[];
  /** Of the target's HTTP answer; null where none came, or the source tells of none. */
  responseStatus: number | null;
  flags: string[];
  reason: string;
}

/** One tick of one source: expected, recorded, or both. */
export interface ComparedTick {
  tickMs: number;
  /** False where only a row says that there was one. */
  isExpected: boolean;
  run?: TickRun;
  /** What is known of a tick without a row; no outcome where nobody can tell. */
  silence?: { outcome?: Outcome; reason: string };
}

/** All ticks of one source in a span, no two at the same time. */
export interface ComparedSource {
  source: string;
  ticks: ComparedTick[];
  /** What somebody fired by hand: nobody's ticks, and they may have held a lock. */
  byHand: TickRun[];
  /** What is as young as this may still have its row on the way. */
  settledMs: number;
}

/** What became of a tick; `unaccounted` where neither a row nor anybody else says it. */
export type TickState = Outcome | 'running' | 'unaccounted';

/** What became of a tick, from its row or from what is known without one. */
export function stateOf({ run, silence }: ComparedTick): TickState {
  return run === undefined ? (silence?.outcome ?? 'unaccounted') : (run.outcome ?? 'running');
}

/** The sentence that goes with the state. */
export function reasonOf({ run, silence }: ComparedTick): string {
  return run?.reason ?? silence?.reason ?? 'there is no row, and nobody can say why';
}

const begunOutcomes: ReadonlySet<TickState> = new Set(['completed', 'automation_error', 'timed_out', 'cancelled']);

/** Whether a run was on its way to the work, or at it: what can have held a lock. */
export function hasBegun({ outcome, certainty }: TickRun): boolean {
  return certainty !== 'concluded' && (outcome === null || begunOutcomes.has(outcome));
}

/**
 * Whether a run did some of the work, which is what must not happen twice. One that failed did when it saw its target at
 * work: our own by an answer that is 2xx or 500, an outside one as soon as its command ran.
 */
export function hasWorked(run: TickRun, source: string): boolean {
  if (run.outcome === 'completed') return hasBegun(run);
  if (run.certainty !== 'witnessed' || !hasBegun(run)) return false;
  if (run.outcome !== 'automation_error' || source !== ownSource) return true;
  const { responseStatus: status } = run;
  return status !== null && (status === 500 || (status >= 200 && status < 300));
}

const hardFailures: ReadonlySet<TickState> = new Set(['automation_error', 'timed_out', 'missed']);

/** A failure of the automation that nobody chose. */
export function isHardFailure(state: TickState): boolean {
  return hardFailures.has(state);
}
