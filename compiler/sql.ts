import type { Fault } from '../expressions/fault.ts';
import { lexSql } from '../expressions/sql-lexemes.ts';
import { describeStatement } from './sql-shape.ts';
import type { StatementShape } from './sql-shape.ts';

/** SQL as the database takes it: the names of the parameters stand in the order of `$1`, `$2`. */
export interface ParsedSql extends StatementShape {
  text: string;
  parameters: string[];
  /** Where each `:name` stands in the text that was given; a name may come more than once. */
  places: { name: string; offset: number }[];
  /** The node of the one statement, such as `SelectStmt`. */
  kind: string;
}

/** The part of the SQL parser that is used. */
interface SqlParser {
  parseSync: (query: string) => { stmts?: { stmt?: Record<string, unknown> }[] };
}

/** Longer statements are refused before they are parsed. */
const longestSql = 20_000;

/** SQL was to be parsed before `prepareSql` had ended: the caller forgot it. */
export class SqlNotReadyError extends Error {
  override readonly name = 'SqlNotReadyError';
}

let parser: SqlParser | undefined;

/** Loads the parser of Postgres itself, compiled to WebAssembly: some 40 ms once, and only where a watchdog is compiled. */
export async function prepareSql(): Promise<void> {
  if (parser) return;
  const library = await import('libpg-query');
  await library.loadModule();
  parser = library as unknown as SqlParser;
}

/** Parses one statement with `:name` parameters. Offsets count from the start of `sql`. */
export function parseSql(sql: string): ParsedSql | { fault: Fault } {
  if (sql.length > longestSql)
    return { fault: { offset: 0, message: `the SQL is longer than ${longestSql} characters` } };
  const numbered = numberParameters(sql);
  if ('fault' in numbered) return numbered;
  const parsed = runParser(numbered.text);
  if ('message' in parsed) {
    return { fault: { offset: findOffset(numbered, parsed.position), message: `unreadable SQL: ${parsed.message}` } };
  }
  const [first, ...more] = parsed.statements;
  if (first === undefined) return { fault: { offset: 0, message: 'there is no SQL here' } };
  if (more.length > 0) return { fault: { offset: 0, message: `expected one statement, here are ${more.length + 1}` } };
  const [kind = '', body] = Object.entries(first)[0] ?? [];
  const { parameters, places } = numbered;
  return { text: numbered.text, parameters, places, kind, ...describeStatement(kind, body) };
}

/**
 * An UPDATE or INSERT that gives no rows, made to give those that it wrote; all else as it is. What stands behind the
 * statement, such as a semicolon and a comment, stays there.
 */
export function addReturning(sql: ParsedSql): ParsedSql {
  if (sql.returnsRows || (sql.kind !== 'UpdateStmt' && sql.kind !== 'InsertStmt')) return sql;
  const end = findEndOfCode(sql.text);
  const text = `${sql.text.slice(0, end)}\nRETURNING ${sql.ownRows}${sql.text.slice(end)}`;
  const parsed = runParser(text);
  const [kind = '', body] = 'message' in parsed ? [] : (Object.entries(parsed.statements[0] ?? {})[0] ?? []);
  const shape = describeStatement(kind, body);
  return shape.returnsRows ? { ...sql, ...shape, text } : sql;
}

/** Where a statement ends: behind its last character that is no blank, no semicolon, and in no comment. */
function findEndOfCode(sql: string): number {
  let [end, done] = [0, 0];
  const readPlain = (until: number) => {
    for (let index = until - 1; index >= done; index -= 1) {
      if (/[\s;]/.test(sql[index] ?? '')) continue;
      end = index + 1;
      return;
    }
  };
  for (const { kind, text, from, to } of lexSql(sql)) {
    readPlain(from);
    done = to;
    const isCode = text !== ';' && !(kind === 'text' && /^(--|\/\*)/.test(text));
    if (isCode) end = to;
  }
  readPlain(sql.length);
  return end;
}

interface NumberedSql {
  text: string;
  parameters: string[];
  places: { name: string; offset: number }[];
  /** How the text was changed: from `at` of the new text on, `offset` of the old one. */
  shifts: { at: number; offset: number }[];
}

function numberParameters(sql: string): NumberedSql | { fault: Fault } {
  const result: NumberedSql = { text: '', parameters: [], places: [], shifts: [{ at: 0, offset: 0 }] };
  let done = 0;
  for (const { kind, text, from, to } of lexSql(sql)) {
    if (kind === 'position') {
      const message = `\`${text}\` cannot be told apart from the parameters that are put in`;
      return { fault: { offset: from, message, hint: 'write `:name`' } };
    }
    if (kind !== 'name') continue;
    if (!result.parameters.includes(text)) result.parameters.push(text);
    result.places.push({ name: text, offset: from });
    result.text += `${sql.slice(done, from)}$${result.parameters.indexOf(text) + 1}`;
    done = to;
    result.shifts.push({ at: result.text.length, offset: done });
  }
  result.text += sql.slice(done);
  return result;
}

/** The parser counts characters, beyond the BMP too. */
function findOffset({ text, shifts }: NumberedSql, position: number): number {
  const at = [...text].slice(0, position).join('').length;
  const shift = shifts.findLast((candidate) => candidate.at <= at);
  return shift === undefined ? at : shift.offset + at - shift.at;
}

function runParser(text: string): { statements: Record<string, unknown>[] } | { message: string; position: number } {
  if (!parser) throw new SqlNotReadyError('call prepareSql before compiling watchdogs');
  if (text.trim() === '') return { statements: [] };
  try {
    return { statements: (parser.parseSync(text).stmts ?? []).flatMap(({ stmt }) => (stmt ? [stmt] : [])) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const details = (error as { sqlDetails?: { cursorPosition?: number } }).sqlDetails;
    return { message: error.message, position: Math.max(0, details?.cursorPosition ?? 0) };
  }
}
