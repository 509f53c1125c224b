/** Indents JSON text by its signs alone, so that every number stays as it came. The text must be JSON. */
export function indentJson(json: string): string {
  let [shown, depth] = ['', 0];
  const breakLine = () => `\n${'  '.repeat(depth)}`;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[{]\s*[\]}]|[[\]{},:]|[^\s"[\]{},:]+/g)) {
    if (token === '{' || token === '[') {
      depth += 1;
      shown += token + breakLine();
    } else if (token === '}' || token === ']') {
      depth -= 1;
      shown += breakLine() + token;
    } else if (token === ',') shown += token + breakLine();
    else shown += token === ':' ? ': ' : token.replaceAll(/^([[{])\s*([\]}])$/g, '$1$2');
  }
  return shown;
}
