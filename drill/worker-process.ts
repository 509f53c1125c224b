import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cleanOnExit } from '../dev/last-resort.ts';
import { watchMemory } from './memory.ts';
import type { MemoryWatch } from './memory.ts';
import type { Stage } from './stage.ts';

/** The built `actcore`. */
export const program = fileURLToPath(new URL('../cli/main.js', import.meta.url));
const readyTimeoutMs = 90_000;
const drainMs = 15_000;

/** A worker in a process of its own, as it ships. */
export interface WorkerProcess {
  pid: number;
  memory: MemoryWatch;
  /** Resolves when it is dead. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Lets it drain; by force where it does not. */
  end(): Promise<void>;
}

/** What the processes of a scenario are started with. */
export interface Surroundings {
  stage: Stage;
  signal: AbortSignal;
  taskQueue: string;
  folder: string;
  environment: Record<string, string>;
  /** The ids of the definitions that were applied. */
  applied: string[];
}

/** Starts `actcore worker`, and waits until the server has seen it. */
export async function startWorkerProcess(around: Surroundings): Promise<WorkerProcess> {
  const { stage, signal, taskQueue, folder } = around;
  const log = openSync(join(folder, 'worker.log'), 'a');
  const args = [program, 'worker', '--log-level', 'ERROR'];
  const child = spawn(process.execPath, args, { cwd: folder, env: describeEnv(around), stdio: ['ignore', log, log] });
  closeSync(log);
  const forget = cleanOnExit(() => child.kill('SIGKILL'));
  child.once('exit', forget);
  const { pid } = child;
  if (pid === undefined) throw new Error('the worker could not be started');
  const memory = watchMemory(pid);
  child.once('exit', memory.stop);
  const worker = describeWorker(child, pid, memory);
  try {
    await awaitPoller(stage, taskQueue, child, signal);
    return worker;
  } catch (error) {
    await worker.kill();
    throw error;
  }
}

function describeWorker(child: ChildProcess, pid: number, memory: MemoryWatch): WorkerProcess {
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const send = async (name: NodeJS.Signals) => {
    if (hasEnded()) return;
    const ended = once(child, 'exit');
    child.kill(name);
    await ended;
  };
  return {
    ...{ pid, memory },
    kill: () => send('SIGKILL'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async end() {
      if (hasEnded()) return;
      child.kill('SIGCONT');
      await Promise.race([send('SIGTERM'), sleep(drainMs, undefined, { ref: false })]);
      await send('SIGKILL');
    },
  };
}

async function awaitPoller(stage: Stage, taskQueue: string, child: ChildProcess, signal: AbortSignal): Promise<void> {
  const identity = `${child.pid}@`;
  const deadline = Date.now() + readyTimeoutMs;
  for (;;) {
    const { pollers } = await stage.client.workflowService.describeTaskQueue({
      namespace: 'default',
      taskQueue: { name: taskQueue },
      taskQueueType: 2,
    });
    if (pollers?.some((poller) => poller.identity?.startsWith(identity))) return;
    if (child.exitCode !== null) throw new Error(`a worker ended with ${child.exitCode} while it was starting`);
    if (Date.now() > deadline) throw new Error(`a worker did not poll within ${readyTimeoutMs / 1_000} s`);
    await sleep(250, undefined, { signal });
  }
}

/** Runs a command of `actcore` to its end. */
export async function runActcore(
  around: Surroundings,
  args: string[],
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const { folder: cwd, signal } = around;
  const child = spawn(process.execPath, [program, ...args], { cwd, env: describeEnv(around), signal });
  const texts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (texts.stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (texts.stderr += chunk));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, ...texts };
}

/** Little else than what the drill says, so that nothing of the machine decides how it goes. */
export function describeEnv({ stage, taskQueue, environment }: Surroundings): NodeJS.ProcessEnv {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  return {
    ...{ PATH, HOME, NO_COLOR: '1', ...(TMPDIR === undefined ? {} : { TMPDIR }) },
    TEMPORAL_ADDRESS: stage.temporalAddress,
    ACTCORE_DATABASE_URL: stage.databaseUrl,
    ACTCORE_TASK_QUEUE: taskQueue,
    ACTCORE_ACTOR: 'drill',
    ...environment,
  };
}
