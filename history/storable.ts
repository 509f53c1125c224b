/** The nearest text that Postgres can hold: it has no NUL, and no half of a surrogate pair is UTF-8. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}

/** Rows as JSON; what Postgres cannot hold stands in JSON as an escape, if it is there at all. */
export function writeStorable(rows: object[]): string {
  const json = JSON.stringify(rows);
  if (!json.includes('\\u') || !/\\u(0000|d[89a-f])/i.test(json)) return json;
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'string' ? storable(value) : value));
}
