import { readFlow, readScalar, skipRest } from './plain-yaml-value.ts';

/** A line that is neither blank nor a comment alone. */
interface Line {
  indent: number;
  /** Without the indent; blanks at the end are kept. */
  text: string;
  /** Its index among all lines, which a block scalar goes on from. */
  index: number;
}

/** Reading stops where the text leaves the subset. */
class BeyondSubset extends Error {}

const deepest = 16;

/** Line ends other than LF, tabs, controls, marks of byte order and whatever is made of two UTF-16 units. */
// oxlint-disable-next-line no-control-regex
const foreign = /[\x00-\x09\x0b-\x1f\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff]/;

/** A key that YAML 1.2 reads as text, followed by its colon. */
const keyForm = /^([A-Za-z_][A-Za-z0-9_.-]{0,99}):(?: +|$)/;

const notText = /^(null|true|false|__proto__)$/i;

/**
 * Reads the plain YAML that definitions are written in, ten times as fast as a whole YAML parser and without
 * positions. `undefined` means that the text goes beyond this subset, or is wrong: then the whole parser has to look.
 * What it does read, it reads exactly as the whole parser would.
 */
export function readPlainYaml(text: string): Record<string, unknown> | undefined {
  if (foreign.test(text)) return undefined;
  const rows = text.split('\n');
  const lines = listLines(rows);
  try {
    const cursor: Cursor = { rows, lines, at: 0 };
    if (lines[0]?.indent !== 0) return undefined;
    const map = readMap(cursor, 0, 0);
    return cursor.at === lines.length ? map : undefined;
  } catch (error) {
    if (error instanceof BeyondSubset) return undefined;
    throw error;
  }
}

interface Cursor {
  rows: string[];
  lines: Line[];
  at: number;
}

function listLines(rows: string[]): Line[] {
  const lines: Line[] = [];
  for (const [index, row] of rows.entries()) {
    let indent = 0;
    while (row.charCodeAt(indent) === 0x20) indent += 1;
    if (indent < row.length && row[indent] !== '#') lines.push({ indent, text: row.slice(indent), index });
  }
  return lines;
}

function readMap(cursor: Cursor, indent: number, depth: number): Record<string, unknown> {
  if (depth > deepest) throw new BeyondSubset();
  const map: Record<string, unknown> = {};
  for (let line = cursor.lines[cursor.at]; line !== undefined; line = cursor.lines[cursor.at]) {
    if (line.indent < indent) break;
    const match = line.indent === indent ? keyForm.exec(line.text) : null;
    const key = match?.[1];
    if (!match || key === undefined || notText.test(key) || Object.hasOwn(map, key)) throw new BeyondSubset();
    cursor.at += 1;
    map[key] = readValue(cursor, line, line.text.slice(match[0].length), depth);
  }
  return map;
}

function readValue(cursor: Cursor, line: Line, text: string, depth: number): unknown {
  const first = text[0];
  if (first === undefined || first === '#') return readNested(cursor, line.indent, depth);
  if (first === '|' || first === '>') return readBlock(cursor, line, text);
  const value = readLine(text);
  const next = cursor.lines[cursor.at];
  // A deeper line below a value goes on with it.
  if (next !== undefined && next.indent > line.indent) throw new BeyondSubset();
  return value;
}

function readLine(text: string): unknown {
  const read = text[0] === '{' || text[0] === '[' ? readFlow(text) : readScalar(text);
  if (read === undefined || !skipRest(text, read.end)) throw new BeyondSubset();
  return read.value;
}

function readNested(cursor: Cursor, parentIndent: number, depth: number): unknown {
  const next = cursor.lines[cursor.at];
  if (next === undefined || next.indent <= parentIndent) {
    if (next?.text.startsWith('-') === true) throw new BeyondSubset();
    return null;
  }
  return next.text.startsWith('- ') ? readList(cursor, next.indent) : readMap(cursor, next.indent, depth + 1);
}

function readList(cursor: Cursor, indent: number): unknown[] {
  const list: unknown[] = [];
  for (let line = cursor.lines[cursor.at]; line !== undefined; line = cursor.lines[cursor.at]) {
    if (line.indent < indent) break;
    const text = /^- +(?=[^ #|>-])/.exec(line.text);
    if (line.indent > indent || !text) throw new BeyondSubset();
    cursor.at += 1;
    list.push(readLine(line.text.slice(text[0].length)));
  }
  return list;
}

/** A literal block, or a folded one of which every line is folded. */
function readBlock(cursor: Cursor, head: Line, header: string): string {
  const match = /^([|>])(-?) *$/.exec(header);
  const first = cursor.lines[cursor.at];
  if (!match || first === undefined || first.index !== head.index + 1 || first.indent <= head.indent) {
    throw new BeyondSubset();
  }
  const content = listContent(cursor.rows, head, first.indent);
  const isFolded = match[1] === '>';
  if (isFolded && content.some((row) => row === '' || row.startsWith(' '))) throw new BeyondSubset();
  const last = head.index + content.length;
  const isStripped = match[2] === '-';
  // Without a line end behind it, a block that is not stripped has none either.
  if (!isStripped && last === cursor.rows.length - 1) throw new BeyondSubset();
  while ((cursor.lines[cursor.at]?.index ?? Number.POSITIVE_INFINITY) <= last) cursor.at += 1;
  return content.join(isFolded ? ' ' : '\n') + (isStripped ? '' : '\n');
}

/** The lines of a block without their indent, and without the blank ones at its end. */
function listContent(rows: string[], head: Line, indent: number): string[] {
  const content: string[] = [];
  let filled = 0;
  for (const row of rows.slice(head.index + 1)) {
    const depth = row.search(/[^ ]/);
    if (depth === -1) {
      if (row.length > indent) throw new BeyondSubset();
      content.push('');
    } else if (depth >= indent) {
      content.push(row.slice(indent));
      filled = content.length;
    } else {
      if (depth > head.indent) throw new BeyondSubset();
      break;
    }
  }
  return content.slice(0, filled);
}
