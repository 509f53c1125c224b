import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning } from '../dev/process-identity.ts';
import type { ProcessIdentity } from '../dev/process-identity.ts';
import { takeProcessLock } from '../dev/process-lock.ts';
import { readIfThere, removeFile, writeDurably } from './durable-file.ts';

/** Who is at work. */
export interface WorkHolder {
  pid: number;
  since: string;
  /** Its exec was killed, and left the command running. */
  isOrphan: boolean;
  /** ISO; absent where it is not known. */
  scheduledAt?: string;
}

/** Either the right to run, or who is at work. */
export type WorkLock =
  { taken: true; note: (work: Work) => void; release: () => void } | { taken: false; holder: WorkHolder };

/** What the holder of the lock is at. */
interface Work {
  since: string;
  scheduledAt?: string;
  command?: ProcessIdentity;
}

/**
 * Takes the lock of a definition and source on this machine, which dies with its process: an exec that was killed holds
 * it for as long as its command goes on.
 */
export function takeWorkLock(folder: string, definitionId: string, source: string): WorkLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const key = createHash('sha256').update(`${definitionId}\n${source}`).digest('hex').slice(0, 24);
  const noteName = `${key}.work`;
  const notePath = join(folder, noteName);
  const lock = takeProcessLock(join(folder, `${key}.lock`));
  const work = readWork(notePath);
  const tick = work?.scheduledAt === undefined ? {} : { scheduledAt: work.scheduledAt };
  if (!lock.taken) {
    const { pid, since } = lock.holder;
    return { taken: false, holder: { pid, since, isOrphan: false, ...tick } };
  }
  if (work?.command !== undefined && isRunning(work.command)) {
    lock.release();
    return { taken: false, holder: { pid: work.command.pid, since: work.since, isOrphan: true, ...tick } };
  }
  removeFile(notePath);
  const note = (now: Work) => writeDurably(folder, noteName, JSON.stringify(now), true);
  const release = () => {
    removeFile(notePath);
    lock.release();
  };
  return { taken: true, note, release };
}

function readWork(path: string): Work | undefined {
  try {
    return JSON.parse(readIfThere(path) ?? '') as Work;
  } catch {
    return undefined;
  }
}
