import { z } from 'zod';
import { fromRanges } from '../ticks/ranges.ts';
import type { Cadence } from '../workflows/contract.ts';
import { countField, durationField } from './fields.ts';

/** By what a definition's work goes from one source to another; durations in milliseconds. */
export interface CutoverTerms {
  /** How far apart two sources' ticks may be and still be the same work; also how late a run of an outside source may begin. */
  toleranceMs: number;
  /** How long both have to have run side by side. */
  windowMs: number;
  /** So many pairs of ticks in which the work was done. */
  minPairs: number;
  minAgreementPercent: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const minuteMs = 60_000;

const defaultWindowMs = 72 * hourMs;
const defaultMinPairs = 20;
const defaultMinAgreement = 95;
const longestDefaultToleranceMs = minuteMs;

const percentExpectation = 'expected percent from 1 to 100';

/** What holds where a definition says nothing. */
export const defaultCutover = {
  window: defaultWindowMs,
  min_pairs: defaultMinPairs,
  min_agreement: defaultMinAgreement,
};

/** The section `cutover:`; nothing of it changes what a run does, so it is not part of the contract. */
export const cutoverSchema = z
  .strictObject(
    {
      tolerance: durationField({ wholeSeconds: false, leastMs: 100, mostMs: hourMs }).optional(),
      window: durationField({ wholeSeconds: true, leastMs: minuteMs, mostMs: 90 * dayMs }).default(defaultWindowMs),
      min_pairs: countField(1, 100_000, 'a number of pairs').default(defaultMinPairs),
      min_agreement: z
        .number(percentExpectation)
        .min(1, percentExpectation)
        .max(100, percentExpectation)
        .default(defaultMinAgreement),
    },
    'expected a mapping such as { window: 72h, min_pairs: 20 }',
  )
  .default(defaultCutover);

/** The terms with what was not stated: a tolerance of a minute, or of half of the shortest interval where that is less. */
export function buildCutover(
  { tolerance, window, min_pairs: minPairs, min_agreement: minAgreement }: z.output<typeof cutoverSchema>,
  cadences: Cadence[],
): CutoverTerms {
  return {
    toleranceMs: tolerance ?? Math.min(longestDefaultToleranceMs, ...cadences.map(findHalfInterval)),
    windowMs: window,
    minPairs,
    minAgreementPercent: minAgreement,
  };
}

/** Of a cron only whether it fires in two minutes that follow one another: any other half is a minute at least. */
function findHalfInterval({ calendars, intervals }: Cadence): number {
  const minutes = new Set(calendars.flatMap(({ minute }) => fromRanges(minute)));
  const hasNeighbours = [...minutes].some((minute) => minutes.has((minute + 1) % 60));
  const halves = intervals.map(({ everyMs }) => everyMs / 2);
  return Math.min(...halves, hasNeighbours ? minuteMs / 2 : minuteMs);
}
