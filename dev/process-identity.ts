import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** One process and no other: a pid alone is given to somebody else after its process has ended. */
export interface ProcessIdentity {
  pid: number;
  /** Opaque; equal for the same process only. */
  startToken: string;
}

/** The identity of a running process, or undefined when it has ended (a zombie has). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startToken = existsSync('/proc/self/stat') ? readProcStart(pid) : readPsStart(pid);
  return startToken === undefined ? undefined : { pid, startToken };
}

/** Whether this very process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startToken === identity.startToken;
}

/** The command line of a running process, words parted by spaces; empty when it cannot be read. */
export function readCommandLine(pid: number): string {
  try {
    if (existsSync('/proc/self/cmdline'))
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return runPs(pid, 'command=');
  } catch {
    return '';
  }
}

/** Fields after the command name, which may itself hold spaces and brackets: state is the 1st, start time the 20th. */
function readProcStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startTicks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined;
    return `${readBootId()}:${startTicks}`;
  } catch {
    return undefined;
  }
}

/** Start times count from boot, so they say nothing across one. */
function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 8);
  } catch {
    return 'boot';
  }
}

function readPsStart(pid: number): string | undefined {
  try {
    const line = runPs(pid, 'stat=,lstart=');
    return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
  } catch {
    return undefined;
  }
}

function runPs(pid: number, format: string): string {
  const options = { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' }, stdio: 'pipe' } as const;
  return execFileSync('ps', ['-o', format, '-p', String(pid)], options).trim();
}
