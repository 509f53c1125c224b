import type { IncomingMessage, ServerResponse } from 'node:http';
import type pg from 'pg';
import { listProgressEvents } from './progress.ts';
import { listRepos } from './registry.ts';
import { checkToken, readLimit, readSweepRequest, Refusal } from './request.ts';
import { SweepStop } from './stop.ts';
import { runSweep } from './sweep.ts';
import { describeError } from './walk.ts';

/** What the routes work with. */
export interface RouteContext {
  pool: pg.Pool;
  databaseUrl: string;
  token: string | undefined;
  /** Aborted with a SweepStop when the service closes. */
  closing: AbortSignal;
}

interface Answer {
  status: number;
  body: object;
  headers?: Record<string, string>;
}

interface Route {
  method: 'GET' | 'POST';
  /** Answered without a token: what a probe asks. */
  open?: true;
  answer(context: RouteContext, exchange: Exchange): Promise<Answer>;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
}

const routes: Record<string, Route> = {
  '/consistency/sweep/remote-all': { method: 'POST', answer: answerSweep },
  '/progress': {
    method: 'GET',
    answer: async ({ pool }, { query }) => ok({ events: await listProgressEvents(pool, readLimit(query)) }),
  },
  '/repos': { method: 'GET', answer: async ({ pool }) => ok({ repos: await listRepos(pool) }) },
  '/healthz': { method: 'GET', open: true, answer: answerHealth },
};

/** Answers one request, to the last byte; whatever happens, the answer is JSON, and its `error` is a sentence. */
export async function answerRequest(
  context: RouteContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await findAnswer(context, request, response).catch(describeRefusal);
  if (response.destroyed) return;
  const body = `${JSON.stringify(answer.body)}\n`;
  response.writeHead(answer.status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...answer.headers,
  });
  const closed = new Promise((resolve) => response.once('close', resolve));
  response.end(body);
  await closed;
}

async function findAnswer(context: RouteContext, request: IncomingMessage, response: ServerResponse): Promise<Answer> {
  const [path = '', search = ''] = (request.url ?? '').split('?', 2);
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (context.token !== undefined && route?.open !== true) checkToken(request, context.token);
  if (route === undefined) throw new Refusal(404, `there is nothing at ${path}; see ${Object.keys(routes).join(', ')}`);
  if (request.method !== route.method) {
    throw new Refusal(405, `${path} answers ${route.method} only`, { allow: route.method });
  }
  return route.answer(context, { request, response, query: new URLSearchParams(search) });
}

async function answerSweep(context: RouteContext, { request, response }: Exchange): Promise<Answer> {
  const sweepRequest = await readSweepRequest(request);
  const stop = new AbortController();
  const onClosing = (): void => stop.abort(context.closing.reason);
  const onClose = (): void => {
    if (!response.writableFinished) stop.abort(new SweepStop('client_gone'));
  };
  context.closing.addEventListener('abort', onClosing, { once: true });
  response.once('close', onClose);
  if (context.closing.aborted) onClosing();
  if (response.destroyed) onClose();
  try {
    const { report } = await runSweep(context.databaseUrl, sweepRequest, stop.signal);
    return ok(report);
  } finally {
    context.closing.removeEventListener('abort', onClosing);
  }
}

async function answerHealth({ pool }: RouteContext): Promise<Answer> {
  try {
    await pool.query('select 1');
    return ok({ status: 'ok' });
  } catch (error) {
    return { status: 503, body: { status: 'unavailable', error: `the database: ${describeError(error)}` } };
  }
}

function ok(body: object): Answer {
  return { status: 200, body };
}

function describeRefusal(error: unknown): Answer {
  if (error instanceof Refusal) return { status: error.status, body: { error: error.message }, headers: error.headers };
  return { status: 503, body: { error: `the State Hub cannot answer now: ${describeError(error)}` } };
}
