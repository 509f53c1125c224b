import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listenHttp } from './http-listener.ts';

/** What the worker does for itself when one of its own runs asks for it: by path, given the body, it gives the answer. */
export type SelfServices = Record<string, (body: Record<string, unknown>) => Promise<unknown>>;

/** An endpoint that only this worker's own runs can use; they find it in the variables. */
export interface SelfEndpoint {
  variables: { ACTCORE_SELF_URL: string; ACTCORE_SELF_TOKEN: string };
  close(): Promise<void>;
}

const longestBody = 65_536;

/** Opens the endpoint on loopback, on a free port, under a token that nobody else is told. */
export async function openSelfEndpoint(services: SelfServices): Promise<SelfEndpoint> {
  const token = randomBytes(24).toString('base64url');
  const handler = (request: IncomingMessage, response: ServerResponse) => {
    void answer(services, token, request).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => send(response, 503, { error: error instanceof Error ? error.message : String(error) }),
    );
  };
  const { port, close } = await listenHttp(handler, { host: '127.0.0.1', port: 0 });
  return {
    variables: { ACTCORE_SELF_URL: `http://127.0.0.1:${port}`, ACTCORE_SELF_TOKEN: token },
    close,
  };
}

interface Answer {
  status: number;
  body: unknown;
}

async function answer(services: SelfServices, token: string, request: IncomingMessage): Promise<Answer> {
  const given = request.headers.authorization ?? '';
  if (!isEqual(given, `Bearer ${token}`)) return { status: 401, body: { error: 'this is for runs of this worker' } };
  const [path = ''] = (request.url ?? '').split('?');
  const service = Object.hasOwn(services, path) ? services[path] : undefined;
  if (service === undefined) return { status: 404, body: { error: `there is no ${path}` } };
  if (request.method !== 'POST') return { status: 405, body: { error: 'use POST' } };
  const body = await readBody(request);
  if (body === undefined) return { status: 400, body: { error: 'the body is not a JSON object' } };
  return { status: 200, body: await service(body) };
}

/** Takes as long for any text. */
function isEqual(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > longestBody) return undefined;
  }
  if (text === '') return {};
  try {
    const body: unknown = JSON.parse(text);
    const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
    return isObject ? (body as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
