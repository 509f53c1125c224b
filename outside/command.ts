import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable, Writable } from 'node:stream';
import { describeGroup, signalGroup } from './process-group.ts';
import { openOutputPipes } from './output-pipe.ts';
import { passOn } from './pass-on.ts';
import type { Passage } from './pass-on.ts';

/** What to run, and what to keep of what it prints. */
export interface CommandRequest {
  command: string[];
  env: NodeJS.ProcessEnv;
  /** Its streams are ours where it is not captured. */
  isCaptured: boolean;
  tailBytes: number;
  wholeBytes: number;
  killAfterMs: number;
}

/** Where its output goes, and where signals for it come from. */
export interface CommandSurroundings {
  stdout: Writable;
  stderr: Writable;
  signals: NodeJS.EventEmitter;
}

/** How a command ended. */
export interface CommandResult {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** Why it did not begin; `exitCode` is then as shells have it: 127 where it was not found, else 126. */
  fault?: string;
  timedOut?: { afterMs: number; byForce: boolean };
  stoppedBy?: NodeJS.Signals;
  leftRunning?: string;
  stdout?: Passage;
  stderr?: Passage;
}

interface CommandFault {
  exitCode: number;
  fault: string;
}

/** A command that runs, in a process group of its own. */
export interface RunningCommand {
  /** Undefined where it did not begin. */
  pid: number | undefined;
  /** Ends it when it has run for so long: TERM to the whole group, then KILL. May be said again. */
  limit(ms: number): void;
  ended: Promise<CommandResult>;
}

/** To all of the group as from a terminal; the last two mean nothing to those who do not know them but their end. */
const groupSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const leaderSignals = ['SIGUSR1', 'SIGUSR2'] as const;

/** Starts a command whose end `ended` tells; it never rejects. */
export function startCommand(request: CommandRequest, surroundings: CommandSurroundings): RunningCommand {
  const startedMs = Date.now();
  const result: CommandResult = { exitCode: null, signal: null };
  const spawned = tryToSpawn(request);
  if ('fault' in spawned) return { pid: undefined, limit: () => {}, ended: Promise.resolve({ ...result, ...spawned }) };
  const { child, stdout, stderr } = spawned;
  const keep = { tailBytes: request.tailBytes, wholeBytes: request.wholeBytes };
  if (stdout) result.stdout = passOn(stdout, surroundings.stdout, keep);
  if (stderr) result.stderr = passOn(stderr, surroundings.stderr, { ...keep, wholeBytes: 0 });
  const stopPassing = passSignals(child, surroundings.signals, result);
  const budget = guardBudget(child, request.killAfterMs, result);
  const ended = awaitExit(child, result).then(async () => {
    await budget.settled();
    await settleOutput(result, child.pid);
    stopPassing();
    return result;
  });
  return { pid: child.pid, limit: (ms) => budget.limit(ms, startedMs), ended };
}

/** A process with its output, where that is ours to pass on. */
interface Spawned {
  child: ChildProcess;
  stdout: Readable | null;
  stderr: Readable | null;
}

function tryToSpawn({ command, env, isCaptured }: CommandRequest): Spawned | CommandFault {
  const [file = '', ...args] = command;
  const pipes = isCaptured ? openOutputPipes() : undefined;
  const output: 'pipe' | 'inherit' = isCaptured ? 'pipe' : 'inherit';
  try {
    const stdio: StdioOptions = ['inherit', ...(pipes?.writers ?? [output, output])];
    const child: ChildProcess = spawn(file, args, { env, stdio, detached: true });
    const [stdout, stderr] = pipes?.readers ?? [child.stdout, child.stderr];
    return { child, stdout, stderr };
  } catch (error) {
    for (const reader of pipes?.readers ?? []) reader.destroy();
    return describeFault(error as NodeJS.ErrnoException);
  } finally {
    pipes?.closeWriters();
  }
}

function describeFault({ code, message }: NodeJS.ErrnoException): CommandFault {
  if (code === 'ENOENT' || code === 'ERR_INVALID_ARG_VALUE') return { exitCode: 127, fault: 'command not found' };
  return { exitCode: 126, fault: code === 'EACCES' ? 'permission denied: it cannot be executed' : message };
}

