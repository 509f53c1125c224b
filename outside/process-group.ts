import { readFileSync, readdirSync } from 'node:fs';

/** Sends a signal to every process of a group; false where there is none any more. */
export function signalGroup(groupId: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-groupId, signal);
    return true;
  } catch (error) {
    // Of a process that belongs to somebody else it is known that it is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Names the processes of a group that still run, such as `sleep (pid 123)`; empty where none does. */
export function describeGroup(groupId: number): string {
  if (!signalGroup(groupId, 0)) return '';
  const all = listProcesses();
  if (all === undefined) return 'a process of its group';
  const found = all.filter((one) => one.groupId === groupId && !'ZX'.includes(one.state));
  const named = found.slice(0, shown).map(({ name, pid }) => `${name} (pid ${pid})`);
  if (found.length > shown) named.push(`and ${found.length - shown} more`);
  return named.join(', ');
}

const shown = 3;

interface ListedProcess {
  pid: number;
  name: string;
  state: string;
  groupId: number;
}

/** Of /proc; undefined where there is none. */
function listProcesses(): ListedProcess[] | undefined {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => readProcess(Number(pid)) ?? []);
  } catch {
    return undefined;
  }
}

function readProcess(pid: number): ListedProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    const [state = '', , groupId] = stat.slice(end + 2).split(' ');
    return { pid, name: stat.slice(stat.indexOf('(') + 1, end), state, groupId: Number(groupId) };
  } catch {
    return undefined;
  }
}
