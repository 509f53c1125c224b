import type { LookupFunction } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { type Connection, UnsentError, openHttp1Connection } from './connection.ts';
import { type ConnectionPool, openConnectionPool } from './connection-pool.ts';
import { dial } from './dial.ts';
import { ExchangeError } from './exchange-fault.ts';
import { openHttp2Connection } from './http2-connection.ts';
import type { Proxy } from './proxy.ts';

/** A connection for one exchange, and what it took to make it: nothing where it was kept from before. */
export interface UsedConnection {
  connection: Connection;
  connectMs: number;
  tlsMs: number;
}

/** All connections of a client. */
export interface Connections {
  /**
   * Does `work` on a connection to the origin of `url`: on a kept one where there is one, and on a new one where that turned
   * out to be closed. It is kept when the work succeeds.
   */
  use<T>(
    url: URL,
    proxy: Proxy | undefined,
    signal: AbortSignal,
    work: (used: UsedConnection) => Promise<T>,
  ): Promise<T>;
  close(): void;
}

export interface ConnectionsOptions {
  lookupFor: (url: URL) => LookupFunction;
  secureContext: SecureContext | undefined;
  /** At most so many to one origin. */
  limit: number;
}

/** Opens none yet: each is made when an exchange needs it. */
export function openConnections({ lookupFor, secureContext, limit }: ConnectionsOptions): Connections {
  const pools = new Map<string, ConnectionPool>();
  const open = new Set<Connection>();
  const poolOf = (origin: string) => {
    const pool = pools.get(origin) ?? openConnectionPool(limit);
    pools.set(origin, pool);
    return pool;
  };
  const connect = async (url: URL, proxy: Proxy | undefined, signal: AbortSignal): Promise<UsedConnection> => {
    const { socket, ...times } = await dial({ url, lookup: lookupFor(url), secureContext, proxy }, signal);
    const speak =
      socket instanceof TLSSocket && socket.alpnProtocol === 'h2' ? openHttp2Connection : openHttp1Connection;
    const connection = speak(socket, url.origin);
    open.add(connection);
    socket.once('close', () => open.delete(connection));
    return { connection, ...times };
  };
  return {
    async use(url, proxy, signal, work) {
      const pool = poolOf(url.origin);
      const turn = pool.enter(signal);
      if (turn !== undefined) await turn;
      let kept: Connection | undefined;
      try {
        const idle = pool.hasIdle() ? await pool.takeIdle() : undefined;
        const first =
          idle === undefined ? await connect(url, proxy, signal) : { connection: idle, connectMs: 0, tlsMs: 0 };
        kept = first.connection;
        try {
          return await work(first);
        } catch (error) {
          if (idle === undefined || !(error instanceof UnsentError)) throw error;
        }
        const second = await connect(url, proxy, signal);
        kept = second.connection;
        return await work(second);
      } finally {
        pool.leave(kept);
      }
    },
    close() {
      for (const connection of open) connection.destroy(new ExchangeError('the client was closed'));
    },
  };
}
