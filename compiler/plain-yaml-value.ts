/** A value and the index behind it. */
export interface ReadValue {
  value: unknown;
  end: number;
}

/** What a plain scalar of a line may begin with; all else is an indicator, a number or a rarity. */
const plainStart = /[A-Za-z_$/(<=]/;

/** What a plain scalar inside brackets may be made of; a colon only before what cannot end it. */
const flowPlain =
  /[A-Za-z_0-9/](?:[A-Za-z_0-9./*+=<>()^%;$@-]|:(?=[A-Za-z_0-9/]))*(?: +(?:[A-Za-z_0-9./*+=<>()^%;$@-]|:(?=[A-Za-z_0-9/]))+)*/y;

const flowKey = /([A-Za-z_][A-Za-z0-9_.-]{0,99}): +/y;

/** Reads a scalar that ends with its line or before a comment; `undefined` where it is not a simple one. */
export function readScalar(text: string): ReadValue | undefined {
  const first = text[0] ?? '';
  if (first === '"' || first === "'") return readQuoted(text, 0);
  const comment = text.indexOf(' #');
  let end = comment === -1 ? text.length : comment;
  while (end > 0 && text.charCodeAt(end - 1) === 0x20) end -= 1;
  const plain = text.slice(0, end);
  if (plain.includes(': ') || plain.endsWith(':')) return undefined;
  if (!plainStart.test(first) && !/[0-9]/.test(first)) return undefined;
  return resolvePlain(plain, end);
}

/** Reads `{ key: value }` or `[value, value]` that closes on its line. */
export function readFlow(text: string, start = 0, depth = 0): ReadValue | undefined {
  if (depth > 8) return undefined;
  return text[start] === '{' ? readFlowMap(text, start, depth) : readFlowList(text, start, depth);
}

/** Whether nothing but blanks and a comment stands behind an index. */
export function skipRest(text: string, end: number): boolean {
  return end >= text.length || /^ *$|^ +#/.test(text.slice(end));
}

function readFlowMap(text: string, start: number, depth: number): ReadValue | undefined {
  const map: Record<string, unknown> = {};
  let at = skipBlanks(text, start + 1);
  if (text[at] === '}') return { value: map, end: at + 1 };
  for (;;) {
    flowKey.lastIndex = at;
    const match = flowKey.exec(text);
    const key = match?.[1];
    if (!match || key === undefined || Object.hasOwn(map, key)) return undefined;
    if (/^(null|true|false|__proto__)$/i.test(key)) return undefined;
    const item = readFlowValue(text, at + match[0].length, depth);
    if (!item) return undefined;
    map[key] = item.value;
    at = skipBlanks(text, item.end);
    if (text[at] === '}') return { value: map, end: at + 1 };
    if (text[at] !== ',') return undefined;
    at = skipBlanks(text, at + 1);
  }
}

function readFlowList(text: string, start: number, depth: number): ReadValue | undefined {
  const list: unknown[] = [];
  let at = skipBlanks(text, start + 1);
  if (text[at] === ']') return { value: list, end: at + 1 };
  for (;;) {
    const item = readFlowValue(text, at, depth);
    if (!item) return undefined;
    list.push(item.value);
    at = skipBlanks(text, item.end);
    if (text[at] === ']') return { value: list, end: at + 1 };
    if (text[at] !== ',') return undefined;
    at = skipBlanks(text, at + 1);
  }
}

function readFlowValue(text: string, start: number, depth: number): ReadValue | undefined {
  const first = text[start];
  if (first === '{' || first === '[') return readFlow(text, start, depth + 1);
  if (first === '"' || first === "'") return readQuoted(text, start);
  flowPlain.lastIndex = start;
  const plain = flowPlain.exec(text)?.[0];
  return plain === undefined ? undefined : resolvePlain(plain, start + plain.length);
}

/** Text in quotes without escapes of either kind. */
function readQuoted(text: string, start: number): ReadValue | undefined {
  const quote = text[start] ?? '"';
  const close = text.indexOf(quote, start + 1);
  if (close === -1 || text[close + 1] === quote) return undefined;
  const value = text.slice(start + 1, close);
  return quote === '"' && value.includes('\\') ? undefined : { value, end: close + 1 };
}

/** Numbers other than short whole ones are left to the whole parser. */
function resolvePlain(plain: string, end: number): ReadValue | undefined {
  const code = plain.charCodeAt(0);
  if (code >= 0x30 && code <= 0x39) {
    if (/^(0|[1-9]\d{0,14})$/.test(plain)) return { value: Number(plain), end };
    return /^\d[\d.]*([eE][-+]?\d*)?$|^0[xo]/.test(plain) ? undefined : { value: plain, end };
  }
  switch (plain) {
    case 'null':
    case 'Null':
    case 'NULL':
      return { value: null, end };
    case 'true':
    case 'True':
    case 'TRUE':
      return { value: true, end };
    case 'false':
    case 'False':
    case 'FALSE':
      return { value: false, end };
    default:
      return { value: plain, end };
  }
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) === 0x20) at += 1;
  return at;
}
