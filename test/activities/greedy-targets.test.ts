import type { Socket } from 'node:net';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { runScript } from '../support/script.ts';
import { head, startRawServer } from './support/raw-server.ts';
import type { RawServer } from './support/raw-server.ts';
import { slackMs } from '../support/slack.ts';

const servers: RawServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

const mebibyte = 1_048_576;

function pour(socket: Socket, totalBytes: number): void {
  const chunk = Buffer.alloc(65_536, 'x');
  let sentBytes = 0;
  const write = () => {
    while (!socket.destroyed && sentBytes < totalBytes) {
      sentBytes += chunk.length;
      if (!socket.write(chunk)) {
        socket.once('drain', write);
        return;
      }
    }
  };
  write();
}

const zeros = gzipSync(Buffer.alloc(10 * mebibyte));
const quickly = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
const bombs = {
  gzip: Buffer.concat(Array.from({ length: 50 }, () => zeros)),
  br: brotliCompressSync(Buffer.alloc(200 * mebibyte), quickly),
};

function packed(encoding: keyof typeof bombs) {
  return (socket: Socket) => {
    socket.write(head('200 OK', { 'content-encoding': encoding, 'content-length': bombs[encoding].length }));
    socket.end(bombs[encoding]);
  };
}

const greedy: Record<string, (socket: Socket) => unknown> = {
  'a body of 200 MiB': (socket) => {
    socket.write(head('200 OK', { 'content-length': 200 * mebibyte }));
    pour(socket, 200 * mebibyte);
  },
  'a body that never ends': (socket) => {
    socket.write(head('200 OK', { connection: 'close' }));
    pour(socket, Infinity);
  },
  'a gzip bomb of 500 MiB': packed('gzip'),
  'a brotli bomb of 200 MiB': packed('br'),
};

const trickle = (socket: Socket) => {
  socket.write(head('200 OK', { 'content-length': 900 }));
  const timer = setInterval(() => socket.write('x'), 1_000);
  socket.once('close', () => clearInterval(timer));
};

/** Asks each target twelve times at once, under a budget of 3 s, in a process of its own. */
const script = (urls: string[]) => `
  import { exchangeOnce } from './test/activities/support/client.ts';
  const ask = async (url) => {
    const startedAt = performance.now();
    const message = await exchangeOnce({ url }, { signal: AbortSignal.timeout(3_000) }).then(
      ({ text }) => 'it answered ' + text.length,
      (error) => error.name + ': ' + error.message,
    );
    return { message, elapsedMs: performance.now() - startedAt };
  };
  const ends = [];
  for (const url of ${JSON.stringify(urls)}) ends.push(await Promise.all(Array.from({ length: 12 }, () => ask(url))));
  console.log(JSON.stringify({ ends, peakBytes: process.resourceUsage().maxRSS * 1024 }));
`;

it('targets that send without measure or end are given up in time, and memory stays below 300 MB', async () => {
  const behaviours = [...Object.values(greedy), trickle, () => {}];
  for (const behaviour of behaviours) servers.push(await startRawServer(behaviour));
  const { stdout, stderr } = await runScript(script(servers.map(({ url }) => url))).finished;
  if (stdout === '') throw new Error(stderr);
  const { ends, peakBytes } = JSON.parse(stdout) as {
    ends: { message: string; elapsedMs: number }[][];
    peakBytes: number;
  };
  const refused = /^ExchangeError: .* is larger than 1048576 bytes, the most that is read$/;
  const told = Object.keys(greedy).map((name, index) => [name, ends[index]?.map(({ message }) => message)]);
  expect(told).toEqual(
    Object.keys(greedy).map((name) => [
      name,
      Array.from({ length: 12 }, () => expect.stringMatching(refused) as string),
    ]),
  );
  for (const { message, elapsedMs } of ends.slice(Object.keys(greedy).length).flat()) {
    expect(message).toMatch(/^TimeoutError: /);
    expect(elapsedMs).toBeGreaterThan(2_900);
    expect(elapsedMs).toBeLessThan(4_000 + slackMs);
  }
  expect(peakBytes).toBeLessThan(300e6);
});
