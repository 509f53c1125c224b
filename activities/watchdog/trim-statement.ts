/** Text in quotes of all kinds, comments, and then the end of a statement. */
const lexeme =
  /[eE]'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[^]*?\*\/|\$(\w*)\$[^]*?\$\1\$|;/g;

/** One statement without the semicolon that may end it, so that it can stand inside another one. */
export function trimStatement(sql: string): string {
  for (const match of sql.matchAll(lexeme)) {
    if (match[0] === ';') return `${sql.slice(0, match.index)} ${sql.slice(match.index + 1)}`;
  }
  return sql;
}
