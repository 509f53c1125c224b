/**
 * The wire format between the compiler, Temporal and the workers. Append-only: a schedule on the server holds an
 * `Order` written by an older version, and a run in flight outlives an upgrade. Plain types and nothing to install.
 */

import type { Cadence } from './cadence.ts';
import type { FailedAttempt, RetryPlan, StageTimes, SweepPlan, TargetTally } from './sweep-plan.ts';
import type { ActionRecord, CheckReport, WatchdogPlan } from './watchdog-plan.ts';

export type { Cadence, Calendar, CalendarRange } from './cadence.ts';
export { mayResume, progressSignal } from './sweep-plan.ts';
export type { EachPlan, Expectation, FailedAttempt, OutcomeRules, PollPlan } from './sweep-plan.ts';
export type { RequestTemplate, RetryPlan, StageTimes, SweepPlan, TargetTally } from './sweep-plan.ts';
export { auditParameters } from './watchdog-plan.ts';
export type { ActionOutcome, ActionRecord, CheckMode, CheckReport, Decision } from './watchdog-plan.ts';
export type { SqlStatement, WatchdogCheck, WatchdogPlan } from './watchdog-plan.ts';

/** Name of the one workflow type; what a schedule starts. */
export const workflowType = 'activityRun';

/** Who drives a run when Temporal does; outside runners have names of their own. */
export const ownSource = 'activity-core';

/** Why a run happened. */
export type Trigger = 'schedule' | 'manual' | 'canary' | 'backfill' | 'notify' | 'external';

/** What became of a tick on the automation axis. */
export type Outcome =
  | 'completed'
  | 'lock_skipped'
  | 'overlap_skipped'
  | 'misfire_skipped'
  | 'paused'
  | 'missed'
  | 'timed_out'
  | 'cancelled'
  | 'automation_error';

/** What the run found on the data axis; `none` where nothing was assessed. */
export type Assessment = 'passed' | 'failed' | 'none';

/** One thing a run found wrong in the data; it never makes the run itself a failure. */
export interface AssessmentFailure {
  target: string;
  rule: string;
  message: string;
}

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** A compiled definition: the argument of every run, holding the names of its variables and none of their values. */
export type Order = SweepOrder | WatchdogOrder;

/** What the orders of all kinds have in common. */
export interface CommonOrder {
  format: 1;
  /** Hash of everything that changes behaviour; what a canary vouches for. */
  contractHash: string;
  /** Hash of the whole definition, prose included. */
  revision: string;
  cadence: Cadence;
  misfire: { policy: 'skip' | 'run_once'; graceMs: number };
  /** `maxSeconds` is what the target is told, `hardTimeoutMs` when we abort. */
  budget: {
    maxSeconds: number;
    hardTimeoutMs: number;
    /** A run that completes faster is flagged. */ minDurationMs?: number;
  };
  onFailure: 'log_and_continue' | 'fail' | 'pause';
  retry: RetryPlan;
  env: string[];
  secrets: string[];
  /** Names of variables that hold the addresses (webhooks) to tell of what went wrong; absent where there are none. */
  notify?: string[];
}

/** The order of a sweep. `kind` is absent in orders that were written before there were others. */
export interface SweepOrder extends CommonOrder {
  kind?: 'sweep';
  definition: { id: string; uuid: string; title: string; owner: string; kind: 'sweep' };
  sweep: SweepPlan;
}

/** The order of a watchdog. */
export interface WatchdogOrder extends CommonOrder {
  kind: 'watchdog';
  definition: { id: string; uuid: string; title: string; owner: string; kind: 'watchdog' };
  watchdog: WatchdogPlan;
}

/** A firing by hand, or by a notification: the second argument of the workflow; absent when a schedule fired it. */
export interface HandFiring {
  trigger: 'manual' | 'canary' | 'notify';
  actor: string;
  /** Turns `auto` and `sim` of a watchdog's checks into `dry_run`. */
  dryRun?: true;
}

