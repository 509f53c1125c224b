import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { identifyProcess, isRunning, type ProcessIdentity } from './process-identity.ts';

/** Who holds a lock, since when (ISO, UTC). */
export interface LockHolder extends ProcessIdentity {
  since: string;
}

/** Either the lock, or who has it. */
export type LockAttempt = { taken: true; release: () => void } | { taken: false; holder: LockHolder };

/**
 * Takes a lock file for this process, or says who holds it. A lock whose process has ended is taken over. It works
 * between processes that see each other's pids on one file system.
 */
export function takeProcessLock(path: string): LockAttempt {
  const own = identifyProcess(process.pid);
  if (!own) throw new Error(`cannot read the start time of this process (pid ${process.pid})`);
  const content = JSON.stringify({ ...own, since: new Date().toISOString() } satisfies LockHolder);
  for (;;) {
    if (createLock(path, content)) return { taken: true, release: () => releaseLock(path, content) };
    const found = readText(path);
    if (found === undefined) continue;
    const holder = parseHolder(found);
    if (holder && isRunning(holder)) return { taken: false, holder };
    removeStaleLock(path, found);
  }
}

/** Who holds the lock at this moment, without taking it. */
export function readLockHolder(path: string): LockHolder | undefined {
  const holder = parseHolder(readText(path) ?? '');
  return holder && isRunning(holder) ? holder : undefined;
}

/** A link appears with its content, so nobody ever reads half a lock. */
function createLock(path: string, content: string): boolean {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Whoever else took it over in between gets its lock back. */
function removeStaleLock(path: string, stale: string): void {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  try {
    if (readText(aside) !== stale) linkSync(aside, path);
  } catch {
    // A third process was quicker: it holds the lock now.
  } finally {
    rmSync(aside, { force: true });
  }
}

function releaseLock(path: string, content: string): void {
  if (readText(path) === content) rmSync(path, { force: true });
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parseHolder(text: string): LockHolder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const holder = value as LockHolder;
    return typeof holder.pid === 'number' && typeof holder.startToken === 'string' ? holder : undefined;
  } catch {
    return undefined;
  }
}
