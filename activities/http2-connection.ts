import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { Socket } from 'node:net';
import { type Connection, type Received, type Sending, UnsentError, flattenHeaders } from './connection.ts';
import { ConnectionLostError, ExchangeError, nameFault } from './exchange-fault.ts';
import { type BodyBytes, collectBody } from './response-body.ts';

/** Headers of HTTP/1.1 that speak of the connection; RFC 9113 section 8.2.2 has no room for them. */
const aboutConnection = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Speaks HTTP/2 over a socket that is up, one stream at a time. Node's own: the HTTP library gives up an answer when the
 * server says that it will close after it (GOAWAY), and takes an answer that was broken off for a whole one.
 */
export function openHttp2Connection(socket: Socket, origin: string): Connection {
  const session = connect(origin, { createConnection: () => socket, settings: { enablePush: false } });
  let fault: Error | undefined;
  session.on('error', (error) => (fault ??= error));
  return {
    isAlive: () => !session.closed && !session.destroyed && !socket.destroyed,
    async send(sending) {
      if (session.closed || session.destroyed) throw new UnsentError(origin, new Error('the session has ended'));
      try {
        return await sendStream(session, sending, origin);
      } catch (error) {
        throw nameFault(error instanceof ExchangeError ? error : (fault ?? error), origin);
      }
    },
    destroy(reason) {
      session.destroy(reason, constants.NGHTTP2_CANCEL);
      socket.destroy();
    },
  };
}

function sendStream(session: ClientHttp2Session, sending: Sending, origin: string): Promise<Received> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    let answeredAt = startedAt;
    let bodyMs: number | undefined;
    let status = 0;
    let headers: Record<string, string> = {};
    let body: BodyBytes | undefined;
    const stream = session.request(shapeHeaders(sending, origin), { endStream: sending.body === null });
    stream.on('response', ({ ':status': statusCode, ...incoming }) => {
      answeredAt = performance.now();
      status = statusCode ?? 0;
      headers = flattenHeaders(incoming);
      body = collectBody(headers['content-encoding'] ?? '', origin);
    });
    stream.on('data', (chunk: Buffer) => {
      try {
        body?.add(chunk);
      } catch (error) {
        reject(error);
        stream.close(constants.NGHTTP2_CANCEL);
      }
    });
    stream.on('end', () => (bodyMs = performance.now() - answeredAt));
    stream.on('error', (error) => {
      reject(stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? new UnsentError(origin, error) : error);
    });
    stream.on('close', () => {
      const times = { firstByteMs: answeredAt - startedAt, bodyMs: bodyMs ?? 0 };
      const read = (text: string) => resolve({ status, headers, text, ...times });
      const isWhole = stream.rstCode === constants.NGHTTP2_NO_ERROR && bodyMs !== undefined;
      if (isWhole && body !== undefined) Promise.resolve(body.readText()).then(read, reject);
      else reject(new ConnectionLostError(`${origin} broke off the exchange (HTTP/2 code ${stream.rstCode})`));
    });
    if (sending.body !== null) stream.end(sending.body);
  });
}

function shapeHeaders({ method, path, headers }: Sending, origin: string): Record<string, string> {
  const { host, protocol } = new URL(origin);
  const kept = Object.entries(headers).filter(([name]) => !aboutConnection.has(name));
  return {
    ...Object.fromEntries(kept),
    ':method': method,
    ':path': path,
    ':scheme': protocol.slice(0, -1),
    ':authority': headers['host'] ?? host,
  };
}
