import type { Connection } from './connection.ts';

/** The connections to one origin: a limit on how many are at work, and those that wait for their next exchange. */
export interface ConnectionPool {
  /** Undefined where there is a place; waits for one where the limit is reached. */
  enter(signal: AbortSignal): Promise<void> | undefined;
  hasIdle(): boolean;
  /** One that is kept from before; undefined where a new one has to be made. */
  takeIdle(): Promise<Connection | undefined>;
  /** Ends what `enter` began; a connection that is handed in is kept where it is still alive. */
  leave(connection?: Connection): void;
}

/** A pool whose limit may be `Infinity`. */
export function openConnectionPool(limit: number): ConnectionPool {
  let atWork = 0;
  let idle: Connection[] = [];
  const waiting = new Set<() => void>();
  return {
    enter(signal) {
      if (atWork >= limit) return waitForTurn(waiting, signal);
      atWork += 1;
      return undefined;
    },
    hasIdle: () => idle.length > 0,
    takeIdle() {
      const take = () => {
        idle = idle.filter((connection) => connection.isAlive());
        return idle.pop();
      };
      // A server that closes after its answer without saying so is found out now, and not by a request that is lost.
      return new Promise((resolve) => setImmediate(() => resolve(take())));
    },
    leave(connection) {
      if (connection?.isAlive() === true) idle.push(connection);
      const [next] = waiting;
      if (next === undefined) atWork -= 1;
      else next();
    },
  };
}

function waitForTurn(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      waiting.delete(take);
      reject(signal.reason as Error);
    };
    const take = () => {
      waiting.delete(take);
      signal.removeEventListener('abort', onAbort);
      resolve();
    };
    waiting.add(take);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
