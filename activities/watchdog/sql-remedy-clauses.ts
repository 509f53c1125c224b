import { lexSql } from '../../expressions/sql-lexemes.ts';
import type { SqlLexeme } from '../../expressions/sql-lexemes.ts';

/** A statement without the WITH in front of it. */
export interface UnfoldedSql {
  /** What stands between WITH and the statement proper; empty where there is no WITH. */
  ctes: string;
  isRecursive: boolean;
  statement: string;
  /** The word that it begins with, in lower case; empty for a parenthesis. */
  verb: string;
}

const verbs: ReadonlySet<string> = new Set(['select', 'insert', 'update', 'delete', 'merge', 'values', 'table']);

/** Takes the WITH off a statement, whose parts can then stand in a WITH that is put in front of it. */
export function unfoldWith(sql: string): UnfoldedSql {
  const lexemes = [...lexOuter(sql)];
  const [first, second] = lexemes;
  const plain = { ctes: '', isRecursive: false, statement: sql, verb: lowerWord(first) };
  if (first === undefined || lowerWord(first) !== 'with') return plain;
  const isRecursive = lowerWord(second) === 'recursive';
  // A WITH may be named like a verb: the verb of the statement comes after the parenthesis of the last one.
  const verb = lexemes.find(
    (lexeme, index) => verbs.has(lowerWord(lexeme)) && index > 2 && !isNameOfWith(lexemes[index - 1]),
  );
  if (verb === undefined) return plain;
  const from = isRecursive && second !== undefined ? second.to : first.to;
  return { ctes: sql.slice(from, verb.from), isRecursive, statement: sql.slice(verb.from), verb: lowerWord(verb) };
}

function isNameOfWith(before: SqlLexeme | undefined): boolean {
  return before?.text === ',' || lowerWord(before) === 'recursive' || lowerWord(before) === 'with';
}

/**
 * Turns `INSERT INTO ... VALUES (...)` of one row into what inserts a row for each row of a relation; undefined where it is
 * something else, or a value is DEFAULT.
 */
export function insertFrom(sql: string, relation: string): string | undefined {
  const lexemes = [...lexSql(sql)].filter(({ kind }) => kind === 'word' || kind === 'sign');
  if (lowerWord(lexemes[0]) !== 'insert') return undefined;
  const values = lexemes.findIndex((lexeme, index) => lowerWord(lexeme) === 'values' && depthAt(lexemes, index) === 0);
  const open = lexemes[values + 1];
  if (values < 0 || open?.text !== '(') return undefined;
  const close = lexemes.findIndex(
    (lexeme, index) => index > values && lexeme.text === ')' && depthAt(lexemes, index) === 1,
  );
  const end = lexemes[close];
  if (end === undefined || lexemes[close + 1]?.text === ',') return undefined;
  if (lexemes.slice(values, close).some((lexeme) => lowerWord(lexeme) === 'default')) return undefined;
  const word = lexemes[values];
  if (word === undefined) return undefined;
  const list = sql.slice(open.to, end.from);
  return `${sql.slice(0, word.from)}SELECT ${list}\n FROM ${relation} ${sql.slice(end.to)}`;
}

/** How many parentheses are open where a lexeme begins. */
function depthAt(lexemes: readonly SqlLexeme[], index: number): number {
  let depth = 0;
  for (const { text } of lexemes.slice(0, index)) depth += text === '(' ? 1 : text === ')' ? -1 : 0;
  return depth;
}

/** Words and signs that stand in no parenthesis; of a parenthesis only its end. */
function* lexOuter(sql: string): Generator<SqlLexeme> {
  let depth = 0;
  for (const lexeme of lexSql(sql)) {
    if (lexeme.kind !== 'word' && lexeme.kind !== 'sign') continue;
    if (lexeme.text === ')') depth -= 1;
    if (depth === 0) yield lexeme;
    if (lexeme.text === '(') depth += 1;
  }
}

function lowerWord(lexeme: SqlLexeme | undefined): string {
  return lexeme?.kind === 'word' ? lexeme.text.toLowerCase() : '';
}
