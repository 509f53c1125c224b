import type { ActionOutcome, ActionRecord } from '../../workflows/contract.ts';
import type { Finding, Treated, Treatment } from './finding.ts';
import { explainFault, isLockFault, readCode } from './sql-remedy-error.ts';
import { sqlRemedyReasons as reasons } from './sql-remedy-reasons.ts';
import { asWritten, breakDown } from './sql-remedy-relation.ts';
import type { RemedyShape } from './sql-remedy-relation.ts';
import { writeBatch, writeRecheck } from './sql-remedy-statement.ts';
import type { Batch } from './sql-remedy-statement.ts';
import { CommitRefusedError, begin, end, giveUp, keep, recordAction, rollBack } from './sql-remedy-transaction.ts';

/** What the remedy did, by the number of the finding in the batch, and which of them are still there. */
interface BatchResult {
  rows: { n: number; before: string; after: string | null }[];
  touched: number;
  stillThere: Set<number>;
  xid: string | undefined;
}

/**
 * Cures all findings by one statement, or none of them: whatever goes wrong is rolled back for all.
 *
 * @throws RemedyError where the statement does not fit the database; the signal's reason; what `prepare` throws
 */
export async function treatBatch(
  treatment: Treatment,
  shape: RemedyShape,
  findings: readonly Finding[],
): Promise<Treated[]> {
  const decisions = findings.map((finding) => treatment.decide(finding, shape.reason));
  const batch = { treatment, shape, findings, decisions };
  let result: BatchResult;
  try {
    result = await runStatements(batch, true);
  } catch (error) {
    if (!(error instanceof RolledBackError)) throw error;
    return fail(batch, error);
  }
  const fault = findFault(batch, result);
  if (fault !== undefined) {
    await rollBack(treatment);
    return failAll(batch, result, fault);
  }
  const treated = describeAll(batch, result);
  try {
    await end(treatment, recordsOf(treated), result.xid);
    return treated;
  } catch (error) {
    if (!(error instanceof CommitRefusedError)) throw error;
    return failAll(batch, result, error.message);
  }
}

/** Postgres refused the work on the findings, and all is rolled back. */
class RolledBackError extends Error {
  override readonly name = 'RolledBackError';
}

async function runStatements(batch: Batch, isJoined: boolean): Promise<BatchResult> {
  const { treatment } = batch;
  const { client, signal } = treatment;
  const statement = writeBatch(batch, isJoined);
  await begin(treatment);
  try {
    const { rows } = await client.query<string[]>({ ...statement, types: asWritten, rowMode: 'array' });
    await client.query('SET CONSTRAINTS ALL IMMEDIATE');
    // Views of the server's activity show one transaction the same for ever, unless told not to.
    if (batch.shape.lock === '') await client.query('SELECT pg_stat_clear_snapshot()');
    const recheck = await client.query<{ there: string | null; xid: string | null }>({
      ...writeRecheck(batch),
      types: asWritten,
    });
    const { there = null, xid = null } = recheck.rows[0] ?? {};
    return {
      rows: rows.map(([n, before = '', after]) => ({ n: Number(n), before, after: after ?? null })),
      touched: Number(rows[0]?.[3] ?? 0),
      stillThere: new Set((there ?? '{}').slice(1, -1).split(',').filter(Boolean).map(Number)),
      xid: xid ?? undefined,
    };
  } catch (error) {
    const code = readCode(error) ?? '';
    if (signal.aborted || code === '' || code === '57014') throw await giveUp(treatment, error);
    if (!(await rollBack(treatment))) throw error;
    // The remedy does not give the key's columns, gives them twice, or as other types.
    if (isJoined && ['42703', '42702', '42883'].includes(code)) return runStatements(batch, false);
    if (code.startsWith('42') || code === '0A000') throw breakDown('remedy', error);
    throw new RolledBackError(explainFault(error), { cause: error });
  }
}

function findFault({ treatment, findings }: Batch, { rows, touched, stillThere }: BatchResult): string | undefined {
  const { maxRows } = treatment.check;
  const found = new Set(rows.map(({ n }) => n));
  if (found.size < rows.length || touched > maxRows * found.size) {
    return reasons.tooManyBatchRows(Math.max(touched, rows.length), found.size, maxRows);
  }
  const left = [...found].filter((n) => stillThere.has(n)).length;
  return left === 0 ? undefined : reasons.othersNotCured(left, Math.min(found.size, findings.length));
}

function describeAll(batch: Batch, { rows, stillThere }: BatchResult, error?: string): Treated[] {
  const { treatment, findings, decisions } = batch;
  const byNumber = new Map(rows.map((found) => [found.n, found]));
  return findings.map((finding, index): Treated => {
    const found = byNumber.get(index + 1);
    const isThere = stillThere.has(index + 1);
    if (found === undefined) return { finding, outcome: isThere ? 'locked' : 'gone' };
    const outcome = nameOutcome(treatment, error, isThere);
    const told = error === undefined ? {} : { error };
    const after = error === undefined ? found.after : null;
    const action = { finding, outcome, before: found.before, after, decision: decisions[index] ?? '', ...told };
    return { finding, outcome, record: recordAction(treatment, action), ...told };
  });
}

function nameOutcome({ mode }: Treatment, error: string | undefined, isThere: boolean): ActionOutcome {
  if (error !== undefined) return isThere ? 'not_cured' : 'failed';
  return mode === 'sim' ? 'simulated' : 'cured';
}

async function failAll(batch: Batch, result: BatchResult, error: string): Promise<Treated[]> {
  const treated = describeAll(batch, result, error);
  await keep(batch.treatment, recordsOf(treated));
  return treated;
}

/** The statement itself failed: which rows it had locked is not known any more. */
async function fail(batch: Batch, { message, cause }: RolledBackError): Promise<Treated[]> {
  const { treatment, findings, decisions } = batch;
  if (isLockFault(readCode(cause) ?? '')) {
    return findings.map((finding) => ({ finding, outcome: 'locked', error: reasons.lockedElsewhere }));
  }
  const treated = findings.map((finding, index): Treated => {
    const action = { finding, before: finding.json, after: null, decision: decisions[index] ?? '', error: message };
    const record = recordAction(treatment, { ...action, outcome: 'failed' });
    return { finding, outcome: 'failed', record, error: message };
  });
  await keep(treatment, recordsOf(treated));
  return treated;
}

function recordsOf(treated: Treated[]): ActionRecord[] {
  return treated.flatMap(({ record }) => (record === undefined ? [] : [record]));
}
