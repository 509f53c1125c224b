import type { Client } from '@temporalio/client';
import type { WatchdogOrder } from '../../workflows/contract.ts';
import { createRedactor } from '../redaction.ts';
import { chooseAddress } from './address.ts';
import { WatchError } from './check-error.ts';
import { listenerReasons } from './listener-reasons.ts';
import { type Listener, openListener } from './listener.ts';

/** What the listeners of a worker need from it. */
export interface ListenerOptions {
  client: Client;
  /** Where the address of a watched database is looked up. */
  environment: Record<string, string | undefined>;
  /** Takes a sentence about a listener in trouble; it goes on trying. */
  warn(message: string): void;
  /** How long after its last run a definition is taken to be running still; ten minutes when absent. */
  lifetimeMs?: number;
}

/** The listeners of a worker: one for each watchdog that a notification of its database may fire. */
export interface Listeners {
  /** Sees to it that the worker listens for this definition, as it is now; every run of the definition that is applied calls it. */
  refresh(order: WatchdogOrder): void;
  /** Ends them all, and their connections; nothing is fired afterwards. */
  close(): Promise<void>;
}

const usualLifetimeMs = 600_000;

/** Creates the listeners of a worker: none, until a run of a watchdog that has a channel asks for one. */
export function createListeners(options: ListenerOptions): Listeners {
  const { client, environment, lifetimeMs = usualLifetimeMs } = options;
  const listeners = new Map<string, { setting: string; listener: Listener }>();
  const ending = new Set<Promise<void>>();
  let isClosed = false;

  const drop = (id: string) => {
    const ended = listeners.get(id)?.listener.close();
    listeners.delete(id);
    if (ended === undefined) return;
    ending.add(ended);
    void ended.finally(() => ending.delete(ended));
  };

  const refresh = (order: WatchdogOrder) => {
    const { id, uuid } = order.definition;
    const { listen } = order.watchdog;
    if (isClosed) return;
    const address = listen && findAddress(order, environment);
    if (listen === undefined || address === undefined) return drop(id);
    const { url, secrets } = address;
    const setting = JSON.stringify([uuid, listen, url]);
    const known = listeners.get(id);
    if (known?.setting === setting) return known.listener.touch();
    drop(id);
    const redact = createRedactor(secrets);
    const warn = (message: string) => options.warn(redact(listenerReasons.trouble(id, listen.channel, message)));
    const onSchedule = (now: WatchdogOrder | undefined) => (now === undefined ? drop(id) : refresh(now));
    const listener = openListener({ client, definition: { id, uuid }, listen, url, lifetimeMs, warn, onSchedule });
    listeners.set(id, { setting, listener });
  };

  return {
    refresh,
    async close() {
      isClosed = true;
      for (const id of [...listeners.keys()]) drop(id);
      await Promise.all(ending);
    },
  };
}

/** Undefined where there is none: each run says so. */
function findAddress({ watchdog }: WatchdogOrder, environment: ListenerOptions['environment']) {
  try {
    return chooseAddress(watchdog, environment);
  } catch (error) {
    if (error instanceof WatchError) return undefined;
    throw error;
  }
}
