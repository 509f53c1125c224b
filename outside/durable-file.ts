import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Readable for their owner only: what a command printed may be anything. */
const fileMode = 0o600;
/** As a file takes a block at least, its end finds room where there is none left any more. */
export const roomBytes = 4_096;

/** Writes a file that is there whole or not at all, also after the power has failed. `isHasty` leaves the disk out of it. */
export function writeDurably(folder: string, name: string, text: string, isHasty = false): void {
  const draft = join(folder, `${draftPrefix}${process.pid}-${name}`);
  try {
    const file = openSync(draft, 'w', fileMode);
    try {
      writeAll(file, pad(text, roomBytes));
      if (!isHasty) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, join(folder, name));
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  if (!isHasty) syncFolder(folder);
}

/** The start of the name of what is not finished. */
export const draftPrefix = '.draft-';

/** Writes over a file in the room that it has: for a disk that is full. False where the text does not fit. */
export function overwriteInPlace(path: string, text: string): boolean {
  const size = statSync(path).size;
  if (Buffer.byteLength(text) > size) return false;
  const file = openSync(path, 'r+');
  try {
    writeAll(file, pad(text, size));
    fsyncSync(file);
    return true;
  } finally {
    closeSync(file);
  }
}

/** A removal that a power cut undoes leads to a report that is told twice, which does no harm. */
export function removeFile(path: string): void {
  rmSync(path, { force: true });
}

/** The text of a file, or undefined where it is gone. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether there was no room for it: a full disk, a quota, or a limit to the size of files. */
export function isNoRoom(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(String((error as NodeJS.ErrnoException).code));
}

function pad(text: string, size: number): Buffer {
  const bytes = Buffer.from(text);
  return bytes.length >= size ? bytes : Buffer.concat([bytes, Buffer.alloc(size - bytes.length, ' ')]);
}

function writeAll(file: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;)
    written += writeSync(file, bytes, written, bytes.length - written, written);
}

function syncFolder(folder: string): void {
  const opened = openSync(folder, 'r');
  try {
    fsyncSync(opened);
  } catch {
    // Some file systems know no such thing.
  } finally {
    closeSync(opened);
  }
}
