import { hasBegun, hasWorked } from './tick.ts';
import type { ComparedSource, TickRun } from './tick.ts';

/** Runs of one source that are found by time. */
export interface RunTimeline {
  /** In the order of their starts. */
  runs: TickRun[];
  /** Of each run and all before it the latest end. */
  reachedMs: number[];
}

/** Two runs of two sources that were at the same work at the same time. */
export interface DoubleExecution {
  /** The one that began first, and the one that began while it was at work. */
  first: { source: string; runId: string; tickMs: number };
  second: { source: string; runId: string; tickMs: number };
  /** How long both were at it. */
  overlapMs: number;
}

const endOf = ({ finishedMs }: TickRun) => finishedMs ?? Infinity;

/** Makes the runs of a source searchable that were at work, or could have been. */
export function openTimeline({ ticks, byHand }: ComparedSource): RunTimeline {
  const runs = [...ticks.flatMap(({ run = [] }) => run), ...byHand]
    .filter(hasBegun)
    .sort((left, right) => left.startedMs - right.startedMs);
  let reached = -Infinity;
  return { runs, reachedMs: runs.map((run) => (reached = Math.max(reached, endOf(run)))) };
}

/** The runs that were going at some time from one moment to another, both included. */
export function findGoing({ runs, reachedMs }: RunTimeline, fromMs: number, toMs: number): TickRun[] {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[middle]?.startedMs ?? Infinity) <= toMs) low = middle + 1;
    else high = middle;
  }
  const found: TickRun[] = [];
  for (let index = low - 1; index >= 0 && (reachedMs[index] ?? -Infinity) >= fromMs; index -= 1) {
    const run = runs[index];
    if (run !== undefined && endOf(run) >= fromMs) found.push(run);
  }
  return found.reverse();
}

/**
 * A run begins before it is at the work (a process starts, a connection is made), and the clocks of two machines differ a
 * little: two runs that share no more than a second, half of the shorter one at the most, or a twentieth of it, did not meet.
 */
function touchingMs(shorterMs: number): number {
  return Math.max(0.05 * shorterMs, Math.min(1_000, 0.5 * shorterMs));
}

/** Every two runs of two sources that both did some of the work and met in time, whichever ticks they are of. */
export function findDoubles(left: ComparedSource, right: ComparedSource): DoubleExecution[] {
  const timeline = openTimeline(right);
  const tickOf = new Map(right.ticks.flatMap(({ run, tickMs }) => (run === undefined ? [] : [[run, tickMs] as const])));
  const doubles = left.ticks.flatMap(({ run, tickMs }) => {
    if (run === undefined || run.finishedMs === null || !hasWorked(run, left.source)) return [];
    return findGoing(timeline, run.startedMs, run.finishedMs).flatMap((other) => {
      const [overlapMs, otherTickMs] = [measureOverlap(run, other), tickOf.get(other)];
      if (overlapMs === undefined || otherTickMs === undefined || !hasWorked(other, right.source)) return [];
      const one = { source: left.source, runId: run.id, tickMs };
      const two = { source: right.source, runId: other.id, tickMs: otherTickMs };
      const [first, second] = comesFirst(run, other) ? [one, two] : [two, one];
      return [{ first, second, overlapMs }];
    });
  });
  return doubles.sort((one, other) => one.second.tickMs - other.second.tickMs);
}

/** By the start; of two that began together by the id, so that it is the same whichever source is named first. */
function comesFirst(run: TickRun, other: TickRun): boolean {
  return run.startedMs === other.startedMs ? run.id < other.id : run.startedMs < other.startedMs;
}

/** How long both were going; undefined where they only touched, or one of them has not ended. */
function measureOverlap(run: TickRun, other: TickRun): number | undefined {
  if (run.finishedMs === null || other.finishedMs === null) return undefined;
  const overlapMs = Math.min(run.finishedMs, other.finishedMs) - Math.max(run.startedMs, other.startedMs);
  const shorterMs = Math.min(run.finishedMs - run.startedMs, other.finishedMs - other.startedMs);
  return overlapMs > 0 && overlapMs > touchingMs(shorterMs) ? overlapMs : undefined;
}
