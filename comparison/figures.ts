import { stateOf } from './tick.ts';
import type { ComparedSource, ComparedTick, TickState } from './tick.ts';

/** A share of the lowest and of nearly all; null where nothing was measured. Milliseconds. */
export interface Percentiles {
  p50Ms: number | null;
  p95Ms: number | null;
}

/** What one source did in a span, of all that is old enough to be judged. */
export interface SourceFigures {
  source: string;
  /** Ticks by its schedule. */
  expected: number;
  /** Ticks beside them of which there is a row. */
  unexpected: number;
  /** Ticks that are too young. */
  pending: number;
  rows: number;
  /** The ticks by what became of them. */
  states: Partial<Record<TickState, number>>;
  /** Runs that found something wrong in the data. */
  assessmentFailed: number;
  /** Of the runs that completed: how long they took. */
  duration: Percentiles;
  /** Of the runs that there were: how long after their tick they began. */
  lateness: Percentiles;
  /** How often each flag was set. */
  flags: Record<string, number>;
}

/** Counts what one source did from one moment on; its own `settledMs` ends the span. */
export function countSource({ source, ticks, settledMs }: ComparedSource, fromMs: number): SourceFigures {
  const ofSpan = ticks.filter(({ tickMs }) => tickMs >= fromMs);
  const judged = ofSpan.filter(({ tickMs }) => tickMs < settledMs);
  const runs = judged.flatMap(({ tickMs, run }) => (run === undefined ? [] : [{ tickMs, ...run }]));
  const begun = runs.filter(({ certainty }) => certainty !== 'concluded');
  const took = runs.flatMap(({ outcome, startedMs, finishedMs }) =>
    outcome === 'completed' && finishedMs !== null ? [finishedMs - startedMs] : [],
  );
  return {
    source,
    expected: judged.filter(({ isExpected }) => isExpected).length,
    unexpected: judged.filter(({ isExpected }) => !isExpected).length,
    pending: ofSpan.length - judged.length,
    rows: runs.length,
    states: countStates(judged),
    assessmentFailed: runs.filter(({ assessment }) => assessment === 'failed').length,
    duration: measure(took),
    lateness: measure(begun.map(({ tickMs, startedMs }) => startedMs - tickMs)),
    flags: countWords(runs.flatMap(({ flags }) => flags)),
  };
}

function countStates(ticks: ComparedTick[]): SourceFigures['states'] {
  return countWords(ticks.map(stateOf));
}

/** How often each word is there, the words sorted. */
export function countWords<Word extends string>(words: Word[]): Record<Word, number> {
  const counted = new Map<Word, number>();
  for (const word of words.toSorted()) counted.set(word, (counted.get(word) ?? 0) + 1);
  return Object.fromEntries(counted) as Record<Word, number>;
}

/** Values that were there, as Postgres' `percentile_disc` takes them. */
function measure(values: number[]): Percentiles {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
  return { p50Ms: at(0.5), p95Ms: at(0.95) };
}
