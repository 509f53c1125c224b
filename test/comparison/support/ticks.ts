import type { ComparedSource, ComparedTick, TickRun } from '../../../comparison/tick.ts';
import type { Outcome } from '../../../workflows/contract.ts';

/** What became of a tick: an outcome, a run that goes on, no row, or no row and an explanation. */
export type Fate = Outcome | 'running' | 'nothing' | 'silent_missed';

/** When the run of a tick began and how long it took, in milliseconds after the tick. */
export interface Times {
  afterMs?: number;
  tookMs?: number;
}

const concluded: ReadonlySet<Fate> = new Set(['missed', 'paused', 'overlap_skipped']);

let last = 0;

/** An expected tick with that fate. */
export function makeTick(
  tickMs: number,
  fate: Fate,
  { afterMs = 0, tookMs = 1_000 }: Times = {},
  changes: Partial<TickRun> = {},
): ComparedTick {
  if (fate === 'nothing') return { tickMs, isExpected: true };
  if (fate === 'silent_missed') {
    return { tickMs, isExpected: true, silence: { outcome: 'missed', reason: 'nothing fired' } };
  }
  const isConcluded = concluded.has(fate);
  const startedMs = tickMs + (isConcluded ? 0 : afterMs);
  const run: TickRun = {
    id: `run-${(last += 1)}`,
    outcome: fate === 'running' ? null : fate,
    certainty: isConcluded ? 'concluded' : fate === 'running' ? 'running' : 'witnessed',
    startedMs,
    finishedMs: fate === 'running' ? null : startedMs + (isConcluded ? 0 : tookMs),
    ...{ assessment: 'passed', failures: [], responseStatus: 200, flags: [], reason: `it was ${fate}` },
    ...changes,
  };
  return { tickMs, isExpected: true, run };
}

/** A source of these ticks, all of them old enough to be judged. */
export function makeSource(
  source: string,
  ticks: ComparedTick[],
  changes: Partial<ComparedSource> = {},
): ComparedSource {
  return { source, ticks, byHand: [], settledMs: Number.MAX_SAFE_INTEGER, ...changes };
}
