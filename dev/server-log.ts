import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs';

const tailLines = 15;

/** Opens a fresh log file for a server and keeps the one before as `.previous`; the descriptor goes to the child. */
export function openServerLog(path: string): { fd: number; close: () => void } {
  if (existsSync(path)) renameSync(path, `${path}.previous`);
  const fd = openSync(path, 'a', 0o600);
  return { fd, close: () => closeSync(fd) };
}

/** The last lines of a server's log, indented, for quoting under an error. */
export function quoteLogTail(path: string): string {
  try {
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-tailLines);
    return lines.map((line) => `  | ${line.slice(0, 300)}`).join('\n');
  } catch {
    return '  | (no log)';
  }
}

/** Whether the server gave up because another process took its port first. */
export function sawPortTaken(path: string): boolean {
  return /address already in use|could not bind/i.test(quoteLogTail(path));
}
