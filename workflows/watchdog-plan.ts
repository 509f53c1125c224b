import type { JsonValue } from './contract.ts';
import type { RequestTemplate } from './sweep-plan.ts';

/** SQL with `$1`, `$2` in it; `parameters` names what is bound to them, in that order. */
export interface SqlStatement {
  text: string;
  parameters: string[];
  /** Whether it gives rows: a SELECT, or one that ends in RETURNING. */
  returnsRows: boolean;
}

/**
 * What a watchdog's check may do about a finding: `auto` acts, `dry_run` says what it would do, `sim` does it in a
 * transaction and rolls back, `block` does not even look.
 */
export type CheckMode = 'auto' | 'dry_run' | 'sim' | 'block';

/** One check of a watchdog. A statement's parameters are `params`, and after `detect` the columns of the finding. */
export interface WatchdogCheck {
  name: string;
  mode: CheckMode;
  /** Hash of all that decides what it finds and does, but its mode: what a dry run gives evidence for. */
  contractHash: string;
  /** What the remedy does, for the audit; absent where there is none. */
  action?: string;
  params: Record<string, JsonValue>;
  /** The name of the parameter that is the threshold, for the audit. */
  threshold?: string;
  /** The columns of `detect` that tell one finding from another. */
  key: string[];
  /** The most findings that one run takes up. */
  limit: number;
  /** The most rows that the remedy may touch for one finding. */
  maxRows: number;
  /** One statement for all findings, which it reads from the relation `findings`, in place of one for each. */
  batch: boolean;
  destructive: boolean;
  /** A key that was acted on is left alone for so long; 0 where it is not. */
  cooldownMs: number;
  /** A finding whose remedy failed in so many runs in a row is left alone until somebody releases it. */
  quarantineAfter: number;
  detect: SqlStatement;
  /** In the request `${finding.COLUMN}` stands for a column of the finding. */
  remedy?: { sql: SqlStatement } | { request: RequestTemplate };
  audit?: SqlStatement;
}

/** The names, beside `params` and the finding's columns, that an `audit` statement may bind. */
export const auditParameters = [
  'run_id',
  'definition_id',
  'check_name',
  'action',
  'mode',
  'finding_key',
  'before',
  'after',
  'decision',
] as const;

/** What a watchdog watches. */
export interface WatchdogPlan {
  /** Names of variables that may hold the address of the database; the first one that is set wins. */
  database: string[];
  /** A channel of that database whose notifications fire the watchdog at once, gathered for `debounceMs`. */
  listen?: { channel: string; debounceMs: number };
  /** False turns `auto` into `dry_run` for checks that are destructive. */
  destructiveOk: boolean;
  /** More findings to act on than this and nothing is done. */
  maxActions: number;
  checks: WatchdogCheck[];
}

/** What became of a finding in one run. */
export type ActionOutcome =
  /** The remedy was done and the finding is gone. */
  | 'cured'
  /** A request was made and answered well; whether it cured is for the next run to see. */
  | 'sent'
  /** It was done and rolled back: `sim`. */
  | 'simulated'
  /** It would have been done: `dry_run`. */
  | 'proposed'
  /** The remedy ran and the finding is still there; it was rolled back. */
  | 'not_cured'
  /** The remedy failed, or touched more rows than it may; it was rolled back. */
  | 'failed';

/** The triplet of one action: before, action, after, with the decision. JSON texts are as Postgres wrote them. */
export interface ActionRecord {
  /** UUIDv5 of run, check and finding: the same action recorded twice is one row. */
  id: string;
  checkName: string;
  /** The values of the key's columns, a JSON array as Postgres writes it. */
  findingKey: string;
  action: string;
  mode: CheckMode;
  outcome: ActionOutcome;
  /** JSON texts; null where there is nothing to tell. */
  before: string | null;
  after: string | null;
  /** JSON text of a `Decision`. */
  decision: string;
  /** Why it failed or did not cure. */
  error?: string;
  /** ISO. */
  at: string;
}

/** Why something was done about a finding, or would have been. */
export interface Decision {
  check: string;
  mode: CheckMode;
  parameters: Record<string, JsonValue>;
  threshold: JsonValue;
  dry_run: boolean;
  reason: string;
}

/** What one check of a run did. */
export interface CheckReport {
  name: string;
  /** What it was run as: `destructive_ok` and a canary that only looks may have made it milder than the definition says. */
  mode: CheckMode;
  contractHash: string;
  /** How many findings it took up; `hasMore` where there were more than its `limit`. */
  findings: number;
  hasMore: boolean;
  /** How many of them ended how; `left` were not acted on, for a reason that stands in the assessment. */
  cured: number;
  sent: number;
  simulated: number;
  proposed: number;
  failed: number;
  left: number;
  tookMs: number;
  /** Why it broke; the other checks went on. */
  error?: string;
}
