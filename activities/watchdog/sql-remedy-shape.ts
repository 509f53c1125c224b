import pg from 'pg';
import { rewriteSql } from '../../expressions/sql-lexemes.ts';
import type { SqlStatement, WatchdogCheck } from '../../workflows/contract.ts';
import { bindText } from './bound-text.ts';
import type { Finding, Treatment } from './finding.ts';
import { RemedyError, explainFault, readCode } from './sql-remedy-error.ts';
import { sqlRemedyReasons as reasons } from './sql-remedy-reasons.ts';
import { begin, rollBack } from './sql-remedy-transaction.ts';

/** What the database says of a check's statements: the types that it gives to what they take and to what they give. */
export interface RemedyShape {
  remedy: SqlStatement;
  /** The columns of a finding by name, each with its type as SQL. */
  columns: Map<string, string>;
  /** The types of the parameters, in their order. */
  types: Record<Block, string[]>;
  /** Whether the key's columns can be compared as what they are; else as text. */
  isComparable: boolean;
  /** The clause that locks a finding's rows; empty where they cannot be locked. */
  lock: string;
  /** Why the remedy acts on a finding, for its decision. */
  reason: string;
}

const blocks = ['detect', 'remedy', 'audit'] as const;
export type Block = (typeof blocks)[number];

/** The relation that stands for what `detect` gives: no column of it has the same name, which would hide the row. */
export const row = 'actcore_row';

/** Writes of `detect` what comes after FROM. */
export function asRelation(detect: string): string {
  return `(${detect}\n) AS ${row}`;
}

/** Values as the texts that Postgres wrote. */
export const asWritten = { getTypeParser: () => (text: string) => text };

/** NO KEY: a row that others only refer to by a foreign key can be had. */
const lockClause = 'FOR NO KEY UPDATE SKIP LOCKED';

/**
 * Asks the database about the statements of a check; it runs none of them.
 *
 * @throws RemedyError where one does not fit the database, or the database takes no writes
 */
export async function readShape(treatment: Treatment, remedy: SqlStatement, finding: Finding): Promise<RemedyShape> {
  const { client, check, signal } = treatment;
  const prepared: Block[] = [];
  await begin(treatment);
  try {
    const columns = await readColumns(treatment);
    const types = await readTypes(client, check, remedy, prepared);
    const isReadOnly = await checkReadOnly(client, remedy);
    const shape = { remedy, columns, types, isComparable: true, lock: '', reason: '' };
    const locking = isReadOnly ? { why: reasons.readOnlyLock } : await tryLock(treatment, shape, finding);
    if (locking.why !== undefined) return { ...shape, ...locking, reason: reasons.seenUnlocked(locking.why) };
    return { ...shape, ...locking, lock: lockClause, reason: reasons.seenAgain };
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    await rollBack(treatment);
    for (const block of prepared) await client.query(`DEALLOCATE actcore_${block}`).catch(() => {});
  }
}

async function readColumns({ client, check }: Treatment): Promise<Map<string, string>> {
  const text = `SELECT * FROM ${asRelation(rewriteSql(check.detect.text, () => undefined))} LIMIT 0`;
  const { fields } = await attempt('detect', () => client.query({ text, values: bindParams(check) }));
  const names = await client.query<{ name: string }>({
    text: 'SELECT t::regtype::text AS name FROM unnest($1::oid[]) WITH ORDINALITY AS u(t, n) ORDER BY n',
    values: [fields.map(({ dataTypeID }) => dataTypeID)],
  });
  return new Map(fields.map(({ name }, index) => [name, names.rows[index]?.name ?? 'text']));
}

/** The values of detect's parameters. */
export function bindParams({ detect, params }: WatchdogCheck): (string | null)[] {
  return detect.parameters.map((name) => bindText(params[name] ?? null));
}

