import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const everyMs = 1_000;
/** The least of so many samples is taken, so that what waits to be collected does not count. */
const samplesTaken = 5;

/** The resident memory of a process over time, in bytes. */
export interface MemoryWatch {
  /** By now, without what is about to be collected; 0 where there is no sample yet. */
  now(): number;
  peak(): number;
  stop: () => void;
}

/** Samples the memory of a process once a second until it ends. */
export function watchMemory(pid: number): MemoryWatch {
  const recent: number[] = [];
  let peak = 0;
  const timer = setInterval(() => {
    const bytes = readResidentBytes(pid);
    if (bytes === undefined) return;
    peak = Math.max(peak, bytes);
    if (recent.push(bytes) > samplesTaken) recent.shift();
  }, everyMs);
  timer.unref();
  return {
    now: () => (recent.length === 0 ? 0 : Math.min(...recent)),
    peak: () => peak,
    stop: () => clearInterval(timer),
  };
}

function readResidentBytes(pid: number): number | undefined {
  try {
    const kilobytes = existsSync('/proc/self/status')
      ? /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return kilobytes === undefined || kilobytes === '' ? undefined : Number(kilobytes) * 1_024;
  } catch {
    return undefined;
  }
}
