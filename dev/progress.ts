/**
 * How long work tells where it is. A `step` is said once and kept; a `tick` replaces the one before it
 * (and may be dropped where lines cannot be replaced).
 */
export type Progress = (message: string, kind?: 'step' | 'tick') => void;

const plainIntervalMs = 10_000;

/** Elapsed time as people read it: `0.7s`, `42s`, `3m 05s`. */
export function formatElapsed(elapsedMs: number): string {
  if (elapsedMs < 10_000) return `${(Math.floor(elapsedMs / 100) / 10).toFixed(1)}s`;
  const seconds = Math.floor(elapsedMs / 1000);
  if (seconds < 60) return `${seconds}s`;
  return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s`;
}

/** Prints progress for people: on a terminal a tick refreshes one line, elsewhere it is a line every 10 s. */
export function printProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let lastTickAt = Date.now();
  let refreshing = false;
  return (message, kind = 'step') => {
    if (stream.isTTY) {
      const width = Math.max(20, (stream.columns || 80) - 1);
      stream.write(`${refreshing ? '\r\u001b[K' : ''}${kind === 'tick' ? message.slice(0, width) : `${message}\n`}`);
      refreshing = kind === 'tick';
      return;
    }
    if (kind === 'tick' && Date.now() - lastTickAt < plainIntervalMs) return;
    lastTickAt = Date.now();
    stream.write(`${message}\n`);
  };
}
