import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownSource } from '../workflows/contract.ts';

/** What a target does with a request; `busy` turns away the first one of each tick, `refuse` does not even listen. */
export type Behaviour = 'healthy' | 'hang' | 'refuse' | 'garbage' | 'huge' | 'busy';

/** A request that the target took up. */
export interface Call {
  definition: string;
  /** Who called. */
  source: string;
  tickMs: number;
  at: number;
  /** When it was answered, or the caller was gone. */
  endedAt?: number;
  behaviour: Behaviour;
  /** Whether it has worked, and said so to the end. */
  isAnswered: boolean;
  /** Whether it was sent away without work: by a busy target, or as somebody else held the lock. */
  isTurnedAway: boolean;
}

/** A target of sweeps, as a real server on loopback. */
export interface DrillTarget {
  url: string;
  calls: Call[];
  behave(behaviour: Behaviour): Promise<void>;
  /** How far its clock is ahead from now on. */
  setClock(aheadMs: number): void;
  /** Bytes that were sent of the largest answer. */
  hugeBytesSent(): number;
  close(): Promise<void>;
}

/** So long that a fault may come in the middle of it. */
const workMs = 150;
/** So long that whoever comes for the same tick finds the lock held. */
const lockedWorkMs = 3_000;
const hugeBytes = 200 * 1_048_576;
const chunk = Buffer.alloc(65_536, ' ');

/** Where work is done under a lock. */
export const lockedPath = '/locked-work';

/** What a request says of itself. */
interface Asked {
  definition: string;
  scheduled_at: string;
  source?: string;
}

interface State {
  behaviour: Behaviour;
  aheadMs: number;
  hugeBytesSent: number;
  seen: Set<string>;
  /** The definitions that are worked for under a lock just now. */
  locked: Set<string>;
}

/** Starts a healthy target. */
export async function startTarget(): Promise<DrillTarget> {
  const calls: Call[] = [];
  const state: State = { behaviour: 'healthy', aheadMs: 0, hugeBytesSent: 0, seen: new Set(), locked: new Set() };
  let server: Server | undefined;
  let port = 0;
  const listen = async () => {
    if (server !== undefined) return;
    server = createServer((request, response) => void receive(state, calls, request, response).catch(() => {}));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  };
  const close = async () => {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    closing.closeAllConnections();
    await new Promise((resolve) => closing.close(resolve));
  };
  await listen();
  return {
    ...{ url: `http://127.0.0.1:${port}`, calls, close },
    async behave(behaviour) {
      state.behaviour = behaviour;
      await (behaviour === 'refuse' ? close() : listen());
    },
    setClock: (aheadMs) => void (state.aheadMs = aheadMs),
    hugeBytesSent: () => state.hugeBytesSent,
  };
}

async function receive(state: State, calls: Call[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const part of request) chunks.push(part as Buffer);
  const asked = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
  const { behaviour } = state;
  const call: Call = {
    ...{ definition: asked.definition, source: asked.source ?? ownSource },
    ...{ tickMs: Date.parse(asked.scheduled_at), at: Date.now(), behaviour },
    ...{ isAnswered: false, isTurnedAway: false },
  };
  response.once('close', () => (call.endedAt = Date.now()));
  const isNew = !state.seen.has(`${call.definition} ${call.tickMs}`);
  state.seen.add(`${call.definition} ${call.tickMs}`);
  call.isTurnedAway = behaviour === 'busy' && isNew;
  calls.push(call);
  await (request.url === lockedPath ? answerUnderLock(state, call, response) : answer(state, call, response));
}

/** One call of a definition at a time does the work; another one meanwhile is told who is at it. */
async function answerUnderLock({ locked }: State, call: Call, response: ServerResponse): Promise<void> {
  response.setHeader('content-type', 'application/json');
  if (locked.has(call.definition)) {
    call.isTurnedAway = true;
    response.end(JSON.stringify({ status: 'lock_skipped', automation_error: null }));
    return;
  }
  locked.add(call.definition);
  await sleep(lockedWorkMs);
  locked.delete(call.definition);
  const body = JSON.stringify({ status: 'completed', automation_error: null });
  response.end(body, () => (call.isAnswered = !response.destroyed));
}

async function answer(state: State, call: Call, response: ServerResponse): Promise<void> {
  const clockMs = Date.now() + state.aheadMs;
  response.setHeader('date', new Date(clockMs).toUTCString());
  if (call.isTurnedAway) {
    response.setHeader('retry-after', new Date(clockMs + 1_000).toUTCString());
    response.writeHead(503).end();
    return;
  }
  if (call.behaviour === 'hang') return;
  if (call.behaviour === 'huge') return sendHuge(state, response);
  await sleep(workMs);
  response.setHeader('content-type', 'application/json');
  if (call.behaviour === 'garbage') response.end('{"automation_error": nul\u0000<html>');
  else {
    const body = JSON.stringify({ automation_error: null, at: new Date(clockMs).toISOString() });
    response.end(body, () => (call.isAnswered = !response.destroyed));
  }
}

/** White space, as far as JSON goes: only the size of it is wrong. */
async function sendHuge(state: State, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': hugeBytes });
  const chunks = function* () {
    for (let sent = 0; sent < hugeBytes; sent += chunk.length) {
      state.hugeBytesSent = Math.max(state.hugeBytesSent, sent);
      yield chunk;
    }
  };
  await pipeline(chunks, response).catch(() => {});
}
