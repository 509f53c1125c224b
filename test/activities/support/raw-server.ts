import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A server on bare sockets, for answers that no HTTP library would give. */
export interface RawServer {
  port: number;
  url: string;
  /** How many connections it got. */
  connections: () => number;
  /** Resolves when the first connection has been closed by the other side. */
  firstClosed: Promise<void>;
  close: () => Promise<void>;
}

/** Starts such a server; `serve` is called for each connection once its request's first bytes are there. */
export async function startRawServer(
  serve: (socket: Socket) => unknown,
  { host = '127.0.0.1', port = 0 }: { host?: string; port?: number } = {},
): Promise<RawServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let settleClosed = () => {};
  const firstClosed = new Promise<void>((resolve) => (settleClosed = resolve));
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => serve(socket));
    socket.resume();
    socket.once('close', () => {
      sockets.delete(socket);
      settleClosed();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    connections: () => connections,
    firstClosed,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The head of an answer. */
export function head(status: string, headers: Record<string, string | number> = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`;
}
