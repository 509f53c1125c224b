import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';

/** Writes a program for the PATH or the cache: a shell script. */
export function writeScript(path: string, body: string): string {
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** What passes for a Temporal CLI as long as nobody starts a server. */
export const scriptedTemporal =
  'echo "temporal version 9.9.9 --db-filename --sqlite-pragma --dynamic-config-value --search-attribute --ui-port"';

/** Whether something accepts connections on that address. */
export function listens(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const settle = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
  });
}

/** Pids of processes whose command line names that text, other than this one. */
export function findProcesses(text: string): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  const found = lines.filter((line) => line.includes(text) && !line.includes('ps -eo'));
  return found.map((line) => Number.parseInt(line, 10)).filter((pid) => pid !== process.pid);
}
