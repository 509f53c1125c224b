import type { TargetResult } from '../history/results.ts';
import type { AssessmentFailure, TargetTally } from '../workflows/contract.ts';
import type { Ending } from './ending.ts';
import { openEndedSet } from './ended-set.ts';
import type { EndedSet } from './ended-set.ts';
import type { Operation } from './operation.ts';
import type { Target } from './target-list.ts';

/** A result without what all those of a run have in common. */
export type EndedTarget = Omit<TargetResult, 'runId' | 'scheduledAt'>;

/** More failures, or more text of them, are counted and not kept. */
const mostFailures = 20_000;
const mostFailureText = 8_000_000;
/** The history may not have taken the newest results yet: as many as this go along in a heartbeat. */
const mostRecent = 50;
/** For the sentence that says why the run ended as it did. */
const mostExamples = 3;

/** How the targets of a run stand. */
export interface FanOut {
  readonly targets: Target[];
  readonly ended: EndedSet;
  /** What targets have accepted and not ended, by the target's name; URLs sealed. */
  readonly operations: Map<string, Operation>;
  readonly failures: AssessmentFailure[];
  readonly recent: EndedTarget[];
  /** Some of the targets that failed, with the reason. */
  readonly examples: string[];
  failureCount: number;
  isAssessed: boolean;
  tally(): TargetTally;
  /** Counts a target as ended; `failures` are what it found. */
  end(result: EndedTarget, failures?: AssessmentFailure[]): void;
}

/** A fan-out of which nothing has been done yet. */
export function openFanOut(targets: Target[]): FanOut {
  const size = targets.reduce((most, { ordinal }) => Math.max(most, ordinal + 1), 0);
  let failureText = 0;
  const ended = openEndedSet(size);
  const fanOut: FanOut = {
    ...{ targets, ended, operations: new Map(), failures: [], recent: [], examples: [] },
    failureCount: 0,
    isAssessed: false,
    tally() {
      const { completed, failed, lockSkipped } = ended.counts;
      const total = targets.length;
      return { total, completed, failed, lockSkipped, notReached: total - completed - failed - lockSkipped };
    },
    end(result, failures = []) {
      ended.set(result.ordinal, result.outcome);
      fanOut.operations.delete(result.target);
      fanOut.isAssessed ||= result.assessment !== 'none';
      fanOut.failureCount += result.assessmentFailureCount;
      for (const failure of failures) {
        failureText += failure.target.length + failure.rule.length + failure.message.length;
        if (fanOut.failures.length < mostFailures && failureText < mostFailureText) fanOut.failures.push(failure);
      }
      const hasFailed = result.outcome === 'automation_error' || result.outcome === 'timed_out';
      if (hasFailed && fanOut.examples.length < mostExamples)
        fanOut.examples.push(`${result.target}: ${result.reason}`);
      fanOut.recent.push(result);
      if (fanOut.recent.length > mostRecent) fanOut.recent.shift();
    },
  };
  return fanOut;
}

/** What the row of one target says of its end. */
export function describeAssessment(ending: Ending): Pick<TargetResult, 'assessment' | 'assessmentFailureCount'> {
  const count = ending.failures?.length ?? 0;
  const assessment = ending.assessed === true ? (count > 0 ? 'failed' : 'passed') : 'none';
  return { assessment, assessmentFailureCount: count };
}
