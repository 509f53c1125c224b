import { isDeepStrictEqual } from 'node:util';
import { rowIdKey, writeRowId } from './frontmatter.ts';
import type { RepoFiles } from './workplan-files.ts';
import type { Finding, Workplan, WorkplanStatus } from './workplan.ts';
import type { Task } from './task-blocks.ts';

/** A row of the read model: one workplan with its tasks. */
export interface Workstream {
  id: string;
  workplanId: string;
  path: string;
  title: string;
  status: WorkplanStatus;
  tasks: Task[];
}

/** A file whose row id has to be written into it: the text as read, and as it is to be. */
export interface Writeback {
  path: string;
  before: string;
  after: string;
}

/** What the rules say of one repo: what to report, which rows to store, which files to write. */
export interface Verdict {
  /** True as they stand, whatever is repaired afterwards. */
  findings: Finding[];
  /** Rows to insert or update; `findings` are to be reported once the row is stored. */
  stores: { row: Workstream; findings: Finding[] }[];
  writebacks: Writeback[];
}

/** What the rules need to know beyond the files of the repo. */
export interface Known {
  rows: Workstream[];
  /** `repo: path` of other repos' files by the workplan id that they claim. */
  claimsElsewhere: ReadonlyMap<string, string[]>;
  /** Row ids that belong to other repos. */
  rowIdsElsewhere: ReadonlySet<string>;
  newRowId: () => string;
}

/** Compares the files of one repo with its rows. Pure: the sweep carries out what it says. */
export function judgeRepo(files: RepoFiles, known: Known): Verdict {
  const verdict: Verdict = { findings: [...files.findings], stores: [], writebacks: [] };
  const twice = findDuplicateIds(files.workplans, known.claimsElsewhere);
  const usedRowIds = new Set<string>();
  for (const workplan of files.workplans) {
    const others = workplan.id === null ? undefined : twice.get(workplan.id);
    if (others !== undefined) {
      const where = others.filter((other) => other !== workplan.path).join(', ');
      verdict.findings.push({
        rule: 'C-02',
        message: `${workplan.path}: the id "${workplan.id}" is used by ${where} too`,
      });
    } else if (workplan.id !== null && workplan.status !== null) {
      reconcile(workplan, workplan.id, workplan.status, { files, known, usedRowIds, verdict });
    }
  }
  verdict.findings.push(...findOrphans(files, known.rows, usedRowIds));
  return verdict;
}

/** The paths that share an id, by id; another repo's are `repo: path`. */
function findDuplicateIds(
  workplans: Workplan[],
  elsewhere: ReadonlyMap<string, string[]>,
): ReadonlyMap<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const { id, path } of workplans) if (id !== null) paths.set(id, [...(paths.get(id) ?? []), path]);
  for (const [id, here] of paths) paths.set(id, [...here, ...(elsewhere.get(id) ?? [])]);
  return new Map([...paths].filter(([, all]) => all.length > 1));
}

interface Reconciling {
  files: RepoFiles;
  known: Known;
  usedRowIds: Set<string>;
  verdict: Verdict;
}

function reconcile(workplan: Workplan, workplanId: string, status: WorkplanStatus, context: Reconciling): void {
  const { verdict } = context;
  const row = findRow(workplan, workplanId, context);
  const wanted: Workstream = {
    id: row?.id ?? chooseRowId(workplan, context),
    workplanId,
    path: workplan.path,
    title: workplan.title,
    status,
    tasks: workplan.tasks ?? row?.tasks ?? [],
  };
  context.usedRowIds.add(wanted.id);
  if (row === undefined) {
    const made: Finding = { rule: 'C-05', message: `${workplan.path}: ${workplanId} had no row; the row is made` };
    verdict.stores.push({ row: wanted, findings: [made] });
  } else if (!isDeepStrictEqual(row, wanted)) {
    verdict.stores.push({ row: wanted, findings: compareStatuses(row, wanted) });
  }
  if (workplan.rowId === wanted.id) return;
  const after = writeRowId(workplan.text, wanted.id);
  if (after === null) {
    const message = `${workplan.path}: ${rowIdKey} cannot be written into this frontmatter; write ${wanted.id} by hand`;
    verdict.findings.push({ rule: 'C-15', message });
  } else verdict.writebacks.push({ path: workplan.path, before: workplan.text, after });
}

/** The row of this workplan id, or the row that the file names while no file claims that row's workplan id (a new id). */
function findRow(workplan: Workplan, workplanId: string, { files, known }: Reconciling): Workstream | undefined {
  const byWorkplanId = known.rows.find((row) => row.workplanId === workplanId);
  if (byWorkplanId !== undefined || workplan.rowId === null) return byWorkplanId;
  const named = known.rows.find((row) => row.id === workplan.rowId);
  const sharers = files.workplans.filter((other) => other.rowId === workplan.rowId);
  const claimed = files.workplans.some((other) => other.id === named?.workplanId);
  return claimed || sharers.length > 1 ? undefined : named;
}

/** The id in the file where it is free, so that a read model that was lost is made again with the same ids. */
function chooseRowId(workplan: Workplan, { known, usedRowIds }: Reconciling): string {
  const { rowId } = workplan;
  const taken =
    rowId === null ||
    usedRowIds.has(rowId) ||
    known.rowIdsElsewhere.has(rowId) ||
    known.rows.some((row) => row.id === rowId);
  return taken ? known.newRowId() : rowId;
}

function compareStatuses(row: Workstream, file: Workstream): Finding[] {
  const say = (what: string, was: string, is: string): Finding => ({
    rule: 'C-07',
    message: `${file.path}: ${what} is ${is} in the file and was ${was} in the row; the row is updated`,
  });
  const findings = row.status === file.status ? [] : [say(`the status of ${file.workplanId}`, row.status, file.status)];
  for (const task of file.tasks) {
    const was = row.tasks.find((old) => old.id === task.id)?.status;
    if (was !== undefined && was !== task.status) findings.push(say(`the status of task ${task.id}`, was, task.status));
  }
  return findings;
}

/** Rows that no file stands for; a file that is there and cannot be read still stands for the row of its path or id. */
function findOrphans(files: RepoFiles, rows: Workstream[], usedRowIds: ReadonlySet<string>): Finding[] {
  const ids = new Set(files.workplans.map((workplan) => workplan.id));
  const readable = new Set(files.workplans.filter(({ id }) => id !== null).map(({ path }) => path));
  const orphaned = (row: Workstream): boolean =>
    !usedRowIds.has(row.id) &&
    !ids.has(row.workplanId) &&
    !(files.paths.includes(row.path) && !readable.has(row.path)) &&
    row.status !== 'archived';
  return rows
    .filter(orphaned)
    .map((row) => ({ rule: 'C-06', message: `${row.path}: the row of ${row.workplanId} has no file` }));
}
