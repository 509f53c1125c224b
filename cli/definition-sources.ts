import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { SourceFile } from '../compiler/compile-files.ts';
import type { Problem } from '../compiler/problem.ts';
import { deadLink, describeFailure, faultOf, notRegular } from './source-fault.ts';
import { listSources } from './source-listing.ts';
import type { ListedFile } from './source-listing.ts';

/** Definition files as read from disk, and a problem for each that could not be. */
export interface SourceSet {
  files: SourceFile[];
  problems: Problem[];
}

/** No definition is near this size, and the server takes no more than that for a schedule. */
const largestBytes = 1_048_576;

/** After as many files an interrupt is heard. */
const batchSize = 500;

/** A pipe that nobody writes to is opened all the same, and a link that came since the listing is not. */
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/** Reads files and folders: the `.md` files below them. Links are followed within a folder, and never out of it. */
export async function readSources(paths: string[]): Promise<SourceSet> {
  const set: SourceSet = { files: [], problems: [] };
  const listed = new Map<string, ListedFile>();
  for (const path of paths) {
    const { files, problems } = listSources(path);
    for (const one of files) listed.set(resolve(one.file), one);
    set.problems.push(...problems);
  }
  // One buffer for all, and no round trip through a thread for each: half the time of reading them at once.
  const buffer = Buffer.allocUnsafe(largestBytes + 1);
  let count = 0;
  for (const one of listed.values()) {
    const source = readSource(one, buffer);
    if ('text' in source) set.files.push(source);
    else set.problems.push(source);
    count += 1;
    if (count % batchSize === 0) await setImmediate();
  }
  return set;
}

function readSource({ file, target }: ListedFile, buffer: Buffer): SourceFile | Problem {
  try {
    const descriptor = openSync(target, openFlags);
    try {
      return readOpened(file, descriptor, buffer);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return faultOf(file, describeFailure(error, deadLink));
  }
}

function readOpened(file: string, descriptor: number, buffer: Buffer): SourceFile | Problem {
  const info = fstatSync(descriptor);
  if (info.isDirectory()) return faultOf(file, 'cannot be read: it is a folder with the name of a definition');
  if (!info.isFile()) return faultOf(file, notRegular);
  let length = 0;
  for (let read = -1; read !== 0 && length < buffer.length; length += read) {
    read = readSync(descriptor, buffer, length, buffer.length - length, null);
  }
  if (length > largestBytes) return faultOf(file, `cannot be read: it is larger than ${largestBytes} bytes`);
  const bytes = buffer.subarray(0, length);
  return isUtf8(bytes) ? { file, text: bytes.toString('utf8') } : locateBadByte(file, bytes);
}

function locateBadByte(file: string, bytes: Buffer): Problem {
  const lines = bytes.toString('latin1').split('\n');
  const index = lines.findIndex((line) => !isUtf8(Buffer.from(line, 'latin1')));
  const decoded = Buffer.from(lines[index] ?? '', 'latin1').toString('utf8');
  const problem = faultOf(file, 'cannot be read: it is not UTF-8', 'save the file as UTF-8');
  return { ...problem, line: index + 1, column: decoded.indexOf('\uFFFD') + 1 };
}
