import type { AssessmentFailure } from '../workflows/contract.ts';
import { countSource, countWords } from './figures.ts';
import type { SourceFigures } from './figures.ts';
import { findDoubles, openTimeline } from './overlap.ts';
import type { DoubleExecution, RunTimeline } from './overlap.ts';
import { pairTicks, timeOf } from './pairing.ts';
import type { Paired } from './pairing.ts';
import { isHardFailure, stateOf } from './tick.ts';
import type { ComparedSource, ComparedTick } from './tick.ts';
import { judgePair } from './verdict.ts';
import type { Agreement, Disagreement, Verdict } from './verdict.ts';

/** The work of one instant: the ticks of two sources that stand for it, and what is to be said of them. */
export interface Instant {
  /** The earlier one of its ticks. */
  atMs: number;
  ticks: Paired;
  /** `alone`: only one of the two has such a tick. `pending`: too young to be judged. */
  verdict: Verdict | { kind: 'alone' } | { kind: 'pending' };
}

/** Two runs of one instant that both completed and did not find the same wrong in the data. */
export interface AssessmentDifference {
  atMs: number;
  runIds: [string, string];
  /** What only the one, and only the other, reported. */
  only: [Finding[], Finding[]];
}

type Finding = Pick<AssessmentFailure, 'target' | 'rule'>;

/** Two sources held against each other. What has two parts has them in the order of `sources`. */
export interface SourcePair {
  sources: [string, string];
  instants: Instant[];
  /** Pairs that agree or do not. */
  judged: number;
  agreeing: number;
  /** Of the pairs that are judged; null where there are none. */
  agreementPercent: number | null;
  agreements: Partial<Record<Agreement, number>>;
  disagreements: Partial<Record<Disagreement, number>>;
  /** Judged pairs in which the work was done. */
  done: number;
  /** Judged pairs in which each did its part: it completed, or it made way for the other. */
  didPart: [number, number];
  /** Judged pairs in which only this one completed, and no lock says why. */
  ranAlone: [number, number];
  /** How often each held the lock that the other found. */
  wins: [number, number];
  /** Expected ticks that only this one has. */
  alone: [number, number];
  /** Hard failures that only this one has, ticks that it has alone included. */
  onlyFailures: [number, number];
  open: number;
  pending: number;
  doubles: DoubleExecution[];
  assessmentDifferences: AssessmentDifference[];
}

/** All sources of a definition over one span: each by itself, and every two of them held against each other. */
export interface Comparison {
  fromMs: number;
  /** What is as young is not judged. */
  toMs: number;
  toleranceMs: number;
  sources: SourceFigures[];
  pairs: SourcePair[];
}

/**
 * Compares sources from one moment on. The ticks may begin one tolerance before it, so that the first ones find theirs;
 * their instants are left out.
 */
export function compareSources(sources: ComparedSource[], fromMs: number, toleranceMs: number): Comparison {
  const pairs = sources.flatMap((left, index) =>
    sources.slice(index + 1).map((right) => comparePair(left, right, fromMs, toleranceMs)),
  );
  return {
    ...{ fromMs, toMs: Math.min(...sources.map(({ settledMs }) => settledMs)), toleranceMs },
    sources: sources.map((source) => countSource(source, fromMs)),
    pairs,
  };
}

/** Holds two sources against each other. */
export function comparePair(
  left: ComparedSource,
  right: ComparedSource,
  fromMs: number,
  toleranceMs: number,
): SourcePair {
  const settledMs = Math.min(left.settledMs, right.settledMs);
  const timelines: [RunTimeline, RunTimeline] = [openTimeline(left), openTimeline(right)];
  const doubles = findDoubles(left, right);
  const late = new Set(doubles.map(({ second }) => second.runId));
  const judge = (ticks: Paired): Instant['verdict'] => {
    const [one, other] = ticks;
    const youngMs = Math.max(one?.tickMs ?? -Infinity, other?.tickMs ?? -Infinity);
    if (one === undefined || other === undefined) {
      return { kind: youngMs >= settledMs - toleranceMs ? 'pending' : 'alone' };
    }
    if (youngMs >= settledMs) return { kind: 'pending' };
    return judgePair(
      { source: left.source, tick: one, timeline: timelines[0] },
      { source: right.source, tick: other, timeline: timelines[1] },
      late,
    );
  };
  const instants = pairTicks(left.ticks, right.ticks, toleranceMs)
    .map((ticks) => ({ atMs: timeOf(ticks), ticks, verdict: judge(ticks) }))
    .filter(({ atMs }) => atMs >= fromMs);
  const ofSpan = doubles.filter(({ second }) => second.tickMs >= fromMs);
  return { sources: [left.source, right.source], instants, ...summarize(left, right, instants), doubles: ofSpan };
}

