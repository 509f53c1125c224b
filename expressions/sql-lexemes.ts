/** A piece of SQL that means something to who looks for parameters; what lies between pieces is left out. */
export interface SqlLexeme {
  /** `name` is `:name`, `position` is `$1`, `text` all that is quoted or a comment. */
  kind: 'name' | 'position' | 'text' | 'word' | 'sign';
  /** As it stands there; of a `name` without the colon. */
  text: string;
  /** From where to where it stands. */
  from: number;
  to: number;
}

/**
 * Quoted text of all kinds, line comments, casts, parameters, words and the signs that structure a statement. A word takes
 * what is in it along: neither the `e'` of `date'...'` nor the `$1` of `a$1` begins anything.
 */
const pattern =
  /(?<open>\/\*)|(?<text>[eE]'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\$(?<tag>(?:[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?)\$[^]*?\$\k<tag>\$|::)|:(?<name>[A-Za-z_]\w*)|\$(?<position>\d+)|(?<word>[A-Za-z_\x80-\uffff][\w$\x80-\uffff]*)|(?<sign>[(),;])/g;

/** Reads one statement piece by piece. What is quoted or a comment is one piece, also where comments are nested. */
export function* lexSql(sql: string): Generator<SqlLexeme> {
  const scanner = new RegExp(pattern);
  for (let match = scanner.exec(sql); match !== null; match = scanner.exec(sql)) {
    const { open, name, position, word, sign } = match.groups ?? {};
    if (open !== undefined) scanner.lastIndex = findCommentEnd(sql, match.index);
    const at = { from: match.index, to: scanner.lastIndex };
    if (name !== undefined) yield { kind: 'name', text: name, ...at };
    else if (position !== undefined) yield { kind: 'position', text: match[0], ...at };
    else if (word !== undefined) yield { kind: 'word', text: word, ...at };
    else if (sign !== undefined) yield { kind: 'sign', text: sign, ...at };
    else yield { kind: 'text', text: sql.slice(at.from, at.to), ...at };
  }
}

function findCommentEnd(sql: string, from: number): number {
  let depth = 0;
  for (const { 0: mark, index } of sql.slice(from).matchAll(/\/\*|\*\//g)) {
    depth += mark === '/*' ? 1 : -1;
    if (depth === 0) return from + index + mark.length;
  }
  return sql.length;
}

/** Puts other text in the place of lexemes, and cuts off the semicolon that ends the statement with what follows it. */
export function rewriteSql(sql: string, rewrite: (lexeme: SqlLexeme) => string | undefined): string {
  let written = '';
  let done = 0;
  for (const lexeme of lexSql(sql)) {
    if (lexeme.kind === 'sign' && lexeme.text === ';') return written + sql.slice(done, lexeme.from);
    const replacement = rewrite(lexeme);
    if (replacement === undefined) continue;
    written += sql.slice(done, lexeme.from) + replacement;
    done = lexeme.to;
  }
  return written + sql.slice(done);
}
