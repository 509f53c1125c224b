import type pg from 'pg';
import type { ActionOutcome, ActionRecord, CheckReport, Firing } from '../workflows/contract.ts';
import { listUnsettled, prepareActions, settleActions } from './action-batches.ts';
import type { UnsettledBatch } from './action-batches.ts';
import { readKnownFindings } from './known-findings.ts';
import { observeFindings } from './observation.ts';

/** A finding that is not resolved, as the history has it. Times are ISO. */
export interface KnownFinding {
  checkName: string;
  /** A JSON array of the key's values. */
  key: string;
  state: 'open' | 'quarantined';
  openedAt: string;
  /** In how many runs in a row its remedy failed or did not cure. */
  failedRuns: number;
  lastActionAt?: string;
}

/** How long a check leaves a key alone that was acted on. */
export interface Cooldown {
  checkName: string;
  cooldownMs: number;
}

/** Which definition's run it is. */
export interface WatchRun {
  definitionId: string;
  definitionUuid: string;
  runId: string;
  /** ISO, to the millisecond. */
  scheduledAt: string;
  trigger: Firing['trigger'];
}

/** The triplets of one transaction in the watched database, before it has committed. */
export interface ActionBatch {
  /** A UUID. */
  id: string;
  run: WatchRun;
  /** Which server the transaction is on; pg_control_system's system_identifier. */
  systemIdentifier: string;
  /** Absent where there was no transaction: a request. */
  xid?: string;
  actions: ActionRecord[];
}

/** What one check saw in a run. */
export interface CheckObservation {
  report: CheckReport;
  quarantineAfter: number;
  /** Whether all that there is was seen: what is not listed is then resolved. */
  isComplete: boolean;
  /** `row` is JSON text; `outcome` is absent where nothing was done about it. */
  findings: { key: string; row: string; outcome?: ActionOutcome; error?: string }[];
}

/** What a watchdog keeps in the history: the life of its findings, and the triplets of what it did. */
export interface WatchLedger {
  /**
   * The findings of a definition that are open or quarantined. With them, as open, all other keys that were acted on
   * within the cooldown of their check.
   */
  readFindings(definitionUuid: string, cooldowns: Cooldown[]): Promise<KnownFinding[]>;
  /**
   * Keeps triplets whose transaction has not committed yet; they count once they are settled as committed. An action
   * that is told again replaces what was told of it, unless that is committed, and is then its new batch's; a batch that
   * is left without any is gone. What was proposed in an episode of its finding is passed over.
   */
  prepare(batch: ActionBatch): Promise<void>;
  /** Says what became of them; only the first word counts. A committed one is journaled in the same statement. */
  settle(batchId: string, fate: 'committed' | 'aborted'): Promise<void>;
  /** Those whose fate nobody told, such as of a worker that died; the oldest first. */
  listUnsettled(definitionUuid: string): Promise<UnsettledBatch[]>;
  /**
   * Keeps what a run saw: opens, keeps, resolves and quarantines findings, and writes a row for each check; `checks` are all
   * of the definition, for findings of any other are closed. May be repeated, and changes nothing where a later run has
   * been observed. Returns the findings that the run quarantined.
   */
  observe(run: WatchRun, checks: CheckObservation[]): Promise<{ checkName: string; key: string }[]>;
}

/** The part of the history behind `pool` that watchdogs write. */
export function createWatchLedger(pool: pg.Pool): WatchLedger {
  return {
    readFindings: (definitionUuid, cooldowns) => readKnownFindings(pool, definitionUuid, cooldowns),
    prepare: (batch) => prepareActions(pool, batch),
    settle: (batchId, fate) => settleActions(pool, batchId, fate),
    listUnsettled: (definitionUuid) => listUnsettled(pool, definitionUuid),
    observe: (run, checks) => observeFindings(pool, run, checks),
  };
}
