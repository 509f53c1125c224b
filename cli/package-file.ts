import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program's package.json, one folder up in the sources and two in a build. */
export const packageFile = findUpwards(dirname(fileURLToPath(import.meta.url)));

function findUpwards(folder: string): string {
  const candidate = join(folder, 'package.json');
  return existsSync(candidate) || folder === dirname(folder) ? candidate : findUpwards(dirname(folder));
}
