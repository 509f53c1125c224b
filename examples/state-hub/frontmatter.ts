import matter from 'gray-matter';
import { parse, YAMLParseError } from 'yaml';

/** The frontmatter key that holds the id of the row, written back by the sweep (rule C-15). */
export const rowIdKey = 'state_hub_workstream_id';

/** A workplan's text in its two parts, or a sentence saying why it has no readable frontmatter. */
export type FrontmatterReading =
  { ok: true; data: Record<string, unknown>; body: string; bodyLine: number } | { ok: false; message: string };

const openingLine = /^---[ \t]*(?:ya?ml)?[ \t]*\r?\n/;

/** Splits a text and reads its YAML; every other language after `---` is refused, so that nothing is ever evaluated. */
export function readFrontmatter(text: string): FrontmatterReading {
  const firstLine = text.slice(0, 80).split(/\r?\n/, 1)[0] ?? '';
  if (text.startsWith('\uFEFF'))
    return { ok: false, message: 'line 1: a byte order mark stands before the frontmatter' };
  if (!firstLine.startsWith('---'))
    return { ok: false, message: 'line 1: there is no frontmatter; it begins with ---' };
  if (!openingLine.test(text)) {
    return { ok: false, message: `line 1: frontmatter in ${quote(firstLine)} is not read; only YAML is, after ---` };
  }
  if (findClosing(text) === null) return { ok: false, message: 'the frontmatter is not closed by a line of ---' };
  try {
    const file = matter(text, { language: 'yaml', engines: { yaml: readYaml, javascript: refuse, json: refuse } });
    if (!isMapping(file.data)) return { ok: false, message: 'the frontmatter is not a mapping of keys to values' };
    const bodyLine = text.slice(0, text.length - file.content.length).split('\n').length;
    return { ok: true, data: file.data, body: file.content, bodyLine };
  } catch (error) {
    return { ok: false, message: describeYamlError(error, 0) };
  }
}

/**
 * The text with the row's id in its frontmatter and everything else as it stood, to the byte. Null where the id cannot
 * be put in by a line of its own (a mapping in braces, an alias as a key).
 */
export function writeRowId(text: string, rowId: string): string | null {
  const opening = openingLine.exec(text);
  const closing = findClosing(text);
  if (opening === null || closing === null) return null;
  const lineEnd = opening[0].endsWith('\r\n') ? '\r\n' : '\n';
  const block = text.slice(opening[0].length, closing);
  const line = `${rowIdKey}: ${rowId}`;
  const present = new RegExp(`^${rowIdKey}[ \\t]*:[^\\r\\n]*`, 'm');
  const edited = present.test(block) ? block.replace(present, line) : `${block}${line}${lineEnd}`;
  const written = opening[0] + edited + text.slice(closing);
  return holdsOnlyThatChange(text, written, rowId) ? written : null;
}

/** One sentence for a YAML fault; lines are counted from `linesBefore` lines above the YAML. */
export function describeYamlError(error: unknown, linesBefore: number): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof YAMLParseError)) return error.message;
  const sentence = error.message.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? error.code;
  const line = error.linePos?.[0].line;
  return line === undefined ? sentence : `line ${line + linesBefore}: ${sentence}`;
}

/** Parses YAML 1.2; throws on the first fault. */
export function readYaml(text: string): Record<string, unknown> {
  return parse(text, { logLevel: 'error' }) as Record<string, unknown>;
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as an operator may see it in a message: quoted, and cut. */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return `"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`;
}

function refuse(): never {
  throw new Error('only YAML frontmatter is read');
}

/** Offset of the closing line; like gray-matter, the first line that begins with ---, which must hold nothing else. */
function findClosing(text: string): number | null {
  const at = text.indexOf('\n---', 3);
  if (at === -1) return null;
  const rest = text.slice(at + 4).split('\n', 1)[0] ?? '';
  return rest.trim() === '' ? at + 1 : null;
}

function holdsOnlyThatChange(before: string, after: string, rowId: string): boolean {
  const [old, next] = [readFrontmatter(before), readFrontmatter(after)];
  if (!old.ok || !next.ok || old.body !== next.body) return false;
  return JSON.stringify({ ...old.data, [rowIdKey]: rowId }) === JSON.stringify({ ...next.data });
}
