import { createServer } from 'node:http';
import type { RequestListener, ServerOptions } from 'node:http';

/** Where to listen; port 0 is any free one. */
export interface HttpAddress {
  host: string;
  port: number;
}

/** A listener of this worker. */
export interface HttpListener {
  /** The port that it got. */
  port: number;
  close: () => Promise<void>;
}

/** More than a scrape and three probes at once; whoever holds connections open takes them from nobody else. */
const mostConnections = 128;
/** A request has no body to wait for: one that takes longer than this to arrive is cut. */
const arrivalMs = 5_000;

const limits: ServerOptions = {
  headersTimeout: arrivalMs,
  requestTimeout: arrivalMs,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: arrivalMs,
  maxHeaderSize: 8_192,
};

/** Listens; rejects with what the system says where it cannot. */
export async function listenHttp(handler: RequestListener, { host, port }: HttpAddress): Promise<HttpListener> {
  const server = createServer(limits, handler);
  server.maxConnections = mostConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  // What goes wrong with one connection later ends that connection, and not the process.
  server.on('error', () => {});
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
