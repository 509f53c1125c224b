import type { Comparison, Instant, SourcePair } from '../comparison/compare.ts';
import { reasonOf, stateOf } from '../comparison/tick.ts';
import type { ComparedTick } from '../comparison/tick.ts';
import type { DoubleExecution } from '../comparison/overlap.ts';
import { addsUp } from '../reconcile/survey.ts';
import type { SourceSurvey } from '../reconcile/source-ticks.ts';

const iso = (atMs: number) => new Date(atMs).toISOString();

/** A comparison as data: times in ISO, and of two sources an object by their names. */
export function describeComparison(survey: SourceSurvey, comparison: Comparison) {
  const { fromMs, toMs, toleranceMs, sources, pairs } = comparison;
  return {
    ...{ id: survey.id, from: iso(fromMs), to: iso(toMs), toleranceMs, addsUp: addsUp(survey.account) },
    sources: sources.map((figures) => {
      const { hasReported, settledMs, retirement } = survey.sources.find(({ source }) => source === figures.source) ?? {
        hasReported: false,
        settledMs: toMs,
      };
      return { ...figures, hasReported, judgedUntil: iso(settledMs), retirement: retirement ?? null };
    }),
    pairs: pairs.map((pair) => describePair(pair, pair.instants)),
  };
}

/** Two sources held against each other, with some or all of their instants. */
export function describePair(pair: SourcePair, shown: Instant[]) {
  const { sources, instants: _instants, doubles, assessmentDifferences, ...figures } = pair;
  const byName = <Value>(values: [Value, Value]) =>
    Object.fromEntries(sources.map((name, side) => [name, values[side]]));
  const { didPart, ranAlone, wins, alone, onlyFailures, ...counts } = figures;
  return {
    ...{ sources, ...counts, didPart: byName(didPart), ranAlone: byName(ranAlone), wins: byName(wins) },
    ...{ alone: byName(alone), onlyFailures: byName(onlyFailures) },
    doubles: doubles.map(describeDouble),
    assessmentDifferences: assessmentDifferences.map(({ atMs, runIds, only }) => {
      return { at: iso(atMs), runIds: byName(runIds), only: byName(only) };
    }),
    instants: shown.map(({ atMs, ticks, verdict }) => {
      const described = ticks.map((tick) => (tick === undefined ? null : describeTick(tick))) as [Ticked, Ticked];
      return { at: iso(atMs), verdict, ticks: byName(described) };
    }),
  };
}

type Ticked = ReturnType<typeof describeTick> | null;

function describeTick(tick: ComparedTick) {
  const { tickMs, run, isExpected } = tick;
  return { tick: iso(tickMs), state: stateOf(tick), isExpected, runId: run?.id ?? null, reason: reasonOf(tick) };
}

function describeDouble({ first, second, overlapMs }: DoubleExecution) {
  const describe = ({ tickMs, ...run }: DoubleExecution['first']) => ({ ...run, tick: iso(tickMs) });
  return { first: describe(first), second: describe(second), overlapMs };
}
