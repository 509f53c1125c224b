import type pg from 'pg';
import { rewriteSql } from '../../expressions/sql-lexemes.ts';
import { bindParams } from './bound-text.ts';
import type { Finding, Treatment } from './finding.ts';
import { readCode } from './sql-remedy-error.ts';
import { sqlRemedyReasons as reasons } from './sql-remedy-reasons.ts';
import { asRelation, asWritten, breakDown, matchKey } from './sql-remedy-relation.ts';
import type { RemedyShape } from './sql-remedy-relation.ts';

/** NO KEY: a row that others only refer to by a foreign key can be had. */
export const lockClause = 'FOR NO KEY UPDATE SKIP LOCKED';

/** `why` says why they cannot be locked, where they cannot. */
type Locking = Partial<Pick<RemedyShape, 'isComparable'>> & { why?: string };

/** Whether the rows behind a finding can be locked; EXPLAIN refuses what execution would, and shows whether any row is. */
export async function tryLock(treatment: Treatment, shape: RemedyShape, finding: Finding): Promise<Locking> {
  const { client, check } = treatment;
  const detect = asRelation(rewriteSql(check.detect.text, () => undefined));
  const from = check.detect.parameters.length;
  const keys = check.key.map((_, index) => `$${from + index + 1}::text`);
  const values = [...bindParams(check), ...check.key.map((name) => finding.columns.get(name) ?? null)];
  const text = `EXPLAIN (VERBOSE, FORMAT JSON) SELECT 1 FROM ${detect} WHERE ${matchKey(check.key, shape, keys)} ${lockClause}`;
  let isLocked = false;
  const fault = await trial(client, { text, values, types: asWritten, rowMode: 'array' }, ([plan]) => {
    isLocked = findsRows(JSON.parse(plan?.[0] ?? '[]'));
  });
  const code = readCode(fault);
  if (code === undefined) return isLocked ? {} : { why: reasons.cannotLock };
  if (code === '42501') return { why: reasons.mayNotLock };
  if (code === '0A000') return { why: reasons.cannotLock };
  if (code !== '42883' || !shape.isComparable) throw breakDown('detect', fault);
  return { ...(await tryLock(treatment, { ...shape, isComparable: false }, finding)), isComparable: false };
}

/** Whether a plan locks rows of a table: of those it needs the address. Those of a function or of a WITH it cannot lock. */
function findsRows(plan: unknown): boolean {
  if (typeof plan !== 'object' || plan === null) return false;
  const { 'Node Type': kind, Output: output } = plan as { 'Node Type'?: string; Output?: string[] };
  if (kind === 'LockRows' && output?.some((column) => /(^|\.)ctid$/.test(column))) return true;
  return Object.values(plan).some(findsRows);
}

/** What the database has against a statement that may fail; undefined where it took it. */
export async function trial(
  client: pg.ClientBase,
  query: pg.QueryArrayConfig,
  onRows?: (rows: string[][]) => void,
): Promise<unknown> {
  await client.query('SAVEPOINT actcore_trial');
  try {
    const { rows } = await client.query<string[]>(query);
    onRows?.(rows);
    return undefined;
  } catch (error) {
    if (readCode(error) === undefined) throw error;
    await client.query('ROLLBACK TO SAVEPOINT actcore_trial');
    return error;
  }
}
