import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { actcoreCommand } from '../../support/program.ts';
import type { Runner } from '../../support/runner.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { runInProcess } from './in-process.ts';

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
  const [node, ...rest] = actcoreCommand;
  const options = { cwd, env: actcoreEnv(env), extendEnv: false, reject: false, timeout: longestMs } as const;
  return execa(node, [...rest, ...args], options);
}

/** How the program ended, with what it printed. */
interface Ended {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
  tookMs: number;
}

/** Runs the program to its end, in this process: what it prints and its exit code are those of a process of its own. */
export async function runActcore(
  args: string[],
  { cwd = makeTempFolder(), env = {} }: ActcoreOptions = {},
): Promise<Ended> {
  const startedAt = Date.now();
  const ended = await runInProcess(args, { cwd, env: actcoreEnv(env), signal: AbortSignal.timeout(longestMs) });
  return { ...ended, tookMs: Date.now() - startedAt };
}

/** Runs the program to its end as a process of its own: for signals, streams, locks, and for how it ends by itself. */
export async function spawnActcore(args: string[], options: ActcoreOptions = {}): Promise<Ended> {
  const startedAt = Date.now();
  const { exitCode, stdout, stderr } = await startActcore(args, options);
  return { exitCode, stdout, stderr, tookMs: Date.now() - startedAt };
}

/** Expects an exit code, and shows what the program printed where it is another one. */
export function expectExit({ exitCode, stdout, stderr }: Partial<Ended>, expected: number): void {
  expect(exitCode, `exit code; on stderr:\n${stderr}\non stdout:\n${stdout?.slice(-4_000)}\n`).toBe(expected);
}

/** Runs the program under `--json`; what stands on stdout is one document, or null where nothing does. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows what it reads
export async function readActcore<Document>(
  args: string[],
  options: ActcoreOptions = {},
): Promise<Ended & { document: Document }> {
  const ended = await runActcore([...args, '--json'], options);
  const document: Document = JSON.parse(ended.stdout === '' ? 'null' : ended.stdout);
  return { ...ended, document };
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
