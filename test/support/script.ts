import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** How a script ended, with what it printed. */
export interface ScriptEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs TypeScript in a process of its own, as if the text were a module in the checkout's root. */
export function runScript(
  code: string,
  options: { env?: NodeJS.ProcessEnv; uid?: number; gid?: number } = {},
): { child: ChildProcess; finished: Promise<ScriptEnd>; stdout: () => string } {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code], {
    cwd: checkout,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
    env: { ...(options.env ?? process.env) },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const finished = new Promise<ScriptEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve({ code: exitCode, signal, stdout, stderr }));
  });
  return { child, finished, stdout: () => stdout };
}
