import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readWorkplan, unreadable, type Finding, type Workplan } from './workplan.ts';

/** Everything a repo's working tree says about its workplans. */
export interface RepoFiles {
  /** Paths of all workplan files, the unreadable ones too. */
  paths: string[];
  workplans: Workplan[];
  findings: Finding[];
}

const largestFileBytes = 256 * 1024;

/**
 * Reads `workplans/*.md` of a clone, without `workplans/README.md`. Links are reported and not followed: a file of a
 * repo must not make the sweep read what lies outside of it. A repo without the folder has no workplans.
 */
export async function readRepoFiles(clonePath: string, signal: AbortSignal): Promise<RepoFiles> {
  const files: RepoFiles = { paths: [], workplans: [], findings: [] };
  for (const path of await listWorkplanPaths(clonePath, files.findings)) {
    signal.throwIfAborted();
    files.paths.push(path);
    const content = await readText(join(clonePath, path));
    const read =
      'text' in content
        ? readWorkplan(path, content.text)
        : { workplan: null, findings: [unreadable(path, content.problem)] };
    if (read.workplan !== null) files.workplans.push(read.workplan);
    files.findings.push(...read.findings);
  }
  return files;
}

async function listWorkplanPaths(clonePath: string, findings: Finding[]): Promise<string[]> {
  const folder = join(clonePath, 'workplans');
  const stat = await lstat(folder).catch(() => null);
  if (stat === null) return [];
  if (!stat.isDirectory()) {
    findings.push(unreadable('workplans', 'it is not a folder; links are not followed'));
    return [];
  }
  const names = await readdir(folder);
  return names
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .sort()
    .map((name) => `workplans/${name}`);
}

async function readText(file: string): Promise<{ text: string } | { problem: string }> {
  const stat = await lstat(file);
  if (!stat.isFile()) return { problem: 'it is not a file; links are not followed' };
  if (stat.size > largestFileBytes)
    return { problem: `it has ${stat.size} bytes; ${largestFileBytes} are read at most` };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file)) };
  } catch {
    return { problem: 'it is not UTF-8 text' };
  }
}
