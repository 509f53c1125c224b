import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type pg from 'pg';
import { scaleWorkers } from './workload.ts';

/** More workers than this nobody gets. */
const mostWorkers = 50;
const longestBodyBytes = 10_000;

/** What the receiver works on; requests need the token as bearer. */
export interface ReceiverOptions {
  pool: pg.Pool;
  token: string;
}

/**
 * Answers what the remedies of the watchdog ask for: POST /services/NAME/redeploy brings a worker back, PATCH /scale with a merge
 * patch `{"spec":{"replicas":4}}` sets their number. GET /healthz needs no token.
 */
export function createReceiver(options: ReceiverOptions): Server {
  return createServer((request, response) => {
    void answer(options, request)
      .catch(() => ({ status: 500, body: { error: 'the ledger cannot be written' } }))
      .then(({ status, body }) => respond(response, status, body));
  });
}

interface Answer {
  status: number;
  body: unknown;
}

async function answer({ pool, token }: ReceiverOptions, request: IncomingMessage): Promise<Answer> {
  const { method = '', url = '', headers } = request;
  const route = `${method} ${url}`;
  if (route === 'GET /healthz') return { status: 200, body: { status: 'ok' } };
  if (headers.authorization !== `Bearer ${token}`) return { status: 401, body: { error: 'the token is wrong' } };
  const service = /^POST \/services\/([^/]+)\/redeploy$/.exec(route)?.[1];
  if (service !== undefined) return redeploy(pool, decodeURIComponent(service));
  if (route === 'PATCH /scale') return scale(pool, await readBody(request));
  return { status: 404, body: { error: `there is no ${route}` } };
}

async function redeploy(pool: pg.Pool, service: string): Promise<Answer> {
  const sql = 'update workers set last_heartbeat = now() where railway_svc_name = $1';
  const { rowCount } = await pool.query(sql, [service]);
  return rowCount === 0
    ? { status: 404, body: { error: `there is no service ${service}` } }
    : { status: 200, body: { service, status: 'redeployed' } };
}

async function scale(pool: pg.Pool, text: string): Promise<Answer> {
  const replicas = readReplicas(text);
  if (replicas === undefined) {
    return { status: 422, body: { error: `spec.replicas is a number from 0 to ${mostWorkers}` } };
  }
  const client = await pool.connect();
  await scaleWorkers(client, replicas).finally(() => client.release());
  return { status: 200, body: { spec: { replicas } } };
}

function readReplicas(text: string): number | undefined {
  try {
    const { spec } = JSON.parse(text) as { spec?: { replicas?: unknown } };
    const replicas = spec?.replicas;
    return Number.isInteger(replicas) && Number(replicas) >= 0 && Number(replicas) <= mostWorkers
      ? Number(replicas)
      : undefined;
  } catch {
    return undefined;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBodyBytes) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
