import { join } from 'node:path';
import { endSteps } from './process-end.ts';
import { locateEntry } from './program-entry.ts';
import { spawnServer } from './server-process.ts';
import type { Stack } from './stack.ts';

/** When the timer fires, in seconds, and what it runs then. */
export interface LocalTimer {
  everySeconds: number;
  offsetSeconds: number;
  /** The words before the example's own script. */
  wrapper: string[];
  env: NodeJS.ProcessEnv;
}

/** Starts the example timer beside the stack, in a process of its own; `stop` ends it with what it runs. */
export async function startLocalTimer(
  { everySeconds, offsetSeconds, wrapper, env }: LocalTimer,
  stack: Pick<Stack, 'recordServer'>,
  stateDir: string,
): Promise<{ stop: () => Promise<void> }> {
  const sweep = [process.execPath, ...locateEntry('examples/local-timer/sweep')];
  const times = ['--every', String(everySeconds), '--offset', String(offsetSeconds)];
  return spawnServer({
    name: 'local_timer',
    file: process.execPath,
    args: [...locateEntry('examples/local-timer/main'), ...times, '--', ...wrapper, ...sweep],
    cwd: stateDir,
    env,
    logFile: join(stateDir, 'local-timer.log'),
    endSteps: endSteps.local_timer,
    onSpawn: stack.recordServer,
  });
}
