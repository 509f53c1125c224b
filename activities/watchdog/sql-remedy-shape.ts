import type pg from 'pg';
import { rewriteSql } from '../../expressions/sql-lexemes.ts';
import type { SqlStatement, WatchdogCheck } from '../../workflows/contract.ts';
import { bindParams } from './bound-text.ts';
import type { Finding, Treatment } from './finding.ts';
import { unfoldWith } from './sql-remedy-clauses.ts';
import { RemedyError, readCode } from './sql-remedy-error.ts';
import { lockClause, trial, tryLock } from './sql-remedy-lock.ts';
import { sqlRemedyReasons as reasons } from './sql-remedy-reasons.ts';
import { asRelation, asWritten, blocks, breakDown } from './sql-remedy-relation.ts';
import type { Block, RemedyShape } from './sql-remedy-relation.ts';
import { begin, rollBack } from './sql-remedy-transaction.ts';

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

/** A SELECT can be of use there all the same, such as one that terminates a session. */
async function checkReadOnly(client: pg.ClientBase, remedy: SqlStatement): Promise<boolean> {
  const { rows } = await client.query<{ setting: string; standby: string }>({
    text: "SELECT current_setting('transaction_read_only') AS setting, pg_is_in_recovery()::text AS standby",
    types: asWritten,
  });
  if (rows[0]?.setting !== 'on') return false;
  if (unfoldWith(remedy.text).verb === 'select') return true;
  const why = rows[0].standby === 'true' ? reasons.standby : reasons.readOnlySetting;
  throw new RemedyError(reasons.readOnly(why));
}

async function attempt<Result>(block: Block, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw breakDown(block, error);
  }
}
