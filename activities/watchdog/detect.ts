import pg from 'pg';
import { rewriteSql } from '../../expressions/sql-lexemes.ts';
import type { WatchdogCheck } from '../../workflows/contract.ts';
import { bindParams } from './bound-text.ts';
import { CheckError } from './check-error.ts';
import type { Finding } from './finding.ts';
import { type SentSql, explainSqlFault, findLine } from './sql-fault.ts';
import { watchReasons } from './watch-reasons.ts';

/** What a check has found; `hasMore` where there was more than its limit, or than fits. */
export interface Detected {
  findings: Finding[];
  hasMore: boolean;
}

/** What bounds one detect query, beside its own `limit`. */
export interface DetectBounds {
  timeoutMs: number;
  /** What its findings may weigh in all, as JSON; 32 MiB when absent. */
  mostBytes?: number;
}

const usualMostBytes = 32 * 1_048_576;

/**
 * Runs a check's detect query in a read-only transaction of its own. Postgres hands over no more rows than the limit and
 * one, and makes their JSON itself. The query keeps the plan that it has by itself: it is not planned for a few rows.
 *
 * @throws CheckError, and what is no error of the database
 */
export async function detect(
  client: pg.ClientBase,
  check: Pick<WatchdogCheck, 'detect' | 'key' | 'limit' | 'params'>,
  { timeoutMs, mostBytes = usualMostBytes }: DetectBounds,
): Promise<Detected> {
  const sent = wrapDetect(check, mostBytes);
  const startedAt = performance.now();
  try {
    await client.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${timeoutMs}`);
    const result = await client.query<(string | null)[]>({
      text: sent.text,
      values: bindParams(check),
      rowMode: 'array',
    });
    await client.query('COMMIT');
    return readFindings(check, result);
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    // The server's words depend on its language, its clock does not.
    const isTimeout = performance.now() - startedAt >= timeoutMs;
    throw explainDetectFault(error, check, sent, isTimeout ? timeoutMs : undefined);
  }
}

/** Columns of ours before those of the query. */
const ownColumns = ['actcore_total', 'actcore_key', 'actcore_row'] as const;

/** The limits are ours and numbers, so they may stand in the text. The outer row comes even where nothing is found. */
function wrapDetect(
  { detect: { text }, key, limit }: Pick<WatchdogCheck, 'detect' | 'key' | 'limit'>,
  mostBytes: number,
): SentSql {
  const columns = key.map((column) => `actcore_f.${pg.escapeIdentifier(column)}`).join(', ');
  const head = 'WITH actcore_found AS MATERIALIZED (\n';
  const body = rewriteSql(text, () => undefined);
  const tail = `
), actcore_taken AS MATERIALIZED (
SELECT json_build_array(${columns})::text AS actcore_key, to_json(actcore_f)::text AS actcore_row, actcore_f.*
FROM actcore_found actcore_f LIMIT ${limit + 1}
)
SELECT (SELECT count(*) FROM actcore_taken) AS actcore_total, actcore_s.*
FROM (VALUES (0)) actcore_v LEFT JOIN (
SELECT *, sum(octet_length(actcore_row)) OVER (ROWS UNBOUNDED PRECEDING) AS actcore_bytes FROM actcore_taken
) actcore_s ON actcore_s.actcore_bytes <= ${mostBytes}`;
  return { text: head + body + tail, from: head.length, length: body.length, block: 'its detect block' };
}

function readFindings(
  { key, limit }: Pick<WatchdogCheck, 'key' | 'limit'>,
  { rows, fields }: pg.QueryArrayResult<(string | null)[]>,
): Detected {
  const total = Number(rows[0]?.[0] ?? 0);
  const names = fields.slice(ownColumns.length, -1).map(({ name }) => name);
  const seen = rows.filter((row) => row[1] !== null);
  if (total > 0 && seen.length === 0) throw new CheckError(watchReasons.tooLarge);
  const findings = seen.slice(0, limit).map((row): Finding => {
    const columns = new Map(names.map((name, index) => [name, row[ownColumns.length + index] ?? null]));
    return { key: row[1] ?? '', columns, json: row[2] ?? '' };
  });
  checkKeys(key, findings);
  return { findings, hasMore: total > findings.length };
}

function checkKeys(key: string[], findings: Finding[]): void {
  for (const column of key) {
    const count = findings.filter(({ columns }) => (columns.get(column) ?? null) === null).length;
    if (count > 0) throw new CheckError(watchReasons.nullKey(column, count));
  }
  const known = new Set<string>();
  for (const finding of findings) {
    if (known.has(finding.key)) throw new CheckError(watchReasons.doubledKey(finding.key, key));
    known.add(finding.key);
  }
}

function explainDetectFault(
  error: unknown,
  { key }: Pick<WatchdogCheck, 'key'>,
  sent: SentSql,
  timeoutMs: number | undefined,
): unknown {
  const told = explainSqlFault(error, sent);
  if (told === undefined) return error;
  const { code, message, position } = error as pg.DatabaseError;
  const isOurs = position !== undefined && findLine(position, sent) === undefined;
  if (code === '57014' && timeoutMs !== undefined) return asCheckError(watchReasons.statementTimeout(timeoutMs), error);
  if (code === '25006') return asCheckError(watchReasons.writes(message), error);
  if (isOurs && (code === '42703' || code === '42702')) {
    return asCheckError(watchReasons.noKeyColumn(key, message.replaceAll('actcore_f.', '')), error);
  }
  return asCheckError(told, error);
}

function asCheckError(message: string, cause: unknown): CheckError {
  return new CheckError(message, { cause });
}
