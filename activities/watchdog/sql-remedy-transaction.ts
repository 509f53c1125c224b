import type { ActionOutcome, ActionRecord } from '../../workflows/contract.ts';
import type { Finding, Treatment } from './finding.ts';
import { nameAction } from './proposal.ts';
import { RemedyError, explainFault, readCode } from './sql-remedy-error.ts';
import { sqlRemedyReasons as reasons } from './sql-remedy-reasons.ts';

/** How long a remedy waits for a lock that another session holds. */
const lockTimeoutMs = 1_000;

/**
 * Opens a transaction with a time limit for each statement, and hands `input` to the scripts in it.
 *
 * @throws the signal's reason
 */
export async function begin(treatment: Treatment, input = ''): Promise<void> {
  const { client, signal } = treatment;
  signal.throwIfAborted();
  const timeoutMs = Math.max(1, Math.floor(treatment.statementTimeoutMs()));
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
  await client.query({
    text: `SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true),
      set_config('standard_conforming_strings', 'on', true), set_config('actcore.input', $3, true)`,
    values: [`${timeoutMs}ms`, `${lockTimeoutMs}ms`, input],
  });
}

/** Ends a transaction without a trace; false where the connection is gone, which ends it too. */
export async function rollBack({ client }: Treatment): Promise<boolean> {
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}

/** The server refused to commit, so nothing of the transaction is there. */
export class CommitRefusedError extends Error {
  override readonly name = 'CommitRefusedError';
}

/**
 * Commits, once the triplets are kept; under `sim` rolls back, and keeps them then.
 *
 * @throws what `prepare` throws, the signal's reason, CommitRefusedError: the transaction is rolled back; an error of the
 * connection: what became of it is for the next run to find out.
 */
export async function end(treatment: Treatment, records: ActionRecord[], xid: string | undefined): Promise<void> {
  if (treatment.mode === 'sim') {
    await rollBack(treatment);
    return keep(treatment, records);
  }
  if (records.length > 0) return commit(treatment, records, xid);
  await rollBack(treatment);
}

/** Keeps triplets of what is rolled back already, or never was begun. */
export async function keep(treatment: Treatment, records: ActionRecord[]): Promise<void> {
  if (records.length === 0) return;
  const kept = await treatment.prepare(records, undefined);
  await kept.settle('committed');
}

async function commit(treatment: Treatment, records: ActionRecord[], xid: string | undefined): Promise<void> {
  const { client, signal } = treatment;
  let prepared: Awaited<ReturnType<Treatment['prepare']>>;
  try {
    prepared = await treatment.prepare(records, xid);
  } catch (error) {
    await rollBack(treatment);
    throw error;
  }
  if (signal.aborted) {
    await rollBack(treatment);
    await prepared.settle('aborted');
    throw signal.reason;
  }
  try {
    const { command } = await client.query('COMMIT');
    if (command !== 'COMMIT') throw new CommitRefusedError('the transaction had failed before');
  } catch (error) {
    // A session that answers has told how its transaction ended; of one that is lost nobody knows.
    if (!(await rollBack(treatment))) throw error;
    await prepared.settle('aborted');
    throw new CommitRefusedError(reasons.commitRefused(explainFault(error)), { cause: error });
  }
  await prepared.settle('committed');
}

/** What was thrown in the middle of a transaction, as what ends the treatment; the transaction is rolled back. */
export async function giveUp(treatment: Treatment, error: unknown): Promise<unknown> {
  await rollBack(treatment);
  if (treatment.signal.aborted) return treatment.signal.reason;
  if (readCode(error) === undefined) return error;
  return new RemedyError(explainFault(error), { cause: error });
}

/** What is known of one action. */
export interface Action {
  finding: Finding;
  outcome: ActionOutcome;
  /** JSON texts as Postgres wrote them. */
  before: string | null;
  after: string | null;
  decision: string;
  error?: string;
}

/** The triplet of one action. */
export function recordAction({ check, mode, runId, now }: Treatment, action: Action): ActionRecord {
  const { finding, outcome, before, after, decision, error } = action;
  return {
    id: nameAction(runId, check.name, finding.key),
    checkName: check.name,
    findingKey: finding.key,
    action: check.action ?? check.name,
    mode,
    outcome,
    before,
    after,
    decision,
    ...(error === undefined ? {} : { error }),
    at: now().toISOString(),
  };
}
