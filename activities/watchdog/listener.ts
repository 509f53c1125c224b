import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { WatchdogOrder, WatchdogPlan } from '../../workflows/contract.ts';
import { listenerReasons, sayError } from './listener-reasons.ts';
import { openNotifiedRuns } from './notified-runs.ts';
import { subscribe } from './subscription.ts';
import { observeWatch } from './watch-schedule.ts';

/** Listens for one definition until it is closed. */
export interface Listener {
  /** Tells that the definition still runs. */
  touch(): void;
  close(): Promise<void>;
}

/** What a listener listens to, and whom it tells. */
export interface ListenerSetting {
  client: Client;
  definition: { id: string; uuid: string };
  listen: NonNullable<WatchdogPlan['listen']>;
  /** The watched database. */
  url: string;
  /** How long after the last touch it asks whether the schedule is still there and not paused. */
  lifetimeMs: number;
  warn: (message: string) => void;
  /** Gets what the schedule runs by now whenever that was asked for; undefined where it runs nothing to listen for. */
  onSchedule: (order: WatchdogOrder | undefined) => void;
}

/** Opens a listener: a notification on the channel fires the definition. */
export function openListener(setting: ListenerSetting): Listener {
  const { client, definition, listen, url, lifetimeMs, warn, onSchedule } = setting;
  const closing = new AbortController();
  const { signal } = closing;
  const runs = openNotifiedRuns({ client, definitionId: definition.id, listen, warn, onSchedule, signal });
  const subscription = subscribe({
    ...{ url, channel: listen.channel, leaderKey: nameLeader(definition.uuid), warn, signal },
    name: `actcore listen ${definition.id}`,
    onNotification: () => runs.notify(),
  });
  let timer: NodeJS.Timeout;
  const touch = () => {
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(() => void check(), lifetimeMs);
  };
  const check = async () => {
    try {
      const watch = await client.withAbortSignal(signal, () => observeWatch(client, definition.id));
      if (signal.aborted) return;
      onSchedule(watch?.isPaused === false ? watch.order : undefined);
    } catch (error) {
      if (!signal.aborted) warn(listenerReasons.notChecked(sayError(error)));
    }
    touch();
  };
  touch();
  return {
    touch,
    async close() {
      closing.abort();
      clearTimeout(timer);
      await Promise.all([subscription, runs.end()]);
    },
  };
}

/** The key of an advisory lock, a bigint as text: of all the workers that listen for a definition one fires it. */
function nameLeader(definitionUuid: string): string {
  const digest = createHash('sha256').update(`actcore listen ${definitionUuid}`).digest();
  return digest.readBigInt64BE().toString();
}
