import pg from 'pg';
import { awaitAtMost } from '../patience.ts';
import type { DatabaseAddress } from './address.ts';
import { WatchError } from './check-error.ts';
import { explainConnectFault } from './connect-fault.ts';
import { watchReasons } from './watch-reasons.ts';

/** The one connection of a run to the watched database. */
export interface WatchedDatabase {
  /** Every value of a row is the text that Postgres wrote; null for NULL. */
  client: pg.Client;
  /** Which server it is: pg_control_system's, or where that may not be asked its address. */
  systemIdentifier: string;
  /** False once the connection is broken. */
  isAlive(): boolean;
  close(): Promise<void>;
}

/** What a connection needs to know of its run. */
export interface ConnectOptions {
  runId: string;
  /** Ends the statement under way, and with it the connection. */
  signal: AbortSignal;
  timeoutMs: number;
  /** No run lasts longer: a session that says nothing for so long belongs to a worker that is frozen or gone. */
  longestMs: number;
}

const cancelAllowanceMs = 500;
/** How long after a statement was cancelled its caller may still use the connection, to roll back. */
const unwindMs = 200;
const closeAllowanceMs = 1_000;
/** A transaction waits for the history, and for nothing that takes longer. */
const idleInTransactionMs = 30_000;

const asText = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

/**
 * Connects to the watched database. An abort of the signal cancels what it is at, within half a second, and closes it.
 *
 * @throws WatchError in one sentence without the password; the signal's reason
 */
export async function openWatched(address: DatabaseAddress, options: ConnectOptions): Promise<WatchedDatabase> {
  const { signal, timeoutMs, runId } = options;
  const client = new pg.Client({
    connectionString: address.url,
    connectionTimeoutMillis: timeoutMs,
    application_name: `actcore ${runId}`,
    types: asText,
    keepAlive: true,
  });
  let isAlive = true;
  // A connection that breaks while nothing is asked says so here, and to the next query.
  client.on('error', () => (isAlive = false));
  client.on('end', () => (isAlive = false));
  let onAbort = () => destroy(client);
  const onSignal = () => onAbort();
  signal.throwIfAborted();
  signal.addEventListener('abort', onSignal);
  try {
    await client.connect();
    const { pid, systemIdentifier } = await readFacts(client, address);
    await adjustSession(client, options);
    onAbort = () => void cancel(address.url, pid).finally(() => setTimeout(() => destroy(client), unwindMs));
    if (signal.aborted) throw signal.reason;
    return {
      ...{ client, systemIdentifier, isAlive: () => isAlive },
      async close() {
        signal.removeEventListener('abort', onSignal);
        if (
          (await awaitAtMost(
            closeAllowanceMs,
            client.end().then(() => true),
          )) !== true
        )
          destroy(client);
      },
    };
  } catch (error) {
    signal.removeEventListener('abort', onSignal);
    destroy(client);
    if (signal.aborted) throw signal.reason;
    if (error instanceof WatchError) throw error;
    throw new WatchError(explainConnectFault(error, address, timeoutMs), { cause: error });
  }
}

async function readFacts(client: pg.Client, address: DatabaseAddress) {
  const server = '(SELECT system_identifier FROM pg_control_system())';
  const ask = (identifier: string) =>
    client.query<{ pid: string; server: string }>(`SELECT pg_backend_pid() AS pid, ${identifier}::text AS server`);
  const { rows } = await ask(server).catch(() => ask('NULL'));
  const { pid, server: systemIdentifier } = rows[0] ?? { pid: '', server: '' };
  const { processID } = client as unknown as { processID: number | null };
  if (String(processID) !== pid) throw new WatchError(watchReasons.pooled(address.variable, address.place));
  return { pid, systemIdentifier: systemIdentifier ?? address.place };
}

/** So that a session whose worker died without a word ends soon, with its transaction and its lock. Older servers know less of it. */
async function adjustSession(client: pg.Client, { runId, longestMs }: ConnectOptions): Promise<void> {
  const settings = Object.entries({
    application_name: `actcore ${runId}`,
    client_connection_check_interval: '2000',
    idle_in_transaction_session_timeout: String(idleInTransactionMs),
    idle_session_timeout: String(Math.max(idleInTransactionMs, longestMs)),
    tcp_keepalives_idle: '10',
    tcp_keepalives_interval: '5',
    tcp_keepalives_count: '3',
    extra_float_digits: '1',
  });
  const wanted = settings.map(([name, value]) => `('${name}', '${value}')`).join(', ');
  await client
    .query(
      `SELECT set_config(name, wanted.value, false) FROM (VALUES ${wanted}) wanted (name, value) JOIN pg_settings USING (name)`,
    )
    .catch(() => {});
}

/** By another connection, for this one is busy. */
async function cancel(url: string, pid: string): Promise<void> {
  const second = new pg.Client({ connectionString: url, connectionTimeoutMillis: cancelAllowanceMs });
  second.on('error', () => {});
  const cancelled = second.connect().then(() => second.query('SELECT pg_cancel_backend($1::int)', [pid]));
  await awaitAtMost(cancelAllowanceMs, cancelled).catch(() => {});
  destroy(second);
}

/** Closes the socket at once: the server rolls back. */
function destroy(client: pg.Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
}
