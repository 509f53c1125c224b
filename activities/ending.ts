import {
  type ActionRecord,
  type AssessmentFailure,
  type CheckReport,
  type Firing,
  type Order,
  type Outcome,
  type RunReport,
  type TargetTally,
  exitCodeOf,
} from '../workflows/contract.ts';
import { type Account, roundStages } from './account.ts';
import { reasons } from './reasons.ts';
import { cutText, longestReason } from './report-size.ts';
import { runIdOf } from '../history/run-id.ts';

/** How a run ended, before it becomes a row. `assessed` says whether its data were judged at all. */
export interface Ending {
  outcome: Outcome;
  reason: string;
  assessed?: boolean;
  failures?: AssessmentFailure[];
  /** Set where not all failures are listed. */
  failureCount?: number;
  response?: { status: number; json: string };
  /** Of a fan-out. */
  targets?: TargetTally;
  /** How many results of targets the history could not take. */
  detailsDropped?: number;
  /** Of a watchdog; see `RunReport`. */
  checks?: CheckReport[];
  actions?: ActionRecord[];
  /** When the work itself had ended; absent where nothing was left to do after it. */
  finishedAt?: Date;
}

interface RunTimes {
  startedAt: Date;
  finishedAt: Date;
}

/** The report of an ended run; not recorded yet. `account` is absent where nobody is left who kept it. */
export function reportEnding(
  order: Order,
  firing: Firing,
  ending: Ending,
  times: RunTimes & { attempt: number; certainty: RunReport['certainty']; account?: Account },
): RunReport {
  const {
    failures = [],
    failureCount = failures.length,
    response,
    targets,
    detailsDropped = 0,
    checks,
    actions,
  } = ending;
  const tookMs = times.finishedAt.getTime() - times.startedAt.getTime();
  const leastMs = order.budget.minDurationMs ?? 0;
  const isTooShort = ending.outcome === 'completed' && tookMs < leastMs;
  const reason = isTooShort ? `${ending.reason}; ${reasons.tooShort(tookMs, leastMs)}` : ending.reason;
  return {
    runId: runIdOf(order.definition.uuid, firing),
    trigger: firing.trigger,
    outcome: ending.outcome,
    assessment: ending.assessed === true ? (failureCount > 0 ? 'failed' : 'passed') : 'none',
    assessmentFailureCount: failureCount,
    assessmentFailures: failures,
    exitCode: exitCodeOf(ending.outcome),
    reason: cutText(reason, longestReason),
    startedAt: times.startedAt.toISOString(),
    finishedAt: times.finishedAt.toISOString(),
    latenessMs: times.startedAt.getTime() - Date.parse(firing.scheduledAt),
    attempt: times.attempt,
    certainty: times.certainty,
    ...(response === undefined ? {} : { response }),
    ...describeAccount(times.account),
    ...(targets === undefined ? {} : { targets }),
    ...(isTooShort ? { isTooShort } : {}),
    ...(detailsDropped === 0 ? {} : { detailsDropped }),
    ...(checks === undefined ? {} : { checks }),
    ...(actions === undefined ? {} : { actions }),
    recorded: false,
  };
}

function describeAccount(account: Account | undefined): Pick<RunReport, 'stages' | 'failedAttempts'> {
  if (account?.hasSent !== true) return {};
  const { stages, failedAttempts } = account;
  return { stages: roundStages(stages), ...(failedAttempts.length === 0 ? {} : { failedAttempts }) };
}
