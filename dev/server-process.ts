import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanOnExit } from './last-resort.ts';
import { endProcess, type EndStep, type endSteps } from './process-end.ts';
import { identifyProcess, type ProcessIdentity } from './process-identity.ts';
import { openServerLog, quoteLogTail } from './server-log.ts';
import { StackProblem } from './stack-problem.ts';

/** A child of the stack as it is written to the state folder, so that a later start can find and end it. */
export interface ServerRecord extends ProcessIdentity {
  name: keyof typeof endSteps;
  /** Absent where it listens on none. */
  port?: number;
}

/** What to run; `endSteps` also says which signal it gets when this process ends without a stop. */
export interface ServerCommand {
  name: ServerRecord['name'];
  file: string;
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  account?: { uid: number; gid: number };
  logFile: string;
  port?: number;
  endSteps: readonly EndStep[];
  /** Told as soon as the process exists, before it is ready. */
  onSpawn?: ((record: ServerRecord) => void) | undefined;
}

/** A server of ours that runs; `stop` may be called any number of times and resolves when it has ended. */
export interface ServerProcess {
  record: ServerRecord;
  hasEnded: () => boolean;
  stop: () => Promise<void>;
}

/**
 * Starts a server in a session of its own: a Ctrl-C in the terminal does not reach it, so it serves until the worker
 * has drained and we stop it.
 */
export async function spawnServer(command: ServerCommand): Promise<ServerProcess> {
  const { name, port, logFile } = command;
  const log = openServerLog(logFile);
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: command.env,
    ...command.account,
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  });
  let ended = false;
  child.once('exit', () => (ended = true));
  const spawnError = await new Promise<Error | undefined>((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', resolve);
  });
  log.close();
  if (spawnError || child.pid === undefined) {
    throw new StackProblem(`${command.file} could not be started: ${spawnError?.message}.`, 'Run `actcore doctor`.');
  }
  const identity = identifyProcess(child.pid) ?? { pid: child.pid, startToken: 'ended' };
  const record = { name, ...(port === undefined ? {} : { port }), ...identity };
  command.onSpawn?.(record);
  const forget = cleanOnExit(() => child.kill(command.endSteps[0]?.signal));
  let stopping: Promise<void> | undefined;
  const end = async () => {
    if (!(await endProcess(record, command.endSteps))) throw new Error(`${name} (pid ${record.pid}) cannot be ended`);
    forget();
  };
  return { record, hasEnded: () => ended, stop: () => (stopping ??= end()) };
}

/**
 * Waits until `isReady` says so.
 * @throws StackProblem quoting the log's tail when the server ends before, or is not ready in time.
 */
export async function awaitReady(
  server: ServerProcess,
  options: { title: string; logFile: string; timeoutMs: number; signal?: AbortSignal | undefined },
  isReady: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  while (!(await isReady())) {
    options.signal?.throwIfAborted();
    if (server.hasEnded()) throw describeFailure(options, 'ended while it was starting');
    if (Date.now() > deadline) throw describeFailure(options, `was not ready within ${options.timeoutMs / 1000} s`);
    await sleep(40);
  }
}

function describeFailure(options: { title: string; logFile: string }, what: string): StackProblem {
  const message = `${options.title} ${what}. The end of its log (${options.logFile}):\n${quoteLogTail(options.logFile)}`;
  return new StackProblem(message, 'Read the log above; `actcore doctor` shows what is missing.');
}
