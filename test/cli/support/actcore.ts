import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Runner } from '../../support/runner.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

const main = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));

/** The command line that starts the program from any folder. */
export const actcoreCommand = [process.execPath, '--import', import.meta.resolve('tsx'), main];

/** A process that hangs fails its test and does not outlive it. */
const longestMs = 50_000;

interface ActcoreOptions {
  cwd?: string;
  env?: Record<string, string>;
}

/** The environment of the program: nothing of the tests' own, and a state folder that no stack runs on. */
export function actcoreEnv(env: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    ACTCORE_STATE_DIR: join(makeTempFolder(), 'state'),
    ACTCORE_ACTOR: 'tester',
    ...env,
  };
}

/** The environment that names a runner's servers. */
export function envOf(runner: Runner): Record<string, string> {
  return {
    TEMPORAL_ADDRESS: runner.temporalAddress,
    ACTCORE_DATABASE_URL: runner.databaseUrl,
    ACTCORE_TASK_QUEUE: runner.taskQueue,
  };
}

/** Starts the program as a process of its own; what it prints is on the result, and no exit code makes it throw. */
export function startActcore(args: string[], { cwd = makeTempFolder(), env = {} }: ActcoreOptions = {}) {
  const [node = '', ...rest] = actcoreCommand;
  const options = { cwd, env: actcoreEnv(env), extendEnv: false, reject: false, timeout: longestMs } as const;
  return execa(node, [...rest, ...args], options);
}

/** Runs the program to its end. */
export async function runActcore(args: string[], options: ActcoreOptions = {}) {
  const startedAt = Date.now();
  const { exitCode, stdout, stderr } = await startActcore(args, options);
  return { exitCode, stdout, stderr, tookMs: Date.now() - startedAt };
}

/** Runs the program under `--json`; what stands on stdout is one document, or null where nothing does. */
export async function readActcore<Document>(args: string[], options: ActcoreOptions = {}) {
  const ended = await runActcore([...args, '--json'], options);
  return { ...ended, document: (ended.stdout === '' ? null : JSON.parse(ended.stdout)) as Document };
}

/** A folder with these files in it. */
export function writeFolder(files: Record<string, string | Buffer>): string {
  const folder = makeTempFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}
