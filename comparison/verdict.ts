import { findGoing } from './overlap.ts';
import type { RunTimeline } from './overlap.ts';
import { hasBegun, stateOf } from './tick.ts';
import type { ComparedTick, TickRun, TickState } from './tick.ts';

/** In what way two sources agree on the work of one instant. */
export type Agreement = 'both_completed' | 'lock_held' | 'same_outcome';

/** In what way they do not. */
export type Disagreement =
  'double_execution' | 'only_one_completed' | 'neither_completed' | 'lock_unexplained' | 'unaccounted';

/** What is to be said of two ticks that stand for the same work. */
export type Verdict =
  /** `winner` held the lock, by the run that is named. */
  | { kind: 'agree'; how: Agreement; winner?: string; winnerRunId?: string }
  /** `completed` names the one that did the work, where only one did. */
  | { kind: 'disagree'; why: Disagreement; completed?: string }
  /** A run that decides it has not ended. */
  | { kind: 'open' };

/** What each agreement and disagreement means, for whoever reads it. */
export const verdictMeanings: Record<Agreement | Disagreement, string> = {
  both_completed: 'both did the work, one after the other',
  lock_held: 'one did the work, and the other found its lock held by it',
  same_outcome: 'neither did the work, and both say the same of it',
  double_execution: 'a run began while one of the other source was at the same work',
  only_one_completed: 'one did the work, the other did not, and no lock explains it',
  neither_completed: 'neither did the work, and they do not say the same of it',
  lock_unexplained: 'one found the lock held, and no run of the other source was going then',
  unaccounted: 'of one of them nobody knows what became of it',
};

/** One side of a pair: its tick, and all runs of its source. */
export interface Side {
  source: string;
  tick: ComparedTick;
  timeline: RunTimeline;
}

/**
 * Judges two ticks that stand for the same work: they agree when it was done once, when it was done by whoever held the lock, or
 * when both say the same of why it was not done. `late` holds the runs that began while the other source was at work.
 */
export function judgePair(left: Side, right: Side, late: ReadonlySet<string>): Verdict {
  const [one, other] = [stateOf(left.tick), stateOf(right.tick)];
  if (one === 'running' || other === 'running') return { kind: 'open' };
  if (one === 'unaccounted' || other === 'unaccounted') return { kind: 'disagree', why: 'unaccounted' };
  const isLate = [left, right].some(({ tick }) => tick.run !== undefined && late.has(tick.run.id));
  if (isLate) return { kind: 'disagree', why: 'double_execution' };
  if (one === 'lock_skipped' || other === 'lock_skipped') return judgeLock(left, right);
  if (one === other) return { kind: 'agree', how: one === 'completed' ? 'both_completed' : 'same_outcome' };
  return disagree(left, right);
}

/** What the other side may say of an instant in which one found the lock held by it. */
const lockedPartners: ReadonlySet<TickState> = new Set(['completed', 'lock_skipped', 'overlap_skipped']);

function judgeLock(left: Side, right: Side): Verdict {
  const isLeft = stateOf(left.tick) === 'lock_skipped';
  const isRight = stateOf(right.tick) === 'lock_skipped';
  const holders = [...(isLeft ? findHolder(left, right) : []), ...(isRight ? findHolder(right, left) : [])];
  // Where both found it held, the same one of the two is taken whichever source is named first.
  const [held] = holders.sort(
    (one, other) => rankHolder(one) - rankHolder(other) || (one.run.id < other.run.id ? -1 : 1),
  );
  const partner = stateOf(isLeft ? right.tick : left.tick);
  if (held !== undefined && lockedPartners.has(partner)) {
    if (held.run.outcome === null) return { kind: 'open' };
    const isDone = partner === 'completed' || held.run.outcome === 'completed';
    if (isDone) return { kind: 'agree', how: 'lock_held', winner: held.source, winnerRunId: held.run.id };
  }
  if (isLeft && isRight) return { kind: 'agree', how: 'same_outcome' };
  const verdict = disagree(left, right);
  return partner === 'completed' ? { ...verdict, why: 'lock_unexplained' } : verdict;
}

/** A run that was going when the other source found the lock held. */
interface Holder {
  source: string;
  run: TickRun;
}

/** One that did the work explains most, one that goes on may still. */
function rankHolder({ run }: Holder): number {
  if (run.outcome === 'completed') return 0;
  return run.outcome === null ? 1 : 2;
}

/** A target asks for its lock some time within the run, and two machines do not have quite the same time. */
const clockSlackMs = 1_000;

/** The run of the other source that was going when this one found the lock held: that of the same instant, or any. */
function findHolder({ tick }: Side, other: Side): Holder[] {
  const { run: skipped } = tick;
  if (skipped === undefined || skipped.certainty === 'concluded') return [];
  const fromMs = skipped.startedMs - clockSlackMs;
  const toMs = (skipped.finishedMs ?? skipped.startedMs) + clockSlackMs;
  const going = findGoing(other.timeline, fromMs, toMs);
  const { run: partner } = other.tick;
  const isPartner = partner !== undefined && hasBegun(partner) && going.includes(partner);
  const run = isPartner ? partner : going[0];
  return run === undefined ? [] : [{ source: other.source, run }];
}

function disagree(left: Side, right: Side): Extract<Verdict, { kind: 'disagree' }> {
  const done = [left, right].find(({ tick }) => stateOf(tick) === 'completed');
  if (done === undefined) return { kind: 'disagree', why: 'neither_completed' };
  return { kind: 'disagree', why: 'only_one_completed', completed: done.source };
}
