import type { KnownFinding, WatchRun } from '../../history/watch-ledger.ts';
import type { WatchdogOrder } from '../../workflows/contract.ts';
import type { RunContext } from '../run.ts';
import type { Variables } from '../variables.ts';
import type { AuditTrail } from './audit-trail.ts';
import { CheckError } from './check-error.ts';
import type { WatchedDatabase } from './database.ts';
import type { FailureList } from './failure-list.ts';
import type { HistoryLine } from './history-line.ts';
import { watchReasons } from './watch-reasons.ts';

/** A run of a watchdog that can look: it is connected, holds its lock, and knows what the history knows. */
export interface Watch {
  context: RunContext;
  order: WatchdogOrder;
  variables: Variables;
  /** Takes secrets out of data; see `createDataRedactor`. */
  redactData: Variables['redact'];
  run: WatchRun;
  history: HistoryLine;
  trail: AuditTrail;
  /** Open and quarantined findings by check and key. */
  known: ReadonlyMap<string, KnownFinding>;
  failures: FailureList;
  database: WatchedDatabase;
}

/** Under which name `known` has a finding. */
export function nameKnown(checkName: string, key: string): string {
  return `${checkName} ${key}`;
}

/**
 * Milliseconds that a statement may take: what the budget has left.
 *
 * @throws the signal's reason; CheckError where the budget has none
 */
export function statementTimeout({ order, startedAt, deps, signal }: RunContext): number {
  signal.throwIfAborted();
  const { maxSeconds } = order.budget;
  const leftMs = startedAt.getTime() + maxSeconds * 1_000 - deps.now().getTime();
  if (leftMs <= 0) throw new CheckError(watchReasons.budgetSpent(maxSeconds));
  return Math.ceil(leftMs);
}