/** One firing as the activities get it: all that the row's identity and its first columns need. */
export interface Firing {
  source: string;
  /** As far as the workflow can tell; a firing by the Temporal UI's button is still `schedule` here. */
  trigger: Trigger;
  actor: string;
  /** ISO, UTC: the tick, or for a firing by hand the moment it was fired. */
  scheduledAt: string;
  workflowId: string;
  /** The first run of the workflow's chain; names a firing by hand. */
  workflowRunId: string;
  /** Checks of a watchdog only look. */
  dryRun?: true;
}

/** What became of a run: what the activity returns, the workflow's result, and the content of one row. */
export interface RunReport {
  runId: string;
  trigger: Trigger;
  outcome: Outcome;
  assessment: Assessment;
  assessmentFailureCount: number;
  /** All of them on the way to the row; in a workflow's result the first `reportedFailures`. */
  assessmentFailures: AssessmentFailure[];
  exitCode: 0 | 1;
  /** A sentence: what happened and why. */
  reason: string;
  startedAt: string;
  finishedAt: string;
  /** Milliseconds between the tick and the start. */
  latenessMs: number;
  attempt: number;
  /**
   * `witnessed` by the activity itself, `inferred` by whoever found it dead, `concluded` where there was no run to be
   * found at all; a run never says the last of itself.
   */
  certainty: 'witnessed' | 'inferred' | 'concluded';
  /** HTTP status and body as JSON text, so that large numbers stay exact; secrets redacted; absent where none came. */
  response?: { status: number; json: string };
  /** Absent where no request was made. */
  stages?: StageTimes;
  /** The failed attempts, the first `reportedFailures` of them in a workflow's result. */
  failedAttempts?: FailedAttempt[];
  /** Of a fan-out. */
  targets?: TargetTally;
  /** Set where a completed run was shorter than the definition's `min_duration`. */
  isTooShort?: true;
  /** How many results of targets the history could not take; absent where it took them all. */
  detailsDropped?: number;
  /** Of a watchdog. */
  checks?: CheckReport[];
  /** Of a watchdog: what the history was not there to take when it was done; absent in a workflow's result. */
  actions?: ActionRecord[];
  /** False while the row could not be written; the workflow then sees to it. */
  recorded: boolean;
}

/** What the workflow knows of a run whose activity could not say how it ended. */
export type InferredEnd =
  | { kind: 'misfire' }
  | { kind: 'worker_lost'; message: string }
  | { kind: 'timed_out'; message: string }
  | { kind: 'cancelled'; message: string }
  | { kind: 'activity_failed'; message: string }
  | { kind: 'unrecorded'; report: RunReport };

/** A run that starts later than its grace after the tick is a misfire, whoever was down. Times are ISO or epoch ms. */
export function isMisfire(order: Order, scheduledAt: string, nowMs: number): boolean {
  return nowMs - Date.parse(scheduledAt) > order.misfire.graceMs;
}

/** Whether a firing that starts now is turned down as a misfire: only a tick can be, and only under `skip`. */
export function isSkippedAsLate(order: Order, firing: Firing, nowMs: number): boolean {
  const maySkip = firing.trigger === 'schedule' && order.misfire.policy === 'skip';
  return maySkip && isMisfire(order, firing.scheduledAt, nowMs);
}

/** 0 unless the automation failed; an assessment failure never changes it. */
export function exitCodeOf(outcome: Outcome): 0 | 1 {
  return outcome === 'automation_error' || outcome === 'timed_out' ? 1 : 0;
}

/** How many assessment failures a workflow's result lists; the row holds them all. */
export const reportedFailures = 100;

/** The names of the search attributes that every run carries; all of type Keyword. */
export const searchAttributes = {
  definition: 'ActcoreDefinition',
  source: 'ActcoreSource',
  trigger: 'ActcoreTrigger',
  actor: 'ActcoreActor',
  outcome: 'ActcoreOutcome',
  revision: 'ActcoreRevision',
} as const;
