import { describeYamlError, isMapping, quote, readYaml } from './frontmatter.ts';

/** What a task may be in. */
export const taskStatuses = ['todo', 'in_progress', 'done'] as const;
export type TaskStatus = (typeof taskStatuses)[number];

/** One task of a workplan, as its block says it. */
export interface Task {
  id: string;
  title: string;
  status: TaskStatus;
}

interface Block {
  text: string;
  /** Line of the opening fence, counted from 1 in the file. */
  line: number;
  closed: boolean;
}

/** Reads all ```task blocks of a body; `problems` are sentences with the block's line (rule C-04). */
export function readTaskBlocks(body: string, bodyLine: number): { tasks: Task[]; problems: string[] } {
  const tasks: Task[] = [];
  const problems: string[] = [];
  for (const block of findTaskBlocks(body, bodyLine)) {
    const read = readTask(block);
    if ('problem' in read) problems.push(`task block at line ${block.line}: ${read.problem}`);
    else if (tasks.some((task) => task.id === read.task.id)) {
      problems.push(`task block at line ${block.line}: the task id ${quote(read.task.id)} is used twice in this file`);
    } else tasks.push(read.task);
  }
  return { tasks, problems };
}

/** Blocks fenced as CommonMark fences them, so that a task shown inside a longer fence is an example and no task. */
function findTaskBlocks(body: string, bodyLine: number): Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; task: Block | null } | null = null;
  for (const [index, line] of body.split(/\r?\n/).entries()) {
    const fence = /^ {0,3}(`{3,}|~{3,})[ \t]*(.*)$/.exec(line);
    const [marks, info] = [fence?.[1] ?? '', (fence?.[2] ?? '').trim()];
    if (open === null) {
      if (marks === '' || (marks.startsWith('`') && info.includes('`'))) continue;
      const isTask = info.split(/\s+/, 1)[0] === 'task';
      open = { fence: marks, task: isTask ? { text: '', line: bodyLine + index, closed: false } : null };
      if (open.task !== null) blocks.push(open.task);
    } else if (marks.startsWith(open.fence) && info === '') {
      if (open.task !== null) open.task.closed = true;
      open = null;
    } else if (open.task !== null) open.task.text += `${line}\n`;
  }
  return blocks;
}

function readTask(block: Block): { task: Task } | { problem: string } {
  if (!block.closed) return { problem: 'it is not closed' };
  let data: unknown;
  try {
    data = readYaml(block.text);
  } catch (error) {
    return { problem: describeYamlError(error, block.line) };
  }
  if (!isMapping(data)) return { problem: 'it is not a mapping with id, title and status' };
  const { id, title, status } = data;
  if (!isLine(id)) return { problem: 'its id is missing or no line of text' };
  if (!isLine(title)) return { problem: 'its title is missing or no line of text' };
  const known = taskStatuses.find((name) => name === status);
  if (known === undefined) {
    return { problem: `its status is ${quote(status)}; a task is ${taskStatuses.join(', ')}` };
  }
  return { task: { id, title, status: known } };
}

/** A text that a row can hold: not empty, at most 500 characters, no control characters. */
export function isLine(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= 500 && !/\p{Cc}/u.test(value);
}
