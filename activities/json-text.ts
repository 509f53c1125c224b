/** A JSON text with its strings and numbers rewritten, and how deep it is nested. */
export interface RewrittenJson {
  text: string;
  depth: number;
}

/**
 * Rewrites the strings (keys too) and the numbers of a valid JSON text. What `rewrite` leaves alone stays as it was written,
 * so numbers keep every digit; a number that it changes becomes a string.
 */
export function rewriteJson(json: string, rewrite: (text: string) => string): RewrittenJson {
  let text = '';
  let copied = 0;
  let depth = 0;
  let deepest = 0;
  for (let index = 0; index < json.length;) {
    const sign = json[index] ?? '';
    const end = sign === '"' ? endOfString(json, index) : isNumeric(sign) ? endOfNumber(json, index) : index + 1;
    if (sign === '[' || sign === '{') deepest = Math.max(deepest, ++depth);
    if (sign === ']' || sign === '}') depth -= 1;
    if (end > index + 1 || isNumeric(sign)) {
      const token = json.slice(index, end);
      const value = sign !== '"' ? token : token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1);
      const rewritten = rewrite(value);
      if (rewritten !== value) {
        text += json.slice(copied, index) + JSON.stringify(rewritten);
        copied = end;
      }
    }
    index = end;
  }
  return { text: text + json.slice(copied), depth: deepest };
}

/** The members of a valid JSON object by name, each value as it was written; of a name that is there twice the last. */
export function splitMembers(json: string): Map<string, string> {
  const members = new Map<string, string>();
  let name: string | undefined;
  let depth = 0;
  let start = 0;
  for (let index = 0; index < json.length; index += 1) {
    const sign = json[index] ?? '';
    if (sign === '"') {
      const end = endOfString(json, index);
      if (depth === 1 && name === undefined) name = JSON.parse(json.slice(index, end)) as string;
      index = end - 1;
      continue;
    }
    if (sign === ':' && depth === 1) start = index + 1;
    if (depth === 1 && (sign === ',' || sign === '}') && name !== undefined) {
      members.set(name, json.slice(start, index).trim());
      name = undefined;
    }
    if (sign === '[' || sign === '{') depth += 1;
    if (sign === ']' || sign === '}') depth -= 1;
  }
  return members;
}

function isNumeric(sign: string): boolean {
  return sign === '-' || (sign >= '0' && sign <= '9');
}

function endOfString(json: string, start: number): number {
  let index = start + 1;
  while (index < json.length && json[index] !== '"') index += json[index] === '\\' ? 2 : 1;
  return index + 1;
}

function endOfNumber(json: string, start: number): number {
  let index = start + 1;
  while (index < json.length && /[-+.eE\d]/.test(json[index] ?? '')) index += 1;
  return index;
}