function awaitExit(child: ChildProcess, result: CommandResult): Promise<void> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      // Of one that runs it says only that a signal did not reach it.
      if (child.pid !== undefined) return;
      Object.assign(result, describeFault(error));
      resolve();
    });
    child.once('exit', (exitCode, signal) => {
      Object.assign(result, { exitCode, signal });
      resolve();
    });
  });
}

function passSignals({ pid }: ChildProcess, signals: NodeJS.EventEmitter, result: CommandResult): () => void {
  const listeners = [...groupSignals, ...leaderSignals].map((signal) => {
    const isForGroup = groupSignals.some((one) => one === signal);
    const listener = () => {
      if (pid === undefined) return;
      if (isForGroup) result.stoppedBy ??= signal;
      if (isForGroup) return void signalGroup(pid, signal);
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended just now.
      }
    };
    signals.on(signal, listener);
    return () => void signals.off(signal, listener);
  });
  return () => listeners.forEach((remove) => remove());
}

/** How often a group that is to end is looked at. */
const lookMs = 25;
/** After KILL only the system itself can be slow. */
const afterKillMs = 1_000;

function guardBudget({ pid }: ChildProcess, killAfterMs: number, result: CommandResult) {
  let timer: NodeJS.Timeout | undefined;
  let ending: Promise<void> | undefined;
  const isThere = () => pid !== undefined && signalGroup(pid, 0) && describeGroup(pid) !== '';
  const awaitEmpty = async (patienceMs: number) => {
    const untilMs = Date.now() + patienceMs;
    while (isThere() && Date.now() < untilMs) await sleep(lookMs);
  };
  const end = async (afterMs: number) => {
    if (pid === undefined) return;
    result.timedOut = { afterMs, byForce: false };
    signalGroup(pid, 'SIGTERM');
    // A group that was stopped would not hear of it.
    signalGroup(pid, 'SIGCONT');
    await awaitEmpty(killAfterMs);
    if (!isThere()) return;
    result.timedOut.byForce = true;
    signalGroup(pid, 'SIGKILL');
    await awaitEmpty(afterKillMs);
  };
  const settled = async () => {
    clearTimeout(timer);
    timer = undefined;
    await ending;
  };
  const limit = (ms: number, startedMs: number) => {
    clearTimeout(timer);
    if (ending !== undefined || result.exitCode !== null || result.signal !== null) return;
    const leftMs = Math.max(0, startedMs + ms - Date.now());
    timer = setTimeout(() => void (ending = end(ms)), Math.min(leftMs, longestTimerMs));
  };
  return { settled, limit };
}

/** Longer ones Node takes for none. */
const longestTimerMs = 2_147_483_647;

/** So many looks in a row must find nothing new: each one lets what there is be read before the next. */
const quietLooks = 10;
/** A pipe holds no more than that; what comes after it is not from the command. */
const mostLateBytes = 2 * 1_048_576;

/** Takes what the command left in its pipes; somebody who keeps them open is not waited for. */
async function settleOutput(result: CommandResult, pid: number | undefined): Promise<void> {
  const passages = [result.stdout, result.stderr].flatMap((passage) => passage ?? []);
  const countBytes = () => passages.reduce((sum, passage) => sum + passage.bytes(), 0);
  const atExit = countBytes();
  let seen = atExit;
  for (let quiet = 0; quiet < quietLooks && !passages.every((passage) => passage.isClosed()); quiet += 1) {
    await sleep(lookMs);
    const bytes = countBytes();
    if (bytes - atExit > mostLateBytes) break;
    if (bytes > seen || passages.some((passage) => passage.isHeld())) quiet = -1;
    seen = bytes;
  }
  const isOpen = passages.some((passage) => !passage.isClosed());
  const group = pid === undefined ? '' : describeGroup(pid);
  if (group !== '') result.leftRunning = group;
  else if (isOpen) result.leftRunning = 'a process outside its group, which holds its output open';
  for (const passage of passages) passage.close();
}