function summarize(
  left: ComparedSource,
  right: ComparedSource,
  instants: Instant[],
): Omit<SourcePair, 'sources' | 'instants' | 'doubles'> {
  const judged = instants.filter(({ verdict }) => verdict.kind === 'agree' || verdict.kind === 'disagree');
  const agreed = instants.flatMap(({ verdict }) => (verdict.kind === 'agree' ? [verdict] : []));
  const disagreed = instants.flatMap(({ verdict }) => (verdict.kind === 'disagree' ? [verdict] : []));
  const each = (count: (side: 0 | 1, source: string) => number): [number, number] => [
    count(0, left.source),
    count(1, right.source),
  ];
  const isSettled = ({ verdict }: Instant) => verdict.kind !== 'pending' && verdict.kind !== 'open';
  const countOf = (kind: Instant['verdict']['kind']) => instants.filter(({ verdict }) => verdict.kind === kind).length;
  return {
    judged: judged.length,
    agreeing: agreed.length,
    agreementPercent: judged.length === 0 ? null : (100 * agreed.length) / judged.length,
    agreements: countWords(agreed.map(({ how }) => how)),
    disagreements: countWords(disagreed.map(({ why }) => why)),
    done: judged.filter(({ ticks }) => ticks.some((tick) => tick !== undefined && hasCompleted(tick))).length,
    didPart: each((side, source) => judged.filter((instant) => didPart(instant, side, source)).length),
    ranAlone: each((_, source) => disagreed.filter(({ completed }) => completed === source).length),
    wins: each((_, source) => agreed.filter(({ winner }) => winner === source).length),
    alone: each((side) => instants.filter((instant) => isAlone(instant, side)).length),
    onlyFailures: each((side) => instants.filter((one) => isSettled(one) && hasOnlyFailure(one, side)).length),
    open: countOf('open'),
    pending: countOf('pending'),
    assessmentDifferences: judged.flatMap(compareAssessments),
  };
}

function hasCompleted(tick: ComparedTick): boolean {
  return stateOf(tick) === 'completed';
}

/** It completed, or found the lock of the other one; a second execution is nobody's part. */
function didPart({ ticks, verdict }: Instant, side: 0 | 1, source: string): boolean {
  const tick = ticks[side];
  if (tick === undefined) return false;
  if (hasCompleted(tick)) return true;
  return verdict.kind === 'agree' && verdict.winner !== undefined && verdict.winner !== source;
}

function isAlone({ ticks, verdict }: Instant, side: 0 | 1): boolean {
  return verdict.kind === 'alone' && ticks[side]?.isExpected === true;
}

function hasOnlyFailure({ ticks }: Instant, side: 0 | 1): boolean {
  const [tick, other] = [ticks[side], ticks[side === 0 ? 1 : 0]];
  if (tick === undefined || !isHardFailure(stateOf(tick))) return false;
  return other === undefined || !isHardFailure(stateOf(other));
}

function compareAssessments({ atMs, ticks }: Instant): AssessmentDifference[] {
  const [one, other] = [ticks[0]?.run, ticks[1]?.run];
  if (one?.outcome !== 'completed' || other?.outcome !== 'completed') return [];
  if (one.assessment === 'none' || other.assessment === 'none') return [];
  const only: [Finding[], Finding[]] = [subtract(one.failures, other.failures), subtract(other.failures, one.failures)];
  return only.flat().length === 0 ? [] : [{ atMs, runIds: [one.id, other.id], only }];
}

function subtract(found: Finding[], others: Finding[]): Finding[] {
  const keyOf = ({ target, rule }: Finding) => JSON.stringify([target, rule]);
  const known = new Set(others.map(keyOf));
  const left = new Map(found.map((finding) => [keyOf(finding), finding]));
  return [...left].flatMap(([key, finding]) => (known.has(key) ? [] : [finding]));
}
