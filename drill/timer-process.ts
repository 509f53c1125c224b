import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cleanOnExit } from '../dev/last-resort.ts';
import { locateEntry } from '../dev/program-entry.ts';
import { lockedPath } from './target.ts';
import type { Scene } from './scene.ts';
import { describeEnv, program } from './worker-process.ts';

const call = fileURLToPath(new URL('timer-call.js', import.meta.url));

/** What a timer fires, and as whom. */
export interface TimerJob {
  id: string;
  source: string;
  everyMs: number;
}

/** Starts a timer outside that calls the target under `actcore exec`; the returned function lets what is going end, and ends it. */
export function startTimer({ around, target }: Scene, { id, source, everyMs }: TimerJob): () => Promise<void> {
  const log = openSync(join(around.folder, 'timer.log'), 'a');
  const command = [program, 'exec', '--definition', id, '--source', source, '--judge', '--', process.execPath, call];
  const times = ['--every', String(everyMs / 1_000)];
  const args = [...locateEntry('examples/local-timer/main'), ...times, '--', process.execPath, ...command];
  const env = { ...describeEnv(around), TARGET_URL: `${target.url}${lockedPath}`, DRILL_DEFINITION: id };
  const child = spawn(process.execPath, args, { cwd: around.folder, env, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = once(child, 'exit');
  const forget = cleanOnExit(() => child.kill('SIGTERM'));
  return async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
    forget();
  };
}