/** Domains as what they are made of: a variable of a domain that is NOT NULL could not be declared. */
const typesQuery = `
  WITH RECURSIVE types AS (
    SELECT s.name, p.n, p.type::oid AS type
    FROM pg_prepared_statements s, unnest(s.parameter_types) WITH ORDINALITY AS p(type, n)
    WHERE s.name LIKE 'actcore\\_%'
    UNION ALL
    SELECT t.name, t.n, d.typbasetype FROM types t JOIN pg_type d ON d.oid = t.type WHERE d.typtype = 'd'
  )
  SELECT t.name, t.type::regtype::text AS type FROM types t JOIN pg_type d ON d.oid = t.type
  WHERE d.typtype <> 'd' ORDER BY t.name, t.n`;

async function readTypes(
  client: pg.ClientBase,
  check: WatchdogCheck,
  remedy: SqlStatement,
  prepared: Block[],
): Promise<Record<Block, string[]>> {
  const statements = { detect: check.detect, remedy: check.batch ? undefined : remedy, audit: check.audit };
  for (const block of blocks) {
    const statement = statements[block];
    if (statement === undefined) continue;
    await attempt(block, () => client.query(`PREPARE actcore_${block} AS ${statement.text}`));
    prepared.push(block);
    if (block !== 'detect') await checkPermission(client, block, statement.parameters.length);
  }
  const types: Record<Block, string[]> = { detect: [], remedy: [], audit: [] };
  const { rows } = await client.query<{ name: string; type: string }>(typesQuery);
  for (const { name, type } of rows) types[name.replace('actcore_', '') as Block].push(type);
  return types;
}

/** EXPLAIN asks for the rights that the statement needs. What else it may say is of the NULLs that stand in for values. */
async function checkPermission(client: pg.ClientBase, block: Block, parameterCount: number): Promise<void> {
  const nulls = parameterCount === 0 ? '' : `(${Array.from({ length: parameterCount }, () => 'NULL').join(', ')})`;
  const fault = await trial(client, { text: `EXPLAIN EXECUTE actcore_${block}${nulls}`, rowMode: 'array' });
  if (readCode(fault) === '42501') throw breakDown(block, fault);
}

/** What the database has against a statement that may fail; undefined where it took it. */
async function trial(
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

/** A SELECT can be of use there all the same, such as one that terminates a session. */
async function checkReadOnly(client: pg.ClientBase, remedy: SqlStatement): Promise<boolean> {
  const { rows } = await client.query<{ setting: string; standby: string }>({
    text: "SELECT current_setting('transaction_read_only') AS setting, pg_is_in_recovery()::text AS standby",
    types: asWritten,
  });
  if (rows[0]?.setting !== 'on') return false;
  if (/^\s*select\b/i.test(remedy.text)) return true;
  const why = rows[0].standby === 'true' ? reasons.standby : reasons.readOnlySetting;
  throw new RemedyError(reasons.readOnly(why));
}

type Locking = Partial<Pick<RemedyShape, 'isComparable'>> & { why?: string };

/** Whether the rows behind a finding can be locked; EXPLAIN refuses what execution would, and shows whether any row is. */
async function tryLock(treatment: Treatment, shape: RemedyShape, finding: Finding): Promise<Locking> {
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

/** The condition that a row is the finding whose key is given, as expressions of type text or of the columns' own types. */
export function matchKey(key: readonly string[], shape: RemedyShape, values: readonly string[]): string {
  const terms = key.map((name, index) => {
    const column = `${row}.${pg.escapeIdentifier(name)}`;
    const value = values[index] ?? 'NULL';
    return shape.isComparable ? `${column} = ${value}::${keyType(shape, name)}` : `${column}::text = ${value}::text`;
  });
  return terms.join(' AND ');
}

/** @throws RemedyError where `detect` has no such column */
export function keyType(shape: RemedyShape, name: string): string {
  const type = shape.columns.get(name);
  if (type === undefined)
    throw new RemedyError(`the detect query gives no column \`${name}\`, which is part of the key`);
  return type;
}

async function attempt<Result>(block: Block, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw breakDown(block, error);
  }
}

/** An error of one block of the check; one of the connection stays what it is. */
export function breakDown(block: Block, error: unknown): unknown {
  if (readCode(error) === undefined) return error;
  return new RemedyError(reasons.broken(block, explainFault(error)), { cause: error });
}
