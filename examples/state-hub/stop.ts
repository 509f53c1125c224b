/** Why a sweep ends before it has walked every repo. */
export type StopCause = 'budget' | 'client_gone' | 'closing' | 'lock_lost';

const sentences: Record<StopCause, string> = {
  budget: 'the budget is used up',
  client_gone: 'the client closed the connection',
  closing: 'the State Hub is being stopped',
  lock_lost: 'the connection to the database, and the lock with it, was lost',
};

/** The reason that a sweep's signal is aborted with. */
export class SweepStop extends Error {
  override name = 'SweepStop';
  readonly stopCause: StopCause;

  constructor(stopCause: StopCause) {
    super(sentences[stopCause]);
    this.stopCause = stopCause;
  }
}

/** One signal that is aborted by whatever comes first; `end` drops the timer and the listeners. */
export function startStopSignal(
  budgetMs: number,
  causes: { signal: AbortSignal; cause?: StopCause }[],
): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const ended = new AbortController();
  const timer = setTimeout(() => controller.abort(new SweepStop('budget')), budgetMs);
  for (const { signal, cause } of causes) {
    const stop = (): void => controller.abort(cause === undefined ? signal.reason : new SweepStop(cause));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true, signal: ended.signal });
  }
  const end = (): void => {
    clearTimeout(timer);
    ended.abort();
  };
  return { signal: controller.signal, end };
}

/** Why a signal was aborted, or null while it is not. */
export function readStop(signal: AbortSignal): SweepStop | null {
  return signal.reason instanceof SweepStop ? signal.reason : null;
}
