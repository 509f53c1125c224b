import { createServer } from 'node:http';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { ExchangeError } from '../../activities/http-client.ts';
import { responseLimitBytes } from '../../activities/response-body.ts';
import { exchangeOnce, faultOf } from './support/client.ts';
import { head, startRawServer } from './support/raw-server.ts';
import type { RawServer } from './support/raw-server.ts';

const servers: RawServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function answerWith(encoding: string, body: Buffer): Promise<string> {
  const headers = { 'content-encoding': encoding, 'content-length': body.length };
  const server = await startRawServer((socket) => {
    socket.write(head('200 OK', headers));
    socket.end(body);
  });
  servers.push(server);
  return server.url;
}

const text = JSON.stringify({ told: 'é'.repeat(1_000) });

it.for<[string, Buffer]>([
  ['gzip', gzipSync(text)],
  ['x-gzip', gzipSync(text)],
  ['br', brotliCompressSync(text)],
  ['deflate', deflateSync(text)],
  ['deflate', deflateRawSync(text)],
  ['GZIP', gzipSync(text)],
  ['br, gzip', gzipSync(brotliCompressSync(text))],
  ['identity', Buffer.from(text)],
])('a body in %s is unpacked', async ([encoding, body]) => {
  expect(await exchangeOnce({ url: await answerWith(encoding, body) })).toMatchObject({ text });
});

it('gzip and br are asked for', async () => {
  const server = createServer(({ headers }, response) => response.end(headers['accept-encoding']));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  expect((await exchangeOnce({ url: `http://127.0.0.1:${port}` })).text).toBe('gzip, br');
  await new Promise((resolve) => server.close(resolve));
});

it('an empty body is empty in every encoding', async () => {
  expect(await exchangeOnce({ url: await answerWith('gzip', Buffer.alloc(0)) })).toMatchObject({ text: '' });
});

describe('the limit counts the unpacked bytes', () => {
  const whole = Buffer.alloc(responseLimitBytes, 'x');

  it.for([gzipSync, brotliCompressSync])('exactly the limit is read', async (pack) => {
    const url = await answerWith(pack === gzipSync ? 'gzip' : 'br', pack(whole));
    expect((await exchangeOnce({ url })).text).toHaveLength(responseLimitBytes);
  });

  it('also where packing made it larger', async () => {
    const noise = Buffer.from(Array.from({ length: responseLimitBytes }, () => Math.floor(Math.random() * 128)));
    const stored = gzipSync(noise, { level: 0 });
    expect(stored.length).toBeGreaterThan(responseLimitBytes);
    expect((await exchangeOnce({ url: await answerWith('gzip', stored) })).text).toBe(noise.toString());
  });

  it.for<[string, Buffer]>([
    ['gzip', gzipSync(Buffer.concat([whole, Buffer.from('x')]))],
    ['br', brotliCompressSync(Buffer.concat([whole, Buffer.from('x')]))],
    ['br, gzip', gzipSync(brotliCompressSync(Buffer.alloc(64 * responseLimitBytes)))],
  ])('a byte more is refused: %s', async ([encoding, body]) => {
    const fault = await faultOf(await answerWith(encoding, body));
    expect(fault).toBeInstanceOf(ExchangeError);
    expect(fault.message).toContain(`is larger than ${responseLimitBytes} bytes, the most that is read`);
  });
});

it.for<[what: string, encoding: string, body: Buffer, sentence: RegExp]>([
  ['plain text', 'gzip', Buffer.from(text), /answered with a body that is not the gzip that it claims to be$/],
  ['half of it', 'br', brotliCompressSync(text).subarray(0, 10), /is not the br that it claims to be$/],
  ['an unknown encoding', 'zstd', Buffer.from('x'), /answered in the encoding zstd, which was not asked for$/],
  ['layers without end', 'gzip, gzip, gzip, gzip', Buffer.from('x'), /packed its answer 4 times over$/],
])('a body that cannot be unpacked is told as such: %s', async ([, encoding, body, sentence]) => {
  const fault = await faultOf(await answerWith(encoding, body));
  expect(fault).toBeInstanceOf(ExchangeError);
  expect(fault.message).toMatch(sentence);
});
