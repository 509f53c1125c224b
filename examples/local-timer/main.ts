import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { parseArgs } from 'node:util';

/** Node takes a longer wait for none. */
const longestWaitMs = 60_000;

/** Starts a command at every multiple of an interval since 1970, as cron does: whether the one before has ended or not. */
function runTimer(everyMs: number, offsetMs: number, [file = '', ...args]: string[]): void {
  const running = new Set<ChildProcess>();
  const fire = () => {
    const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    running.add(child);
    child.once('error', ({ message }) => process.stderr.write(`${file} could not be started: ${message}\n`));
    child.once('close', () => {
      running.delete(child);
      if (isStopping && running.size === 0) process.exit(0);
    });
  };
  let isStopping = false;
  let nextMs = nextTick(Date.now(), everyMs, offsetMs);
  const wait = () => {
    const leftMs = nextMs - Date.now();
    if (leftMs <= 0) {
      fire();
      nextMs = nextTick(Date.now(), everyMs, offsetMs);
    }
    timer = setTimeout(wait, Math.min(longestWaitMs, Math.max(1, nextMs - Date.now())));
  };
  let timer = setTimeout(wait, 0);
  const stop = () => {
    isStopping = true;
    clearTimeout(timer);
    for (const child of running) child.kill('SIGTERM');
    if (running.size === 0) process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function nextTick(nowMs: number, everyMs: number, offsetMs: number): number {
  return (Math.floor((nowMs - offsetMs) / everyMs) + 1) * everyMs + offsetMs;
}

const { values, positionals } = parseArgs({
  options: { every: { type: 'string' }, offset: { type: 'string', default: '0' } },
  allowPositionals: true,
});
const everySeconds = Number(values.every);
const offsetSeconds = Number(values.offset);
if (!(everySeconds >= 1) || !(offsetSeconds >= 0) || positionals.length === 0) {
  process.stderr.write('usage: local-timer --every SECONDS [--offset SECONDS] -- COMMAND...\n');
  process.exit(2);
}
runTimer(everySeconds * 1_000, offsetSeconds * 1_000, positionals);
