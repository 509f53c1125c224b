/** The nearest text that Postgres can hold: it has no NUL, and no half of a surrogate pair is UTF-8. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}
