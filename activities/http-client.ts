import { setMaxListeners } from 'node:events';
import type { Sending } from './connection.ts';
import { type UsedConnection, openConnections } from './connections.ts';
import { nameFault } from './exchange-fault.ts';
import type { HostGuard } from './host-guard.ts';
import { type Proxy, findProxy } from './proxy.ts';
import { acceptedEncodings } from './response-body.ts';
import { type TlsFiles, readTlsFiles } from './tls-files.ts';

/** A request with every value in it. The body is text ready to send. */
export interface HttpRequest {
  method: string;
  url: string;
  /** The same, where whoever made the request has it already. */
  parsed?: URL;
  headers: Record<string, string>;
  body?: string;
}

/** Where the time of an exchange went, in milliseconds; connecting, name lookup included, took none where a connection was kept. */
export interface ExchangeTiming {
  connectMs: number;
  tlsMs: number;
  firstByteMs: number;
  bodyMs: number;
}

/** An answer read whole: headers in lower case, several values joined by ", ". */
export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  text: string;
  timing: ExchangeTiming;
}

/** What an exchange throws besides the signal's reason. */
export { ConnectionLostError, ExchangeError, ForbiddenHostError, TargetUnreachableError } from './exchange-fault.ts';

/** The HTTP client of one run, which keeps its connections until it is closed. */
export interface HttpClient {
  /**
   * Sends a request once and reads the answer, however long it takes until `signal` says stop. Redirects are not followed.
   *
   * @throws ExchangeError or one of its kinds, or the signal's reason
   */
  exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
  close(): Promise<void>;
}

export interface ClientOptions {
  /** File names with their variables filled in. */
  tls?: TlsFiles;
  guard: HostGuard;
  /** Where proxies are named. */
  environment: Record<string, string | undefined>;
  /** At most so many at once to one origin. */
  connections?: number;
}

/**
 * Opens the client of a run.
 *
 * @throws ExchangeError that names the certificate or key file that cannot be used
 */
export async function openHttpClient(options: ClientOptions): Promise<HttpClient> {
  const { guard, environment, connections: limit = Infinity } = options;
  const secureContext = await readTlsFiles(options.tls ?? {});
  const connections = openConnections({ lookupFor: (url) => guard.lookupFor(url), secureContext, limit });

  return {
    async exchange(request, signal) {
      signal.throwIfAborted();
      setMaxListeners(0, signal);
      const startedAt = performance.now();
      try {
        const url = request.parsed ?? new URL(request.url);
        const proxy = findProxy(url, environment);
        guard.check(url, proxy !== undefined);
        const sending = shapeRequest(url, request, proxy);
        return await connections.use(url, proxy, signal, (used) => sendUnder(used, sending, signal));
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const fault = nameFault(error, new URL(request.url).origin);
        fault.elapsedMs = performance.now() - startedAt;
        throw fault;
      }
    },
    async close() {
      connections.close();
    },
  };
}

/** Absolute form for a plain request through a proxy (RFC 9112 section 3.2.2); TLS goes through a tunnel instead. */
function shapeRequest(url: URL, { method, headers, body }: HttpRequest, proxy: Proxy | undefined): Sending {
  const path = `${url.pathname}${url.search}`;
  const isPassedOn = proxy !== undefined && url.protocol === 'http:';
  return {
    method,
    path: isPassedOn ? `${url.origin}${path}` : path,
    headers: { 'accept-encoding': acceptedEncodings, ...headers, ...(isPassedOn ? proxy.headers : {}) },
    body: body ?? null,
  };
}

/** Whatever goes wrong, the connection does not outlive it. */
async function sendUnder(
  { connection, connectMs, tlsMs }: UsedConnection,
  sending: Sending,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const onAbort = () => connection.destroy(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    const { status, headers, text, firstByteMs, bodyMs } = await connection.send(sending);
    return { status, headers, text, timing: { connectMs, tlsMs, firstByteMs, bodyMs } };
  } catch (error) {
    connection.destroy(error as Error);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
