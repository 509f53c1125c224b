import type { AssessmentFailure } from '../../workflows/contract.ts';
import { cutText } from '../report-size.ts';

/** More are counted and not listed. */
const mostListed = 1_000;
const longestTarget = 200;

/** What a run found wrong: all of it counted, the first of it listed. */
export interface FailureList {
  readonly listed: AssessmentFailure[];
  readonly count: number;
  /** Adds what is wrong with one finding, or without a key with the check as a whole. */
  add(checkName: string, key: string | undefined, message: string): void;
}

/** An empty list. */
export function openFailureList(): FailureList {
  const listed: AssessmentFailure[] = [];
  let count = 0;
  return {
    listed,
    get count() {
      return count;
    },
    add(checkName, key, message) {
      count += 1;
      if (listed.length >= mostListed) return;
      const target = key === undefined ? checkName : cutText(`${checkName} ${key}`, longestTarget);
      listed.push({ target, rule: checkName, message });
    },
  };
}
