import { setMaxListeners } from 'node:events';

/** When a pool has to stop. */
export interface PoolLimits {
  /** Aborts what is under way; nothing is begun afterwards. */
  signal: AbortSignal;
  /** Asked before each item. */
  mayStart(): boolean;
}

/**
 * Works through items in their order, so many at a time, as long as it may. An item that throws stops the others and is
 * thrown when they have ended; once `signal` has aborted, what an item throws is no more than that.
 */
export async function runPool<Item>(
  items: Item[],
  concurrency: number,
  limits: PoolLimits,
  work: (item: Item, signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([limits.signal, stop.signal]);
  setMaxListeners(0, signal);
  const defects: unknown[] = [];
  let next = 0;
  const takeTurns = async () => {
    while (next < items.length && !signal.aborted && limits.mayStart()) {
      const item = items[next++] as Item;
      try {
        await work(item, signal);
      } catch (error) {
        if (signal.aborted && error === signal.reason) return;
        defects.push(error);
        stop.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, takeTurns));
  if (defects.length > 0) throw defects[0];
}
