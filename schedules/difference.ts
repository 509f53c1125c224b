/** Hashes change with everything else and say nothing to a reader. */
const hashes = new Set(['revision', 'contractHash']);

/** Each leaf in which two JSON values differ, as `path: old -> new`. */
export function listDifferences(before: unknown, after: unknown, path = ''): string[] {
  if (JSON.stringify(before) === JSON.stringify(after) || hashes.has(path)) return [];
  const keys = sharedKeys(before, after);
  if (keys === undefined) return [`${path}: ${describeChange(describeValue(before), describeValue(after))}`];
  const [left, right] = [before as Record<string, unknown>, after as Record<string, unknown>];
  return keys.flatMap((key) => listDifferences(left[key], right[key], joinPath(path, key, Array.isArray(before))));
}

/** A value on one line: ranges of a calendar as in cron, all else as JSON. */
export function describeValue(value: unknown): string {
  if (Array.isArray(value) && value.length > 0 && value.every(isRange)) return value.map(describeRange).join(',');
  return JSON.stringify(value) ?? 'nothing';
}

/** The keys of two records, or of two lists of one length; undefined where the values are compared whole. */
function sharedKeys(before: unknown, after: unknown): string[] | undefined {
  if (Array.isArray(before) && Array.isArray(after)) {
    const isComparable = before.length === after.length && ![...before, ...after].some(isRange);
    return isComparable ? Object.keys(before) : undefined;
  }
  if (!isRecord(before) || !isRecord(after)) return undefined;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])];
}

function joinPath(path: string, key: string, isIndex: boolean): string {
  if (isIndex) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Range {
  start: number;
  end: number;
  step: number;
}

function isRange(value: unknown): value is Range {
  return isRecord(value) && ['start', 'end', 'step'].every((key) => typeof value[key] === 'number');
}

function describeRange({ start, end, step }: Range): string {
  if (start === end) return String(start);
  return step === 1 ? `${start}-${end}` : `${start}-${end}/${step}`;
}

const shownCharacters = 80;
const shownContext = 20;

/** Long values are shown from a little before the place where they begin to differ. */
function describeChange(before: string, after: string): string {
  if (before.length <= shownCharacters && after.length <= shownCharacters) return `${before} -> ${after}`;
  let same = 0;
  while (same < before.length && before[same] === after[same]) same += 1;
  const start = Math.max(0, same - shownContext);
  return `${cut(before, start)} -> ${cut(after, start)}`;
}

function cut(text: string, start: number): string {
  const shown = text.slice(start, start + shownCharacters);
  return `${start > 0 ? '…' : ''}${shown}${start + shown.length < text.length ? '…' : ''}`;
}
