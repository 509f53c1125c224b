import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forward, pullClone, type Upstream } from './clone.ts';
import { GitError, runGit } from './git.ts';
import type { Writeback } from './rules.ts';

/** What became of the writebacks of one repo; `rejected` is why the remote did not take them. */
export interface WritebackResult {
  written: Writeback[];
  rejected: string | null;
}

const pushAttempts = 3;

/**
 * Commits the texts and pushes them, the remote first: the commit is made beside the working tree, pushed, and only
 * then does the clone move forward to it. So a rejected push, or a death at any point, leaves the clone as it was.
 * A file that changed since it was read is left for the next sweep. Throws GitError where git itself fails.
 */
export async function writeBack(
  path: string,
  upstream: Upstream,
  writebacks: Writeback[],
  signal: AbortSignal,
): Promise<WritebackResult> {
  for (let attempt = 1; ; attempt += 1) {
    const current = await keepUnchanged(path, writebacks, signal);
    if (current.length === 0) return { written: [], rejected: null };
    const commit = await makeCommit(path, current, signal);
    const rejected = await push(path, upstream, commit, signal);
    if (rejected === null) {
      await forward(path, commit);
      return { written: current, rejected };
    }
    if (attempt === pushAttempts) return { written: [], rejected };
    const gate = await pullClone(path, signal);
    if (!gate.open || gate.newCommits === 0) return { written: [], rejected };
  }
}

/** The writebacks whose file is in HEAD, to the byte, what the sweep has read. */
async function keepUnchanged(path: string, writebacks: Writeback[], signal: AbortSignal): Promise<Writeback[]> {
  const kept: Writeback[] = [];
  for (const writeback of writebacks) {
    const text = await readFile(join(path, writeback.path), 'utf8').catch(() => null);
    if (text !== writeback.before) continue;
    const read = await hashBlob(path, writeback.path, writeback.before, signal);
    const head = await readTreeEntry(path, writeback.path, signal);
    if (read === head.blob) kept.push(writeback);
  }
  return kept;
}

/** A commit on top of HEAD, made in an index of its own. */
async function makeCommit(path: string, writebacks: Writeback[], signal: AbortSignal): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'state-hub-index-'));
  const command = { cwd: path, signal, env: { GIT_INDEX_FILE: join(folder, 'index') } };
  try {
    await runGit(['read-tree', 'HEAD'], command);
    const entries: string[] = [];
    for (const { path: file, after } of writebacks) {
      const { mode } = await readTreeEntry(path, file, signal);
      entries.push(`${mode} ${await hashBlob(path, file, after, signal)}\t${file}\0`);
    }
    await runGit(['update-index', '-z', '--index-info'], { ...command, input: entries.join('') });
    const tree = await runGit(['write-tree'], command);
    const subject = `Write State Hub ids into ${writebacks.length} workplan(s)`;
    return await runGit(['commit-tree', tree, '-p', 'HEAD', '-m', subject], command);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Mode and blob of a file in HEAD; both empty where HEAD has no such file. */
async function readTreeEntry(path: string, file: string, signal: AbortSignal): Promise<{ mode: string; blob: string }> {
  const line = await runGit(['ls-tree', 'HEAD', file], { cwd: path, signal });
  const [mode = '', , blob = ''] = line.split(/[ \t]/);
  return { mode, blob };
}

async function hashBlob(path: string, file: string, text: string, signal: AbortSignal): Promise<string> {
  return runGit(['hash-object', '-w', `--path=${file}`, '--stdin'], { cwd: path, signal, input: text });
}

/** Null when pushed, else why the remote did not take it; worth another attempt when the remote has moved meanwhile. */
async function push(path: string, upstream: Upstream, commit: string, signal: AbortSignal): Promise<string | null> {
  try {
    const refspec = `${commit}:${upstream.remoteRef}`;
    await runGit(['push', '--porcelain', '--no-verify', upstream.remote, refspec], { cwd: path, signal });
    return null;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    const line = error.stdout.split('\n').find((candidate) => candidate.startsWith('!'));
    if (line === undefined) throw error;
    return `the push was rejected: ${line.split('\t').at(-1) ?? line}`;
  }
}
