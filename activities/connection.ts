import type { Socket } from 'node:net';
import { Client } from 'undici';
import type { Dispatcher } from 'undici';
import { ConnectionLostError, ExchangeError, TargetUnreachableError, nameFault } from './exchange-fault.ts';
import { type BodyBytes, collectBody } from './response-body.ts';

/** A request as it goes over a connection: `path` is the whole URL where an HTTP proxy passes it on. */
export interface Sending {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | null;
}

/** An answer read whole, and how long it took: until its headers had come, and from then on. */
export interface Received {
  status: number;
  headers: Record<string, string>;
  text: string;
  firstByteMs: number;
  bodyMs: number;
}

/** One connection to one target, which carries one exchange at a time. */
export interface Connection {
  isAlive(): boolean;
  /** Sends a request once: a connection that breaks is not made again. Rejects with an ExchangeError. */
  send(sending: Sending): Promise<Received>;
  /** Closes it; what is being sent over it rejects with `reason`. */
  destroy(reason: Error): void;
}

/** The connection ended before the target had taken the request: it may be sent on another one. */
export class UnsentError extends TargetUnreachableError {
  constructor(origin: string, cause: Error) {
    super(`${origin} closed the connection before it had taken the request`, { cause });
  }
}

/** Servers close idle connections after 2 s or more; a request that is sent at that very moment would be lost. */
const keepIdleMs = 1_000;

/** Speaks HTTP/1.1 over a socket that is up. */
export function openHttp1Connection(socket: Socket, origin: string): Connection {
  let isTaken = false;
  let fault: Error | undefined;
  socket.on('error', (error) => (fault ??= error));
  const client = new Client(origin, {
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
    keepAliveTimeout: keepIdleMs,
    keepAliveMaxTimeout: keepIdleMs,
    allowH2: false,
    connect: (_, settle) => {
      const lost = isTaken ? new ConnectionLostError(`${origin} closed the connection before it had answered`) : null;
      isTaken = true;
      queueMicrotask(() => (lost === null ? settle(null, socket) : settle(lost, null)));
    },
  });
  return {
    isAlive: () => !socket.destroyed && socket.writable && !client.destroyed,
    send(sending) {
      return sendOver(client, sending, origin, (error, isSent) => {
        // The library tells of the end of a socket, and not of the TLS alert before it.
        const named = nameFault(error instanceof ExchangeError ? error : (fault ?? error), origin);
        return !isSent && named instanceof ConnectionLostError ? new UnsentError(origin, named) : named;
      });
    },
    destroy(reason) {
      void client.destroy(reason);
      socket.destroy();
    },
  };
}

function sendOver(
  client: Client,
  sending: Sending,
  origin: string,
  nameError: (error: unknown, isSent: boolean) => Error,
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(nameError(error, isSent));
    let isSent = false;
    let startedAt = performance.now();
    let answeredAt = startedAt;
    let status = 0;
    let headers: Record<string, string> = {};
    let body: BodyBytes | undefined;
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {
        isSent = true;
        startedAt = performance.now();
      },
      onResponseStart(_, statusCode, incoming) {
        if (statusCode < 200) return;
        answeredAt = performance.now();
        status = statusCode;
        headers = flattenHeaders(incoming);
        body = collectBody(headers['content-encoding'] ?? '', origin);
      },
      onResponseData(_, chunk) {
        body?.add(chunk);
      },
      onResponseEnd() {
        const bodyMs = performance.now() - answeredAt;
        const firstByteMs = answeredAt - startedAt;
        const read = (text: string) => resolve({ status, headers, text, firstByteMs, bodyMs });
        const text = body?.readText();
        if (typeof text === 'string') read(text);
        else text?.then(read, fail);
      },
      onResponseError(_, error) {
        fail(error);
      },
    };
    try {
      client.dispatch(sending, handler);
    } catch (error) {
      fail(error);
    }
  });
}

/** Names in lower case, several values joined by ", ". */
export function flattenHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}
