import { quote, readFrontmatter, rowIdKey } from './frontmatter.ts';
import { isLine, readTaskBlocks, type Task } from './task-blocks.ts';

/** What a workplan may be in; `archived` also silences C-06, a row without file. */
export const workplanStatuses = ['proposed', 'active', 'blocked', 'done', 'archived'] as const;
export type WorkplanStatus = (typeof workplanStatuses)[number];

/** The rules of the sweep; README.md says which are repaired and which stand until a person acts. */
export type Rule = 'C-00' | 'C-01' | 'C-02' | 'C-03' | 'C-04' | 'C-05' | 'C-06' | 'C-07' | 'C-15' | 'C-16';

/** Something a rule found, without the repo it was found in. */
export interface Finding {
  rule: Rule;
  message: string;
}

/** What is in one file; a part that cannot be read is null, and its finding says why. */
export interface Workplan {
  path: string;
  text: string;
  id: string | null;
  title: string;
  status: WorkplanStatus | null;
  tasks: Task[] | null;
  /** The row id that stands in the file; null where there is none or it is no UUID. */
  rowId: string | null;
}

const idPattern = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads one workplan file; the workplan is null when its frontmatter is unreadable (C-01). */
export function readWorkplan(path: string, text: string): { workplan: Workplan | null; findings: Finding[] } {
  const front = readFrontmatter(text);
  if (!front.ok) return { workplan: null, findings: [unreadable(path, front.message)] };
  const { id, title, status, [rowIdKey]: rowId } = front.data;
  if (!isLine(title))
    return { workplan: null, findings: [unreadable(path, 'the title is missing or no line of text')] };

  const findings: Finding[] = [];
  const knownId = typeof id === 'string' && idPattern.test(id) ? id : null;
  if (knownId === null) findings.push({ rule: 'C-02', message: `${path}: ${describeBadId(id)}` });
  const knownStatus = workplanStatuses.find((name) => name === status) ?? null;
  if (knownStatus === null) findings.push({ rule: 'C-03', message: `${path}: ${describeBadStatus(status)}` });
  const { tasks, problems } = readTaskBlocks(front.body, front.bodyLine);
  findings.push(...problems.map((problem): Finding => ({ rule: 'C-04', message: `${path}: ${problem}` })));

  const workplan: Workplan = {
    path,
    text,
    id: knownId,
    title,
    status: knownStatus,
    tasks: problems.length === 0 ? tasks : null,
    rowId: typeof rowId === 'string' && uuidPattern.test(rowId) ? rowId : null,
  };
  return { workplan, findings };
}

/** The C-01 finding of a file, whether its text or the file itself cannot be read. */
export function unreadable(path: string, why: string): Finding {
  return { rule: 'C-01', message: `${path}: ${why}` };
}

function describeBadId(id: unknown): string {
  if (id === undefined || id === null) return 'the id is missing';
  return `the id ${quote(id)} is not one; an id is a text like WP-0007`;
}

function describeBadStatus(status: unknown): string {
  const allowed = `a workplan is ${workplanStatuses.join(', ')}`;
  return status === undefined || status === null
    ? `the status is missing; ${allowed}`
    : `the status ${quote(status)} is unknown; ${allowed}`;
}
