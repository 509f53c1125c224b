import type pg from 'pg';
import type { ActionOutcome, ActionRecord, CheckMode, WatchdogCheck } from '../../workflows/contract.ts';

/** A row that a check has detected. All values are the texts that Postgres wrote, so that they are exact. */
export interface Finding {
  /** The values of the key's columns as a JSON array; names the finding in the history. */
  key: string;
  /** The whole row by column; null for NULL. */
  columns: ReadonlyMap<string, string | null>;
  /** The whole row as a JSON object, its keys in the order of the query. */
  json: string;
}

/** What became of one finding that a remedy was asked to cure; `gone` and `locked` are no actions and leave no triplet. */
export interface Treated {
  finding: Finding;
  outcome: ActionOutcome | 'gone' | 'locked';
  /** The triplet, where something was done or tried. */
  record?: ActionRecord;
  error?: string;
}

/** What a remedy needs of the run that asks for it. */
export interface Treatment {
  /** The connection of the run to the watched database, which holds its advisory lock. No transaction is open. */
  client: pg.ClientBase;
  check: WatchdogCheck;
  mode: Extract<CheckMode, 'auto' | 'sim'>;
  definitionId: string;
  runId: string;
  /** What `decision` says beside what the remedy itself adds; JSON text. */
  decide(finding: Finding, reason: string): string;
  /** Milliseconds that one statement may take; what the budget has left. Throws the signal's reason when it has none. */
  statementTimeoutMs(): number;
  signal: AbortSignal;
  now: () => Date;
  /**
   * Takes the triplets of a transaction before it commits. Throws where they can be kept nowhere, and then the transaction
   * has to be rolled back. `xid` is that of the transaction, absent for a request.
   */
  prepare(records: ActionRecord[], xid: string | undefined): Promise<PreparedActions>;
}

/** Triplets that are kept, and wait to hear what became of their transaction. */
export interface PreparedActions {
  /** Never throws: what it cannot write is settled later. */
  settle(fate: 'committed' | 'aborted'): Promise<void>;
}
