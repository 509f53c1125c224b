import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A request as the target got it. */
export interface Call {
  at: number;
  method: string;
  /** With its query. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** When the caller closed the connection before it had its answer. */
  abortedAt?: number;
}

/** A target of sweeps on loopback that keeps what it was asked. */
export interface Target {
  url: string;
  calls: Call[];
  /** How it answers from now on. */
  answer: (call: Call, response: ServerResponse) => void | Promise<void>;
  close(): Promise<void>;
}

/** The answer of a healthy target. */
export const healthy = { status: 'completed', automation_error: null, assessment_failures: [] };

/** Starts a target that answers `healthy` at once until it is told otherwise. */
export async function startTarget(): Promise<Target> {
  const target: Target = {
    url: '',
    calls: [],
    answer: (_, response) => sendJson(response, healthy),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer((request, response) => void receive(target, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  target.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return target;
}

async function receive(target: Target, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const call: Call = {
    ...{ at: Date.now(), method: request.method ?? '', path: request.url ?? '' },
    headers: request.headers,
    body: Buffer.concat(chunks).toString(),
  };
  response.on('close', () => {
    if (!response.writableEnded) call.abortedAt = Date.now();
  });
  target.calls.push(call);
  await target.answer(call, response);
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** An answer that comes late. */
export function answerAfter(delayMs: number, body: unknown = healthy): Target['answer'] {
  return async (_, response) => {
    await sleep(delayMs);
    if (!response.destroyed) sendJson(response, body);
  };
}
