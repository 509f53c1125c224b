import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { execa } from 'execa';

/** What stands in a file of the working tree; undefined where there is none. */
export async function readWorkingFile(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Whether git has all that stands in the file: false for what is changed, staged, untracked or ignored; undefined
 * where the file is in no repository, or git is not here or does not want to say.
 */
export async function isCommitted(file: string): Promise<boolean | undefined> {
  const args = ['--literal-pathspecs', 'status', '--porcelain', '--ignored', '--', basename(file)];
  const { exitCode, stdout } = await execa('git', args, { cwd: dirname(file), reject: false });
  return exitCode === 0 ? stdout === '' : undefined;
}
