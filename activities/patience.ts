import { setTimeout as sleep } from 'node:timers/promises';

/** The result of `work`, or undefined when it takes longer than this; the work goes on by itself then. */
export async function awaitAtMost<Result>(waitMs: number, work: Promise<Result>): Promise<Result | undefined> {
  const waited = new AbortController();
  // Nobody waits any more for a failure that comes later.
  work.catch(() => {});
  const patience = sleep(waitMs, undefined, { signal: waited.signal }).catch(() => undefined);
  return Promise.race([work, patience]).finally(() => waited.abort());
}
