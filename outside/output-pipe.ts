import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** Two pipes: their ends for a command, as file descriptors, and ours. */
export interface OutputPipes {
  writers: [number, number];
  readers: [Readable, Readable];
  /** As long as we hold them too, no reader sees an end. */
  closeWriters(): void;
}

/** It makes two names. */
const longestMs = 2_000;

/**
 * Opens pipes such as a shell or cron gives to a command. Node's own are sockets, and those nobody can open by the name
 * /dev/stdout or /dev/stderr, as many a script does. Undefined where they cannot be made.
 */
export function openOutputPipes(): OutputPipes | undefined {
  const opened: number[] = [];
  const open = (path: string, flags: number) => {
    const file = openSync(path, flags);
    opened.push(file);
    return file;
  };
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), 'actcore-exec-'));
    const [one, other] = [join(folder, 'stdout'), join(folder, 'stderr')];
    execFileSync('mkfifo', ['-m', '600', one, other], { stdio: 'ignore', timeout: longestMs });
    const [first, second] = [one, other].map((path) => open(path, constants.O_RDONLY | constants.O_NONBLOCK));
    const writers: [number, number] = [open(one, constants.O_WRONLY), open(other, constants.O_WRONLY)];
    const read = (fd = -1) => new Socket({ fd, readable: true, writable: false });
    const readers: [Readable, Readable] = [read(first), read(second)];
    return { writers, readers, closeWriters: () => writers.forEach((fd) => closeSync(fd)) };
  } catch {
    for (const fd of opened) closeSync(fd);
    return undefined;
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}
