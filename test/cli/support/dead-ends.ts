import { spawn } from 'node:child_process';
import { createServer as createHttp2Server, constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import { createServer, connect } from 'node:net';
import type { Socket } from 'node:net';

/** An address where nobody answers, each for a reason of its own. */
export interface DeadEnd {
  host: string;
  port: number;
  close(): void;
}

function listenOn(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

/** Nothing listens there. */
export async function findClosedPort(): Promise<DeadEnd> {
  const server = createServer();
  const port = await listenOn(server);
  await new Promise((resolve) => server.close(resolve));
  return { host: '127.0.0.1', port, close: () => {} };
}

/** Accepts every connection and never says a word. */
export async function openSilentPort(): Promise<DeadEnd> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on('error', () => {})));
  const port = await listenOn(server);
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { host: '127.0.0.1', port, close };
}

const stuckServer = `
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;

/** Swallows every attempt to connect: its queue is full and nobody takes from it, so the kernel drops what comes. */
export async function openBlackHole(): Promise<DeadEnd> {
  const child = spawn(process.execPath, ['-e', stuckServer], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) => {
    child.stdout.once('data', (text: Buffer) => resolve(Number(text.toString())));
  });
  const sockets: Socket[] = [];
  for (let isFull = false; !isFull;) {
    const socket = connect({ host: '127.0.0.1', port }).on('error', () => {});
    sockets.push(socket);
    isFull = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(false));
      setTimeout(() => resolve(true), 500);
    });
  }
  const close = () => {
    for (const socket of sockets) socket.destroy();
    child.kill('SIGKILL');
  };
  return { host: '127.0.0.1', port, close };
}

/** A name that stands for no address. */
export function findUnknownHost(): Promise<DeadEnd> {
  return Promise.resolve({ host: 'no-such-host.invalid', port: 7233, close: () => {} });
}

type Answer = (stream: ServerHttp2Stream, call: string) => void;

/** An HTTP/2 server that answers each call of gRPC as it is told to. */
async function openGrpc(answer: Answer): Promise<DeadEnd> {
  const server = createHttp2Server();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    answer(stream, headers[':path']?.split('/').at(-1) ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { host: '127.0.0.1', port, close: () => server.close() };
}

/** An empty message, and that all is well. */
function answerEmpty(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.alloc(5));
}

/** Greets as Temporal does and then lets go of every call, as a server does that sees its deadline pass. */
export function openLettingGo(): Promise<DeadEnd> {
  const greetings = new Set(['GetSystemInfo', 'DescribeNamespace']);
  return openGrpc((stream, call) => {
    if (greetings.has(call)) answerEmpty(stream);
    else stream.close(constants.NGHTTP2_CANCEL);
  });
}

/** Has nothing, and says so; the first call of each of these kinds it never answers. */
export function openForgetful(kinds: string[]): Promise<DeadEnd> {
  const forgotten = new Set<string>();
  return openGrpc((stream, call) => {
    if (!kinds.includes(call) || forgotten.has(call)) answerEmpty(stream);
    forgotten.add(call);
  });
}
