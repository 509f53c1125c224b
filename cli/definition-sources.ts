import { isUtf8 } from 'node:buffer';
import { readFile, readdir, realpath, stat } from 'node:fs/promises';
import { join, normalize, resolve } from 'node:path';
import type { SourceFile } from '../compiler/compile-files.ts';
import type { Problem } from '../compiler/problem.ts';

/** Definition files as read from disk, and a problem for each that could not be. */
export interface SourceSet {
  files: SourceFile[];
  problems: Problem[];
}

/** No definition is near this size, and the server takes no more than that for a schedule. */
const largestBytes = 1_048_576;

/**
 * Reads files and folders: the `.md` files below them, README.md aside. Entries whose name begins with a dot are
 * passed over, as a mounted ConfigMap holds its files twice, once behind `..data`.
 */
export async function readSources(paths: string[]): Promise<SourceSet> {
  const set: SourceSet = { files: [], problems: [] };
  const found = new Map<string, string>();
  for (const path of paths) {
    const listed = await listDefinitions(path);
    if (Array.isArray(listed)) for (const file of listed) found.set(resolve(file), file);
    else set.problems.push(listed);
  }
  for (const file of found.values()) {
    const source = await readSource(file);
    if ('text' in source) set.files.push(source);
    else set.problems.push(source);
  }
  return set;
}

async function listDefinitions(path: string): Promise<string[] | Problem> {
  try {
    if (!(await stat(path)).isDirectory()) return [normalize(path)];
    const files = await walkFolder(normalize(path), new Set());
    if (files.length > 0) return files;
    return faultOf(path, 'there is no definition (*.md) in this folder', 'see README.md for the format of one');
  } catch (error) {
    if (!isMissing(error)) return faultOf(path, describeFailure(error));
    return faultOf(path, 'there is no such file or folder', 'name the folder of the definitions, or files of it');
  }
}

/** Follows links to folders, each folder once. */
async function walkFolder(folder: string, seen: Set<string>): Promise<string[]> {
  const real = await realpath(folder);
  if (seen.has(real)) return [];
  seen.add(real);
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.') && name !== 'README.md').sort();
  const files: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    if (name.endsWith('.md')) files.push(path);
    else if (await isFolder(path)) files.push(...(await walkFolder(path, seen)));
  }
  return files;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

async function readSource(file: string): Promise<SourceFile | Problem> {
  try {
    const info = await stat(file);
    if (info.isDirectory()) return faultOf(file, 'cannot be read: it is a folder with the name of a definition');
    if (!info.isFile()) return faultOf(file, 'cannot be read: it is not a regular file');
    if (info.size > largestBytes) return faultOf(file, `cannot be read: it is larger than ${largestBytes} bytes`);
    const bytes = await readFile(file);
    return isUtf8(bytes) ? { file, text: bytes.toString('utf8') } : locateBadByte(file, bytes);
  } catch (error) {
    const message = isMissing(error) ? 'cannot be read: it is a link to a file that is not there' : undefined;
    return faultOf(file, message ?? describeFailure(error));
  }
}

function locateBadByte(file: string, bytes: Buffer): Problem {
  const lines = bytes.toString('latin1').split('\n');
  const index = lines.findIndex((line) => !isUtf8(Buffer.from(line, 'latin1')));
  const decoded = Buffer.from(lines[index] ?? '', 'latin1').toString('utf8');
  const problem = faultOf(file, 'cannot be read: it is not UTF-8', 'save the file as UTF-8');
  return { ...problem, line: index + 1, column: decoded.indexOf('\uFFFD') + 1 };
}

function faultOf(file: string, message: string, hint?: string): Problem {
  return { file, line: 1, column: 1, path: '', severity: 'error', message, ...(hint === undefined ? {} : { hint }) };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function describeFailure(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM') return 'cannot be read: this account has no permission';
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
