import type { JsonValue } from './contract.ts';
import type { RequestTemplate } from './sweep-plan.ts';

/** SQL with `$1`, `$2` in it; `parameters` names what is bound to them, in that order. */
export interface SqlStatement {
  text: string;
  parameters: string[];
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
  /** What the remedy does, for the audit; absent where there is none. */
  action?: string;
  params: Record<string, JsonValue>;
  /** The columns of `detect` that tell one finding from another. */
  key: string[];
  /** The most findings that one run takes up. */
  limit: number;
  /** How many findings one transaction takes up. */
  batch: number;
  destructive: boolean;
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
  /** False turns `auto` into `dry_run` for checks that are destructive. */
  destructiveOk: boolean;
  /** More findings to act on than this and nothing is done. */
  maxActions: number;
  checks: WatchdogCheck[];
}
