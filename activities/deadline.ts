/** What ended a run's request before the target did. */
export type Interruption = 'hard_timeout' | 'cancelled' | 'worker_shutdown' | 'abandoned';

/** The run was interrupted; `interruption` says by whom. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly interruption: Interruption;

  constructor(interruption: Interruption) {
    super(interruption);
    this.interruption = interruption;
  }
}

/** One signal for everything that may end a run early; its reason is always an `InterruptedError`. */
export interface Deadline {
  signal: AbortSignal;
  /** Ends the run because the server expects nothing of it any more. */
  abandon(): void;
  /** Frees the timer; call it when the run has ended. */
  close(): void;
}

/** A worker that was frozen learns that it was given up before it has read the answer that waits in its socket. */
const wakeUpMs = 500;

/**
 * Combines our own hard timeout with Temporal's cancellation, whose reason's message is the name of its cause:
 * a cancel request, the shutdown of this worker, or that the server no longer knows of this attempt.
 */
export function openDeadline(cancellations: AbortSignal[], hardTimeoutMs: number): Deadline {
  const controller = new AbortController();
  const interrupt = (interruption: Interruption) => controller.abort(new InterruptedError(interruption));
  let wakeUp: NodeJS.Timeout | undefined;
  const onCancel = () => {
    const interruption = nameCancellation(cancellations.find(({ aborted }) => aborted)?.reason);
    if (interruption === 'abandoned') wakeUp = setTimeout(() => interrupt(interruption), wakeUpMs);
    else interrupt(interruption);
  };
  const timer = setTimeout(() => interrupt('hard_timeout'), hardTimeoutMs);
  if (cancellations.some(({ aborted }) => aborted)) onCancel();
  else for (const cancellation of cancellations) cancellation.addEventListener('abort', onCancel, { once: true });
  return {
    signal: controller.signal,
    abandon: () => interrupt('abandoned'),
    close() {
      clearTimeout(timer);
      clearTimeout(wakeUp);
      for (const cancellation of cancellations) cancellation.removeEventListener('abort', onCancel);
    },
  };
}

function nameCancellation(reason: unknown): Interruption {
  const name = reason instanceof Error ? reason.message : '';
  if (name === 'WORKER_SHUTDOWN') return 'worker_shutdown';
  return name === 'CANCELLED' ? 'cancelled' : 'abandoned';
}
