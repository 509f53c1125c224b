import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Agent, request } from 'undici';
import { InterruptedError } from '../../activities/deadline.ts';
import { ConnectionLostError, ExchangeError, TargetUnreachableError } from '../../activities/http-client.ts';
import { responseLimitBytes } from '../../activities/response-body.ts';
import { chooseAnyPort } from '../../dev/ports.ts';
import { exchangeOnce, faultOf, never, openClient } from './support/client.ts';
import { head, startRawServer } from './support/raw-server.ts';
import type { RawServer } from './support/raw-server.ts';
import { slackMs } from '../support/slack.ts';

const timers = createRequire(import.meta.url)('undici/lib/util/timers.js') as { tick(delayMs: number): void };

const servers: { close: () => Promise<unknown> }[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(...args: Parameters<typeof startRawServer>): Promise<RawServer> {
  const server = await startRawServer(...args);
  servers.push(server);
  return server;
}

function get(url: string, signal = never) {
  return exchangeOnce({ url }, { signal });
}

it('method, headers and body arrive, and status, headers and text come back', async () => {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      response.writeHead(207, { 'X-One': 'a', 'Set-Cookie': ['b', 'c'] });
      const { method, url, headers } = incoming;
      response.end([method, url, headers['x-two'], Buffer.concat(chunks).toString(), 'é'].join(' '));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push({ close: () => new Promise((resolve) => server.close(resolve)) });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/path?q=1`;
  const answer = await exchangeOnce({ method: 'PATCH', url, headers: { 'x-two': '2' }, body: 'boдy' });
  expect(answer).toMatchObject({ status: 207, text: 'PATCH /path?q=1 2 boдy é' });
  expect(answer.headers).toMatchObject({ 'x-one': 'a', 'set-cookie': 'b, c' });
});

it('a redirect is an answer and is not followed', async () => {
  const server = await serve((socket) =>
    socket.end(head('302 Found', { location: 'http://169.254.169.254/latest/meta-data', 'content-length': 0 })),
  );
  const headers = { location: 'http://169.254.169.254/latest/meta-data' };
  expect(await get(server.url)).toMatchObject({ status: 302, headers });
  expect(server.connections()).toBe(1);
});

it('a connection is used again until the client is closed, and then it is closed at once', async () => {
  const server = await serve((socket) => {
    const answer = () => socket.write(`${head('200 OK', { 'content-length': 2 })}ok`);
    answer();
    socket.on('data', answer);
  });
  const client = await openClient();
  const ask = () => client.exchange({ method: 'POST', url: server.url, headers: {}, body: 'x' }, never);
  const [first, second] = [await ask(), await ask()];
  expect(server.connections()).toBe(1);
  expect(first.timing.connectMs).toBeGreaterThan(0);
  expect(second.timing).toMatchObject({ connectMs: 0, tlsMs: 0 });
  const closedAt = performance.now();
  await client.close();
  await server.firstClosed;
  expect(performance.now() - closedAt).toBeLessThan(3_000);
});

it('with a limit on connections the exchanges take turns, and each is timed by itself', async () => {
  const warnings: Error[] = [];
  const noteWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', noteWarning);
  const server = createServer((_, response) => {
    setTimeout(() => {
      response.writeHead(200).write('begin ');
      setTimeout(() => response.end('end'), 100);
    }, 60);
  });
  let connections = 0;
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push({ close: () => new Promise((resolve) => server.close(resolve)) });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = await openClient({ connections: 5 });
  const { signal } = new AbortController();
  const asking = { method: 'GET', url, headers: {} };
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.exchange(asking, signal)));
  await client.close();
  process.off('warning', noteWarning);
  expect(connections).toBe(5);
  expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, () => 'begin end'));
  const timings = answers.map(({ timing }) => timing);
  expect(timings.filter(({ connectMs }) => connectMs > 0)).toHaveLength(5);
  const middleOf = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length / 2] ?? 0;
  const [firstByteMs, bodyMs] = [middleOf(timings.map((t) => t.firstByteMs)), middleOf(timings.map((t) => t.bodyMs))];
  expect(firstByteMs).toBeGreaterThan(50);
  expect(bodyMs).toBeGreaterThan(50);
  // Waiting for a turn, 480 ms for the last ones, is no part of what the target took.
  expect(firstByteMs + bodyMs).toBeLessThan(400);
  expect(warnings).toEqual([]);
});

it('an exchange that waits for its turn ends with the signal, and leaves the turn to others', async () => {
  let noteAsked = () => {};
  const asked = new Promise<void>((resolve) => (noteAsked = resolve));
  let release = () => {};
  const server = await serve((socket) => {
    release = () => socket.end(`${head('200 OK', { 'content-length': 2 })}ok`);
    noteAsked();
  });
  const client = await openClient({ connections: 1 });
  const asking = { method: 'GET', url: server.url, headers: {} };
  const first = client.exchange(asking, never);
  await asked;
  const controller = new AbortController();
  const second = client.exchange(asking, controller.signal);
  controller.abort(new InterruptedError('cancelled'));
  await expect(second).rejects.toThrow('cancelled');
  release();
  expect(await first).toMatchObject({ text: 'ok' });
  // The server closes without having said so: the next exchange must not be lost on that connection.
  const third = client.exchange(asking, never);
  await expect.poll(() => server.connections()).toBe(2);
  release();
  expect(await third).toMatchObject({ text: 'ok' });
  await client.close();
});

it('an attempt to connect that hangs is given up with the signal', async () => {
  // Here or anywhere, 192.0.2.1 is an address of documentation, which nobody has.
  const controller = new AbortController();
  const outcome = get('http://192.0.2.1:81', controller.signal).catch((error: unknown) => error as Error);
  setTimeout(() => controller.abort(new InterruptedError('hard_timeout')), 100);
  const startedAt = performance.now();
  expect(['InterruptedError', 'TargetUnreachableError']).toContain(((await outcome) as Error).name);
  expect(performance.now() - startedAt).toBeLessThan(1_000 + slackMs);
});

it('IPv6 loopback is reached', async () => {
  const server = await serve((socket) => socket.end(head('200 OK', { 'content-length': 2 }) + 'ok'), { host: '::1' });
  expect(await get(server.url)).toMatchObject({ status: 200, text: 'ok' });
});

it('a byte order mark is no part of the text', async () => {
  const server = await serve((socket) => socket.end(`${head('200 OK', { connection: 'close' })}\uFEFF{}`));
  expect((await get(server.url)).text).toBe('{}');
});

describe('the time limits of the HTTP library (300 s by default) do not apply', () => {
  /** Ages the library's own clock by ten minutes while a request to this server is going on. */
  async function ageWhileWaiting(parts: string[], dispatcher?: Agent): Promise<unknown> {
    const server = await serve(async (socket) => {
      for (const part of parts) {
        await sleep(300);
        for (let minute = 0; minute < 10; minute++) timers.tick(60_000);
        await sleep(50);
        socket.write(part);
      }
      socket.end();
    });
    const asked =
      dispatcher === undefined
        ? get(server.url).then(({ text }) => text)
        : request(server.url, { dispatcher }).then(({ body }) => body.text());
    return asked.catch((error: unknown) => (error as Error).name);
  }

  const answer = [head('200 OK', { 'content-length': 4 }), 'ab', 'cd'];

  it('a target may take ten minutes to its headers, and ten more between two pieces of its body', async () => {
    expect(await ageWhileWaiting(answer)).toBe('abcd');
  });

  it('the same target is given up by a dispatcher with the default limits', async () => {
    const dispatcher = new Agent();
    expect(await ageWhileWaiting(answer, dispatcher)).toMatch(/TimeoutError/);
    await dispatcher.destroy();
  });
});

describe('an abort closes the socket within a second and gives its own reason', () => {
  it.for<[string, Parameters<typeof startRawServer>[0]]>([
    ['a server that never answers', () => {}],
    ['a server that sends headers only', (socket) => socket.write(head('200 OK', { 'content-length': 9 }))],
    [
      'a body that trickles',
      (socket) => {
        socket.write(head('200 OK', { 'content-length': 900 }));
        const trickle = setInterval(() => socket.write('x'), 50);
        socket.once('close', () => clearInterval(trickle));
      },
    ],
  ])('%s', async ([, answer]) => {
    const server = await serve(answer);
    const controller = new AbortController();
    const asked = get(server.url, controller.signal);
    const outcome = asked.catch((error: unknown) => error);
    await sleep(300);
    const abortedAt = performance.now();
    controller.abort(new InterruptedError('hard_timeout'));
    expect(await outcome).toMatchObject({ name: 'InterruptedError', interruption: 'hard_timeout' });
    await server.firstClosed;
    expect(performance.now() - abortedAt).toBeLessThan(1_000 + slackMs);
  });
});

it('an exchange that is aborted before it begins opens no connection', async () => {
  const server = await serve(() => {});
  await expect(get(server.url, AbortSignal.abort(new InterruptedError('cancelled')))).rejects.toThrow('cancelled');
  expect(server.connections()).toBe(0);
});

it('a response beyond the limit is not read on: the socket is closed, and the rest stays with the server', async () => {
  let sentBytes = 0;
  const server = await serve((socket) => {
    socket.write(head('200 OK', { connection: 'close' }));
    const chunk = Buffer.alloc(65_536, 'x');
    const pour = () => {
      while (!socket.destroyed) {
        sentBytes += chunk.length;
        if (!socket.write(chunk)) {
          socket.once('drain', pour);
          return;
        }
      }
    };
    pour();
  });
  const fault = await faultOf(server.url);
  expect(fault).toBeInstanceOf(ExchangeError);
  expect(fault.message).toContain(`larger than ${responseLimitBytes} bytes`);
  await server.firstClosed;
  expect(sentBytes).toBeLessThan(32 * responseLimitBytes);
});

it('a response of exactly the limit is read whole', async () => {
  const body = 'x'.repeat(responseLimitBytes);
  const server = await serve((socket) => socket.end(head('200 OK', { 'content-length': body.length }) + body));
  expect((await get(server.url)).text).toHaveLength(responseLimitBytes);
});

describe('what never reached the target is told apart from what broke on the way', () => {
  it('connection refused', async () => {
    const url = `http://127.0.0.1:${await chooseAnyPort()}`;
    const fault = await faultOf(url);
    expect(fault).toBeInstanceOf(TargetUnreachableError);
    expect(fault.message).toBe(`${url} refused the connection`);
  });

  it('connection refused on every address of a name', async () => {
    const fault = await faultOf(`http://localhost:${await chooseAnyPort()}`);
    expect(fault).toBeInstanceOf(TargetUnreachableError);
    expect(fault.message).toMatch(/refused the connection$/);
  });

  it('a host name that does not resolve', async () => {
    const fault = await faultOf('http://nowhere.invalid:8080/path?token=1');
    expect(fault).toBeInstanceOf(TargetUnreachableError);
    expect(fault.message).toMatch(
      /^http:\/\/nowhere\.invalid:8080 has a host name that (does not resolve|could not be)/,
    );
  });

  it.for<[string, Parameters<typeof startRawServer>[0], RegExp]>([
    ['closed before the answer', (socket) => socket.end(), /closed the connection before it had answered$/],
    ['reset before the answer', (socket) => socket.resetAndDestroy(), /connection before it had answered/],
    [
      'reset in the body',
      (socket) => {
        socket.write(head('200 OK', { 'content-length': 99 }) + 'begin');
        setTimeout(() => socket.resetAndDestroy(), 100);
      },
      /connection before it had answered/,
    ],
    [
      'a body shorter than announced',
      (socket) => socket.end(head('200 OK', { 'content-length': 99 }) + 'begin'),
      /closed the connection before it had answered$/,
    ],
    [
      'something that is not HTTP',
      (socket) => socket.end('220 smtp ready\r\n'),
      /answered in something that is not HTTP/,
    ],
  ])('%s', async ([title, answer, sentence]) => {
    const server = await serve(answer);
    const fault = await faultOf(server.url);
    expect(fault).toBeInstanceOf(title.includes('not HTTP') ? ExchangeError : ConnectionLostError);
    expect(fault).not.toBeInstanceOf(TargetUnreachableError);
    expect(fault.message).toMatch(sentence);
    expect(fault.message.startsWith(server.url)).toBe(true);
    expect((fault as ExchangeError).elapsedMs).toBeGreaterThan(0);
    expect(server.connections()).toBe(1);
  });

  it('a TLS handshake that is never answered, after ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      let noteHello = () => {};
      const hello = new Promise<void>((resolve) => (noteHello = resolve));
      const server = await serve(() => noteHello());
      const url = server.url.replace('http:', 'https:');
      const outcome = faultOf(url);
      await hello;
      vi.advanceTimersByTime(10_000);
      const fault = await outcome;
      expect(fault).toBeInstanceOf(TargetUnreachableError);
      expect(fault.message).toBe(`${url} accepted no connection within 10 s`);
      await server.firstClosed;
    } finally {
      vi.useRealTimers();
    }
  });

  it('TLS to a port that speaks plain HTTP', async () => {
    const server = await serve((socket) => socket.end(head('400 Bad Request')));
    const fault = await faultOf(server.url.replace('http:', 'https:'));
    expect(fault).toBeInstanceOf(TargetUnreachableError);
    expect(fault.message).toMatch(/could not be talked to in TLS \(\w+\): is it plain http/);
  });
});
