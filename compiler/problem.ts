/** Something an operator got wrong: where it stands, what it is and what would be right. Line and column count from 1. */
export interface Problem {
  file: string;
  line: number;
  column: number;
  /** The key in the frontmatter, such as `schedule.cron`; empty where the file itself is at fault. */
  path: string;
  /** A warning leaves the definition usable; under `--strict` it counts as an error. */
  severity: Severity;
  message: string;
  hint?: string;
}

/** How much a problem weighs. */
export type Severity = 'error' | 'warning';

/** Colours a part of the output; the parts are named, the colours are the caller's. */
export type Paint = (part: 'place' | 'severity' | 'message' | 'source' | 'caret' | 'hint', text: string) => string;

const plain: Paint = (_part, text) => text;

/** A source line longer than this is cut around the caret. */
const widestSource = 160;

/**
 * Writes a problem for a person: `file:line:column: severity: message`, then, where the source is given, its line with
 * a caret, then the hint. No newline at the end.
 */
export function renderProblem(problem: Problem, sourceText?: string, paint: Paint = plain): string {
  const place = paint('place', `${problem.file}:${problem.line}:${problem.column}:`);
  const severity = paint('severity', `${problem.severity}:`);
  const lines = [`${place} ${severity} ${paint('message', showText(problem.message))}`];
  const source = sourceText === undefined ? undefined : findLine(sourceText, problem.line);
  if (source !== undefined && source !== '') lines.push(...renderCaret(source, problem, paint));
  if (problem.hint !== undefined) lines.push(paint('hint', `  hint: ${showText(problem.hint)}`));
  return lines.join('\n');
}

/** Orders problems as a person reads files: by file, then from the top. */
export function compareProblems(left: Problem, right: Problem): number {
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return left.line - right.line || left.column - right.column;
}

function findLine(sourceText: string, line: number): string | undefined {
  return sourceText
    .replace(/^\uFEFF/, '')
    .split('\n')
    [line - 1]?.replace(/\r$/, '');
}

function renderCaret(source: string, problem: Problem, paint: Paint): string[] {
  const start = Math.max(0, problem.column - 1 - widestSource / 2);
  const shown = showText(source.slice(start, start + widestSource));
  const indent = showText(source.slice(start, problem.column - 1)).replaceAll(/[^\t]/g, ' ');
  const gutter = `${problem.line} | `;
  return [
    `  ${gutter}${paint('source', shown)}`,
    `  ${' '.repeat(gutter.length - 2)}| ${indent}${paint('caret', '^')}`,
  ];
}

/** A terminal obeys control characters; what came from a file is only shown. */
function showText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, '\uFFFD');
}
