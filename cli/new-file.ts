import { mkdtemp, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Refusal } from './refusal.ts';

/**
 * Writes a file that is there whole or not at all: `write` gets the place of it and a folder for what it needs meanwhile,
 * both beside the file. Refuses where a file is there, unless it may be replaced. Returns its size in bytes.
 */
export async function writeNewFile(
  file: string,
  mayReplace: boolean,
  write: (place: { file: string; folder: string }) => Promise<void>,
): Promise<number> {
  const target = await realpath(file).catch(() => resolve(file));
  await checkPlace(file, target, mayReplace);
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
    const place = { file: join(folder, 'whole'), folder };
    await write(place);
    // Somebody may have written one meanwhile.
    await checkPlace(file, target, mayReplace);
    await rename(place.file, target);
    return (await stat(target)).size;
  } catch (error) {
    throw explainFault(file, error);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function checkPlace(file: string, target: string, mayReplace: boolean): Promise<void> {
  const found = await stat(target).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isFile()) throw new Refusal(`${file} is not a regular file`, 'Name a new file.');
  if (!mayReplace) throw new Refusal(`${file} is there already`, 'Name another file, or replace it with --force.');
}

/** What the disk, its owner or its path has against it; see errno(3). */
const faultsOfPlace = new Set([
  ...['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'ENAMETOOLONG', 'ELOOP'],
]);

function explainFault(file: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error && 'syscall' in error ? String(error.code) : '';
  const isFault = faultsOfPlace.has(code) || /^IO Error|Could not write file|No space left/.test(error.message);
  return isFault ? new Refusal(`${file} cannot be written: ${error.message}`) : error;
}
