import { GitError, runGit } from './git.ts';

/** Where a clone stands: its branch, and what that branch follows. */
export interface Upstream {
  branch: string;
  remote: string;
  /** Full name of the branch at the remote, such as refs/heads/main. */
  remoteRef: string;
}

/** Whether a clone may be pulled and written to (rule C-16); `reason` is what a person has to settle first. */
export type Gate = { open: true; upstream: Upstream; newCommits: number } | { open: false; reason: string };

/**
 * Pulls a clone when the gate is open: a branch that follows a remote one, nothing uncommitted, no commits of its own.
 * A closed gate leaves branch, index and files as they are. Throws GitError where git itself fails.
 */
export async function pullClone(path: string, signal: AbortSignal): Promise<Gate> {
  const upstream = await readUpstream(path, signal);
  if ('reason' in upstream) return { open: false, reason: upstream.reason };
  const changes = await countChanges(path, signal);
  if (changes > 0) return closeForChanges(changes);

  await runGit(['fetch', '--quiet', '--no-tags', '--no-recurse-submodules', upstream.remote], { cwd: path, signal });
  const counts = await runGit(['rev-list', '--left-right', '--count', 'HEAD...@{upstream}'], { cwd: path, signal });
  const [own = 0, newCommits = 0] = counts.split('\t').map(Number);
  if (own > 0) return { open: false, reason: `it has ${own} commit(s) that are not pushed` };
  if (newCommits > 0 && !(await forward(path, '@{upstream}'))) return closeForChanges(await countChanges(path, signal));
  return { open: true, upstream, newCommits };
}

/**
 * Moves branch and files forward to a commit. Never killed by a deadline: stopped in the middle it would leave a clone
 * that looks as if a person had changed it. False where changes made meanwhile are in the way.
 */
export async function forward(path: string, commit: string): Promise<boolean> {
  const own = { cwd: path, signal: new AbortController().signal };
  try {
    await runGit(['merge', '--ff-only', '--quiet', commit], own);
    return true;
  } catch (error) {
    if ((await countChanges(path, own.signal)) > 0) return false;
    throw error;
  }
}

async function readUpstream(path: string, signal: AbortSignal): Promise<Upstream | { reason: string }> {
  const top = await runGit(['rev-parse', '--show-cdup'], { cwd: path, signal });
  if (top !== '') throw new GitError(`${path} is no clone of its own`, '', null);
  const branch = await runGit(['branch', '--show-current'], { cwd: path, signal });
  if (branch === '') return { reason: 'no branch is checked out' };
  const format = '--format=%(upstream:remotename)%09%(upstream:remoteref)';
  const line = await runGit(['for-each-ref', format, `refs/heads/${branch}`], { cwd: path, signal });
  const [remote = '', remoteRef = ''] = line.split('\t');
  if (remote === '' || remoteRef === '') return { reason: `its branch ${branch} follows no remote branch` };
  return { branch, remote, remoteRef };
}

async function countChanges(path: string, signal: AbortSignal): Promise<number> {
  const status = await runGit(['status', '--porcelain'], { cwd: path, signal });
  return status === '' ? 0 : status.split('\n').length;
}

function closeForChanges(changes: number): Gate {
  return { open: false, reason: `it has ${changes} uncommitted change(s)` };
}
