import type { SourcePair } from './compare.ts';

/** What has to hold before the work goes from one source to another, in the order in which it is told. */
export const criterionNames = [
  'window_covered',
  'ticks_covered',
  'enough_pairs',
  'agreement',
  'new_completed',
  'completion',
  'no_new_failure',
  'no_double_execution',
  'account',
] as const;

export type CriterionName = (typeof criterionNames)[number];

/** One criterion with what was found and what was asked for, in its unit. */
export interface Criterion {
  name: CriterionName;
  isMet: boolean;
  /** Null where there was nothing to measure. */
  figure: number | null;
  threshold: number;
  unit: 'ms' | 'ticks' | 'pairs' | 'percent' | 'runs' | 'differences';
}

/** What a cutover is judged by. */
export interface CutoverFacts {
  /** The old one and the new one; each is one of the pair. */
  from: string;
  to: string;
  pair: SourcePair;
  windowMs: number;
  /** How much of the window, up to its end, both were in the account. */
  coveredMs: number;
  minPairs: number;
  minAgreementPercent: number;
  /** What the account of the two sources does not explain. */
  differences: number;
}

/** Judges each criterion; the work may go over when all of them are met. */
export function judgeCutover(facts: CutoverFacts): Criterion[] {
  const { from, pair, windowMs, coveredMs, minPairs, minAgreementPercent, differences } = facts;
  const [old, next] = pair.sources[0] === from ? ([0, 1] as const) : ([1, 0] as const);
  const { agreementPercent: percent } = pair;
  const share = (side: 0 | 1) => (pair.judged === 0 ? null : (100 * pair.didPart[side]) / pair.judged);
  const [oldShare, newShare] = [share(old), share(next)];
  const completed = pair.instants.filter(
    ({ ticks, verdict }) => verdict.kind === 'agree' && ticks[next]?.run?.outcome === 'completed',
  ).length;
  const atLeast = (name: CriterionName, figure: number | null, threshold: number, unit: Criterion['unit']) => {
    return { name, isMet: figure !== null && figure >= threshold, figure, threshold, unit };
  };
  const none = (name: CriterionName, figure: number, unit: Criterion['unit']) => {
    return { name, isMet: figure === 0, figure, threshold: 0, unit };
  };
  return [
    atLeast('window_covered', coveredMs, windowMs, 'ms'),
    none('ticks_covered', pair.alone[old], 'ticks'),
    atLeast('enough_pairs', pair.done, minPairs, 'pairs'),
    atLeast('agreement', percent, minAgreementPercent, 'percent'),
    atLeast('new_completed', completed, 1, 'runs'),
    atLeast('completion', newShare, oldShare ?? 0, 'percent'),
    none('no_new_failure', pair.onlyFailures[next], 'ticks'),
    none('no_double_execution', pair.doubles.length, 'runs'),
    none('account', differences, 'differences'),
  ];
}
