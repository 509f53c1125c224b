import { setMaxListeners } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { registerClonesIn } from './registry.ts';
import { answerRequest } from './routes.ts';
import { ensureSchema } from './schema.ts';
import { SweepStop } from './stop.ts';

/** Where and on what a State Hub runs. */
export interface StateHubOptions {
  databaseUrl: string;
  /** Every clone that stands directly in this folder is registered at the start. */
  reposDir?: string;
  /** 0 takes a free one. */
  port: number;
  /** Loopback when not given. */
  host?: string;
  /** When given, requests need it as bearer token; `/healthz` does not. */
  token?: string;
}

/** A State Hub that answers. */
export interface StateHub {
  url: string;
  port: number;
  /** Stops running sweeps, answers what is open, and is done within 5 s. */
  close(): Promise<void>;
}

const closeWithinMs = 4_000;

/** Makes the schema, registers the clones and listens. Rejects where database, folder or port cannot be used. */
export async function startStateHub(options: StateHubOptions): Promise<StateHub> {
  const { databaseUrl, reposDir, port, host = '127.0.0.1', token } = options;
  const pool = openPool(databaseUrl);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal); // every sweep request that is open listens
  const context = { pool, databaseUrl, token, closing: closing.signal };
  const open = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const answering = answerRequest(context, request, response).finally(() => open.delete(answering));
    open.add(answering);
  });
  try {
    await ensureSchema(pool);
    if (reposDir !== undefined) await registerClonesIn(pool, reposDir);
    await listen(server, port, host);
  } catch (error) {
    await pool.end();
    throw error;
  }
  const { port: taken } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    closing.abort(new SweepStop('closing'));
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    const answered = Promise.all(open).then(() => server.closeAllConnections());
    await waitAtMost(answered, closeWithinMs);
    server.closeAllConnections();
    await closed;
    await waitAtMost(pool.end(), 500);
  };
  let closed: Promise<void> | undefined;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    port: taken,
    close: () => (closed ??= close()),
  };
}

/** A pool whose idle connections may break without ending the process. */
export function openPool(databaseUrl: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
    max: 4,
    application_name: 'state-hub',
  });
  pool.on('error', () => undefined);
  return pool;
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function waitAtMost(work: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    work,
    new Promise((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    }),
  ]);
  clearTimeout(timer);
}
