import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, type ProcessIdentity } from './process-identity.ts';

/** What is sent, and for how long an end is waited for before the next one. */
export interface EndStep {
  signal: NodeJS.Signals;
  waitMs: number;
}

/** Each server by its own clean way out first, then by force: at most 8 s. */
export const endSteps = {
  temporal: [
    { signal: 'SIGTERM', waitMs: 5_000 },
    { signal: 'SIGKILL', waitMs: 2_000 },
  ],
  postgres: [
    { signal: 'SIGINT', waitMs: 4_000 },
    { signal: 'SIGQUIT', waitMs: 2_000 },
    { signal: 'SIGKILL', waitMs: 2_000 },
  ],
  ledger: [
    { signal: 'SIGTERM', waitMs: 2_000 },
    { signal: 'SIGKILL', waitMs: 2_000 },
  ],
  state_hub: [
    { signal: 'SIGTERM', waitMs: 2_000 },
    { signal: 'SIGKILL', waitMs: 2_000 },
  ],
  // It ends what it runs, which tells the history of that.
  local_timer: [
    { signal: 'SIGTERM', waitMs: 5_000 },
    { signal: 'SIGKILL', waitMs: 2_000 },
  ],
} satisfies Record<string, EndStep[]>;

/** Ends exactly this process, whoever started it; false when it outlived every step. */
export async function endProcess(identity: ProcessIdentity, steps: readonly EndStep[]): Promise<boolean> {
  for (const step of steps) {
    if (!isRunning(identity)) return true;
    signalProcess(identity.pid, step.signal);
    const deadline = Date.now() + step.waitMs;
    while (Date.now() < deadline) {
      if (!isRunning(identity)) return true;
      await sleep(25);
    }
  }
  return !isRunning(identity);
}

/** By force goes to the whole process group, so that no child of the process stays; a process that has gone is fine. */
function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(signal === 'SIGKILL' ? -pid : pid, signal);
  } catch {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended between the look and the signal.
    }
  }
}
