import {
  type AssessmentFailure,
  type Firing,
  type Order,
  type Outcome,
  type RunReport,
  exitCodeOf,
} from '../workflows/contract.ts';
import { cutText, longestReason } from './report-size.ts';
import { runIdOf } from '../history/run-id.ts';

/** How a run ended, before it becomes a row. `assessed` says whether its data were judged at all. */
export interface Ending {
  outcome: Outcome;
  reason: string;
  assessed?: boolean;
  failures?: AssessmentFailure[];
  response?: { status: number; json: string };
}

export interface RunTimes {
  startedAt: Date;
  finishedAt: Date;
}

/** The report of an ended run; not recorded yet. */
export function reportEnding(
  order: Order,
  firing: Firing,
  ending: Ending,
  times: RunTimes & { attempt: number; certainty: RunReport['certainty'] },
): RunReport {
  const failures = ending.failures ?? [];
  return {
    runId: runIdOf(order.definition.uuid, firing),
    trigger: firing.trigger,
    outcome: ending.outcome,
    assessment: ending.assessed === true ? (failures.length > 0 ? 'failed' : 'passed') : 'none',
    assessmentFailureCount: failures.length,
    assessmentFailures: failures,
    exitCode: exitCodeOf(ending.outcome),
    reason: cutText(ending.reason, longestReason),
    startedAt: times.startedAt.toISOString(),
    finishedAt: times.finishedAt.toISOString(),
    latenessMs: times.startedAt.getTime() - Date.parse(firing.scheduledAt),
    attempt: times.attempt,
    certainty: times.certainty,
    ...(ending.response === undefined ? {} : { response: ending.response }),
    recorded: false,
  };
}
