import { Socket } from 'node:net';
import pg from 'pg';
import { awaitAtMost } from '../patience.ts';
import { pause } from '../pause.ts';
import { listenerReasons, sayError } from './listener-reasons.ts';

/** One channel of one database. */
export interface Subscription {
  url: string;
  channel: string;
  /** The key of the advisory lock that lets one of the workers listen, a bigint as text. */
  leaderKey: string;
  /** What the connection is called in pg_stat_activity. */
  name: string;
  /** Something was notified, or may have been while nobody listened. */
  onNotification: () => void;
  warn: (message: string) => void;
  signal: AbortSignal;
}

const connectTimeoutMs = 10_000;
const answerTimeoutMs = 10_000;
/** How often a worker that stands by asks whether the one that listens is gone. */
const standbyMs = 2_000;
/** How often the one that listens asks whether its connection is still one. */
const pulseMs = 30_000;
const firstBackoffMs = 250;
const longestBackoffMs = 30_000;
/** A connection that lasted so long was no failure. */
const soundMs = 60_000;
const farewellMs = 1_000;

/**
 * Listens on a channel until the signal is aborted, and resolves when its connection is closed. Of several workers one
 * listens; when it is gone another takes over. What may have been missed meanwhile counts as a notification.
 */
export async function subscribe(subscription: Subscription): Promise<void> {
  const { signal, warn } = subscription;
  const gap: Gap = { mayHaveMissed: false };
  let backoffMs = firstBackoffMs;
  while (!signal.aborted) {
    const startedAt = Date.now();
    try {
      await listenOnce(subscription, gap);
    } catch (error) {
      if (signal.aborted) return;
      gap.mayHaveMissed = true;
      if (Date.now() - startedAt > soundMs) backoffMs = firstBackoffMs;
      // Said once an outage, and not of a connection that is back at the first try.
      if (backoffMs === 2 * firstBackoffMs) warn(listenerReasons.disconnected(sayError(error)));
      await pause(backoffMs, signal).catch(() => {});
      backoffMs = Math.min(2 * backoffMs, longestBackoffMs);
    }
  }
}

/** Whether something may have been notified that nobody of this worker has heard. */
interface Gap {
  mayHaveMissed: boolean;
}

/** Never resolves: it throws what ended the connection, or the signal's reason. */
async function listenOnce(subscription: Subscription, gap: Gap): Promise<never> {
  const { channel, leaderKey, onNotification } = subscription;
  const { client, gone, close } = openClient(subscription);
  try {
    await client.connect();
    while (!(await becomeLeader(client, leaderKey))) {
      gap.mayHaveMissed = true;
      await pause(standbyMs, gone);
    }
    client.on('notification', onNotification);
    await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    if (gap.mayHaveMissed) onNotification();
    for (;;) {
      await pause(pulseMs, gone);
      await client.query('SELECT');
    }
  } finally {
    await close();
  }
}

/** `gone` is aborted when the connection is lost, or the subscription over. */
function openClient({ url, name, signal }: Subscription) {
  const lost = new AbortController();
  const socket = new Socket();
  const client = new pg.Client({
    ...{ connectionString: url, application_name: name, keepAlive: true, stream: () => socket },
    ...{ connectionTimeoutMillis: connectTimeoutMs, query_timeout: answerTimeoutMs },
  });
  client.on('error', (error) => lost.abort(error));
  client.on('end', () => lost.abort(new Error('the connection was closed')));
  const hangUp = () => void socket.destroy();
  signal.addEventListener('abort', hangUp, { once: true });
  return {
    client,
    gone: AbortSignal.any([signal, lost.signal]),
    close: async () => {
      signal.removeEventListener('abort', hangUp);
      await awaitAtMost(
        farewellMs,
        client.end().catch(() => {}),
      );
      hangUp();
    },
  };
}

async function becomeLeader(client: pg.Client, leaderKey: string): Promise<boolean> {
  const { rows } = await client.query<{ leads: boolean }>('SELECT pg_try_advisory_lock($1) AS leads', [leaderKey]);
  return rows[0]?.leads === true;
}
