const cleanups = new Set<() => void>();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a synchronous clean-up when this process ends before the returned function was called: by `process.exit`, at
 * the end of the script, or by a signal that nobody else handles. Nothing can be done against a kill -9; the next
 * start finds what that one leaves.
 */
export function cleanOnExit(cleanup: () => void): () => void {
  if (cleanups.size === 0) listen();
  cleanups.add(cleanup);
  return () => {
    cleanups.delete(cleanup);
    if (cleanups.size === 0) unlisten();
  };
}

function listen(): void {
  process.on('exit', cleanAll);
  // First in line: a listener for once is no longer counted after its turn.
  for (const signal of signals) process.prependListener(signal, endBySignal);
}

function unlisten(): void {
  process.off('exit', cleanAll);
  for (const signal of signals) process.off(signal, endBySignal);
}

/** Latest first, as what was set up later stands on what was there before. */
function cleanAll(): void {
  for (const cleanup of [...cleanups].toReversed()) {
    cleanups.delete(cleanup);
    try {
      cleanup();
    } catch {
      // The others still have to run.
    }
  }
}

/** A listener takes away the default end, so it is brought back; another listener decides for itself. */
function endBySignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  cleanAll();
  unlisten();
  process.kill(process.pid, signal);
}
