import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

/** The name of a file in test/fixtures/tls. */
export function tlsFile(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
}

const read = (name: string) => readFileSync(tlsFile(name));

export interface TlsTarget {
  url: string;
  /** Connections, not requests. */
  connections: () => number;
  sockets: Set<Socket>;
  close: () => Promise<unknown>;
}

/** A target that speaks HTTPS with a certificate of test/fixtures/tls, over HTTP/2 only where told so. */
export async function startTlsTarget(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
  {
    cert = 'server.pem',
    host = '127.0.0.1',
    isHttp2 = false,
    demandsClientCertificate = false,
  }: { cert?: string; host?: string; isHttp2?: boolean; demandsClientCertificate?: boolean } = {},
): Promise<TlsTarget> {
  const options = {
    cert: read(cert),
    key: read('server.key'),
    ...(demandsClientCertificate ? { requestCert: true, rejectUnauthorized: true, ca: read('ca.pem') } : {}),
  };
  const listener: RequestListener = (request, response) => void answer(request, response);
  const server: Server = isHttp2
    ? createSecureServer({ ...options, allowHTTP1: false }, listener as never)
    : createServer(options, listener);
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('secureConnection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    connections: () => connections,
    sockets,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
