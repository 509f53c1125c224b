import { join } from 'node:path';
import { chooseAnyPort, chooseFreePort } from './ports.ts';
import { endSteps } from './process-end.ts';
import { locateEntry } from './program-entry.ts';
import { awaitReady, spawnServer } from './server-process.ts';
import type { Stack } from './stack.ts';

const readyTimeoutMs = 30_000;

/** Where an example runs, and until when. */
export interface ExampleOptions {
  stateDir: string;
  ports?: 'usual' | 'any';
  signal?: AbortSignal;
}

/** An example of `examples/`, as a process of its own that answers on `/healthz`. */
export interface ExampleProcess {
  name: 'state_hub' | 'ledger';
  /** Its folder below `examples/`, and the name of its log file. */
  folder: string;
  title: string;
  usualPort: number;
  environment: (port: number) => NodeJS.ProcessEnv;
}

/**
 * Starts an example beside the stack, and waits until it answers.
 * @throws StackProblem when it does not answer within 30 s.
 */
export async function startExample(
  { name, folder, title, usualPort, environment }: ExampleProcess,
  stack: Stack,
  { stateDir, ports, signal }: ExampleOptions,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const port = ports === 'any' ? await chooseAnyPort() : await chooseFreePort(usualPort);
  const logFile = join(stateDir, `${folder}.log`);
  const server = await spawnServer({
    name,
    file: process.execPath,
    args: locateEntry(`examples/${folder}/main`),
    cwd: stateDir,
    env: { ...process.env, ...environment(port) },
    logFile,
    port,
    endSteps: endSteps[name],
    onSpawn: stack.recordServer,
  });
  const url = `http://127.0.0.1:${port}`;
  await awaitReady(server, { title, logFile, timeoutMs: readyTimeoutMs, signal }, () => answers(url));
  return { url, stop: server.stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}
