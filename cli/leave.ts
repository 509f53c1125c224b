import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Signals after which a process leaves a dump of its memory; nobody wants that of a messenger. */
const dumping = new Set(['SIGQUIT', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV', 'SIGSYS']);
const deliveryMs = 200;

/** Ends this process with an exit code, when all that it has printed is taken. */
export async function leaveWith(exitCode: number): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))));
  process.exit(exitCode);
}

/**
 * Ends this process as a signal has ended its command: by the same signal, so that whoever started it sees what it would
 * have seen, else by 128 and its number.
 */
export async function leaveBy(signal: NodeJS.Signals): Promise<never> {
  if (!dumping.has(signal)) {
    await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))));
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    await sleep(deliveryMs);
  }
  return leaveWith(128 + constants.signals[signal]);
}
