import type { IncomingMessage, ServerResponse } from 'node:http';
import { listenHttp } from './http-listener.ts';
import type { HttpAddress, HttpListener } from './http-listener.ts';
import type { Readiness } from './readiness.ts';

/** What the port shows; each is asked for anew at every request. */
export interface HttpPages {
  readiness: () => Promise<Readiness>;
  /** In the text format of Prometheus. */
  metrics: () => Promise<string>;
}

/** The port cannot be opened; the message says why. */
export class HttpPortError extends Error {
  override readonly name = 'HttpPortError';
}

interface Page {
  status: number;
  type: string;
  text: string;
}

const [json, plain] = ['application/json', 'text/plain; charset=utf-8'];
const exposition = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Opens the port that a cluster's probes and a scraper ask. Nobody is asked who they are: it shows how the worker is, and
 * neither content of a definition nor an address nor a secret.
 *
 * @throws HttpPortError
 */
export async function openHttpPort(address: HttpAddress, pages: HttpPages): Promise<HttpListener> {
  try {
    return await listenHttp((request, response) => {
      // Whatever a client sends beside its headers is not read.
      request.resume();
      void answer(request, pages).then(
        (page) => send(request, response, page),
        () => send(request, response, { status: 500, type: plain, text: 'this page cannot be made\n' }),
      );
    }, address);
  } catch (error) {
    throw new HttpPortError(`cannot listen on ${showAddress(address)}: ${explain(error)}`, { cause: error });
  }
}

/** As it is written in a URL. */
export function showAddress({ host, port }: HttpAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function answer({ method, url = '/' }: IncomingMessage, pages: HttpPages): Promise<Page> {
  const [path = '/'] = url.split('?');
  if (!['/healthz', '/readyz', '/metrics'].includes(path)) {
    return { status: 404, type: plain, text: 'there are /healthz, /readyz and /metrics\n' };
  }
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: plain, text: 'use GET or HEAD\n' };
  // That it is answered is the answer.
  if (path === '/healthz') return { status: 200, type: plain, text: 'ok\n' };
  if (path === '/metrics') return { status: 200, type: exposition, text: await pages.metrics() };
  const { isReady, ...shown } = await pages.readiness();
  return { status: isReady ? 200 : 503, type: json, text: `${JSON.stringify(shown)}\n` };
}

function send({ method }: IncomingMessage, response: ServerResponse, { status, type, text }: Page): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(method === 'HEAD' ? undefined : text);
}

const explanations: Record<string, string> = {
  EADDRINUSE: 'the port is taken',
  EACCES: 'this user may not',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'there is no such host',
};

function explain(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return explanations[code] ?? (error instanceof Error ? error.message : String(error));
}
