import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const neededFlags = ['--db-filename', '--sqlite-pragma', '--dynamic-config-value', '--search-attribute', '--ui-port'];

/** Whether a Temporal CLI can be used here, and what it says of itself. */
export type TemporalProbe = { usable: true; version: string } | { usable: false; reason: string };

/** Runs a Temporal CLI to see that it starts and that its dev server knows the flags we give; at most 10 s. */
export async function probeTemporal(path: string): Promise<TemporalProbe> {
  try {
    const options = { timeout: 5_000, maxBuffer: 1_000_000 };
    const { stdout: version } = await run(path, ['--version'], options);
    const { stdout: flags } = await run(path, ['server', 'start-dev', '--help'], options);
    const missing = neededFlags.filter((flag) => !flags.includes(flag));
    if (missing.length > 0) return { usable: false, reason: `its dev server does not know ${missing.join(', ')}` };
    return { usable: true, version: version.trim().replace(/^temporal version /, '') };
  } catch (error) {
    const failure = error as Error & { stderr?: string };
    const firstLine = (failure.stderr || failure.message).trim().split('\n')[0] ?? '';
    return { usable: false, reason: `it does not run (${firstLine})` };
  }
}

/** The first executable of that name on the PATH, as the shell would find it. */
export function findOnPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
