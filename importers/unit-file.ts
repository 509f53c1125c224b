import type { Problem } from '../compiler/problem.ts';

/** An assignment of a unit; lines that a backslash continues are one. */
export interface UnitEntry {
  file: string;
  line: number;
  /** Of the value. */
  column: number;
  section: string;
  key: string;
  value: string;
}

/** A unit with its drop-ins, in the order in which systemd reads them. */
export interface Unit {
  entries: UnitEntry[];
  problems: Problem[];
}

/** Reads the files of one unit; see systemd.syntax(7). */
export function readUnit(files: readonly { file: string; text: string }[]): Unit {
  const unit: Unit = { entries: [], problems: [] };
  for (const { file, text } of files) readFile(file, text, unit);
  return unit;
}

/** The values of a setting that is a list: an empty one begins it anew. `keys` share one list. */
export function listValues(unit: Unit, section: string, ...keys: string[]): UnitEntry[] {
  let found: UnitEntry[] = [];
  for (const entry of unit.entries) {
    if (entry.section !== section || !keys.includes(entry.key)) continue;
    found = entry.value === '' ? [] : [...found, entry];
  }
  return found;
}

/** The value of a setting that stands for itself: the last one. */
export function readValue(unit: Unit, section: string, key: string): UnitEntry | undefined {
  return unit.entries.findLast((entry) => entry.section === section && entry.key === key);
}

/** What systemd takes for yes. */
export function isYes(entry: UnitEntry | undefined): boolean {
  return entry !== undefined && /^(1|yes|y|true|t|on)$/i.test(entry.value);
}

function readFile(file: string, text: string, unit: Unit): void {
  const rows = text.replace(/^\uFEFF/, '').split('\n');
  const refuse = (line: number, column: number, message: string, hint?: string): void => {
    const problem = { file, line, column, path: '', severity: 'error' as const, message };
    unit.problems.push(hint === undefined ? problem : { ...problem, hint });
  };
  if (text.includes('\0')) return refuse(1, 1, 'the file holds a NUL byte; expected a unit of systemd');
  let section: string | undefined;
  for (let index = 0; index < rows.length; index += 1) {
    const line = index + 1;
    let row = (rows[index] ?? '').replace(/\r$/, '');
    if (/^\s*([#;]|$)/.test(row)) continue;
    while (row.endsWith('\\') && index + 1 < rows.length) {
      index += 1;
      const next = (rows[index] ?? '').replace(/\r$/, '');
      // A comment within a continued line is passed over.
      if (!/^\s*[#;]/.test(next)) row = `${row.slice(0, -1)} ${next.trimStart()}`;
    }
    const head = /^\s*\[([^\]]+)\]\s*$/.exec(row);
    const assignment = /^(\s*)([A-Za-z][\w-]*)(\s*=\s*)(.*?)\s*$/.exec(row);
    if (head) section = head[1] ?? '';
    else if (!assignment) refuse(line, 1, `\`${row.trim().slice(0, 60)}\` is not \`Key=value\``);
    else if (section === undefined)
      refuse(line, 1, 'it stands before the first section', 'begin with a line such as [Timer]');
    else {
      const [, indent = '', key = '', equals = '', value = ''] = assignment;
      unit.entries.push({ file, line, column: indent.length + key.length + equals.length + 1, section, key, value });
    }
  }
}
