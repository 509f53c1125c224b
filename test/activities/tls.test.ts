import { writeFileSync } from 'node:fs';
import { type Http2ServerResponse, constants as http2 } from 'node:http2';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { InterruptedError } from '../../activities/deadline.ts';
import { ConnectionLostError, ExchangeError, TargetUnreachableError } from '../../activities/http-client.ts';
import { eventually } from '../support/eventually.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { exchangeOnce, faultOf, never, openClient } from './support/client.ts';
import { startTlsTarget, tlsFile } from './support/tls.ts';
import type { TlsTarget } from './support/tls.ts';
import { slackMs } from '../support/slack.ts';

const targets: TlsTarget[] = [];

afterEach(async () => {
  for (const target of targets.splice(0)) await target.close();
});

async function serve(...args: Parameters<typeof startTlsTarget>): Promise<TlsTarget> {
  const target = await startTlsTarget(...args);
  targets.push(target);
  return target;
}

const ours = { ca: tlsFile('ca.pem') };
const named = { ...ours, cert: tlsFile('client.pem'), key: tlsFile('client.key') };
const greet: Parameters<typeof startTlsTarget>[0] = ({ httpVersion }, response) => response.end(`HTTP/${httpVersion}`);

describe('a private authority from a file', () => {
  it.for(['127.0.0.1', '::1'])('is trusted for a target on %s', async (host) => {
    const target = await serve(greet, { host });
    const { text, timing } = await exchangeOnce({ url: target.url }, { tls: ours });
    expect(text).toBe('HTTP/1.1');
    expect(timing.connectMs).toBeGreaterThan(0);
    expect(timing.tlsMs).toBeGreaterThan(0);
  });

  it('is trusted for a target by its name', async () => {
    const target = await serve(greet);
    const url = target.url.replace('127.0.0.1', 'localhost');
    expect(await exchangeOnce({ url }, { tls: ours })).toMatchObject({ status: 200 });
  });
});

it.for<[what: string, cert: string, tls: typeof ours | undefined, sentence: RegExp]>([
  ['a self-signed one', 'self-signed.pem', ours, /self-signed certificate.*\(DEPTH_ZERO_SELF_SIGNED_CERT\)$/],
  ['one of an authority that is not known', 'server.pem', undefined, /\(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)$/],
  ['one for another host', 'other-host.pem', ours, /\(ERR_TLS_CERT_ALTNAME_INVALID\)$/],
  ['one that is over', 'expired.pem', ours, /certificate has expired \(CERT_HAS_EXPIRED\)$/],
])('a certificate is refused before anything is sent: %s', async ([, cert, tls, sentence]) => {
  let requests = 0;
  const target = await serve((_, response) => response.end(String((requests += 1))), { cert });
  const fault = await faultOf(target.url, tls === undefined ? {} : { tls });
  expect(fault).toBeInstanceOf(TargetUnreachableError);
  expect(fault.message).toMatch(/^https:\S+ presented a certificate that this worker does not trust: /);
  expect(fault.message).toMatch(sentence);
  expect(requests).toBe(0);
});

describe('a target that demands a client certificate', () => {
  it('is shown the one from the files', async () => {
    const target = await serve(
      ({ socket }, response) => response.end((socket as TLSSocket).getPeerCertificate().subject.CN),
      { demandsClientCertificate: true },
    );
    expect(await exchangeOnce({ url: target.url }, { tls: named })).toMatchObject({ status: 200, text: 'client' });
  });

  it('is named as such where there is none, and nothing reached it', async () => {
    const target = await serve(greet, { demandsClientCertificate: true });
    const fault = await faultOf(target.url, { tls: ours });
    expect(fault).toBeInstanceOf(ExchangeError);
    expect(fault.message).toMatch(/demands a client certificate \(\w+\); see tls\.cert and tls\.key of the request$/);
    expect(fault).toBeInstanceOf(TargetUnreachableError);
  });
});

describe('a file that cannot be used is named when the client is opened', () => {
  const broken = join(makeTempFolder(), 'broken.pem');
  writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');

  it.for<[string, Parameters<typeof openClient>[0], string]>([
    [
      'one that is not there',
      { tls: { ca: '/nowhere/ca.pem' } },
      'the file /nowhere/ca.pem (tls.ca) cannot be read on this worker: ENOENT',
    ],
    ['a folder', { tls: { ca: '/' } }, 'the file / (tls.ca) cannot be read on this worker: EISDIR'],
    [
      'a key for a certificate',
      { tls: { ca: named.key } },
      `the file ${named.key} (tls.ca) holds no certificate in PEM`,
    ],
    [
      'a certificate for a key',
      { tls: { ...named, key: named.cert } },
      `the file ${named.cert} (tls.key) holds no private key in PEM`,
    ],
    [
      'a broken certificate',
      { tls: { ...named, cert: broken } },
      `the file ${broken} (tls.cert) holds a certificate that cannot be read`,
    ],
    [
      'the key of another',
      { tls: { ...named, key: tlsFile('server.key') } },
      `is not that of the certificate in ${named.cert} (tls.cert)`,
    ],
    ['a certificate alone', { tls: { cert: named.cert } }, 'a client certificate needs both tls.cert and tls.key'],
  ])('%s', async ([, options, sentence]) => {
    const fault = await openClient(options).catch((error: unknown) => error as Error);
    expect(fault).toBeInstanceOf(ExchangeError);
    expect((fault as Error).message).toContain(sentence);
  });
});

describe('HTTP/2 is spoken where the target offers it', () => {
  it('with method, headers and body, on one connection', async () => {
    const target = await serve(
      async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        response.setHeader('x-seen', String(request.headers['x-two']));
        response.end(
          `HTTP/${request.httpVersion} ${request.method} ${request.url} ${Buffer.concat(chunks).toString()}`,
        );
      },
      { isHttp2: true },
    );
    const client = await openClient({ tls: ours });
    for (const body of ['one', 'two']) {
      const request = { method: 'POST', url: `${target.url}/a?b=c`, headers: { 'x-two': '2' }, body };
      const answer = await client.exchange(request, never);
      expect(answer).toMatchObject({ status: 200, text: `HTTP/2.0 POST /a?b=c ${body}`, headers: { 'x-seen': '2' } });
    }
    expect(target.connections()).toBe(1);
    await client.close();
    await eventually(async () => target.sockets.size === 0);
  });

  it('a connection that breaks under a request does not send it again', async () => {
    let requests = 0;
    const target = await serve(
      ({ socket }) => {
        requests += 1;
        socket.destroy();
      },
      { isHttp2: true },
    );
    const fault = await exchangeOnce({ method: 'POST', url: target.url, body: 'once' }, { tls: ours }).catch(
      (error: unknown) => error,
    );
    expect(fault).toBeInstanceOf(ConnectionLostError);
    expect(requests).toBe(1);
    expect(target.connections()).toBe(1);
  });

  const streamOf = (response: unknown) => (response as Http2ServerResponse).stream;

  it('an answer is not lost where the server says that it will close after it, and the next one goes elsewhere', async () => {
    const target = await serve(
      (_, response) => {
        streamOf(response).session?.goaway(0);
        setTimeout(() => response.end('done'), 50);
      },
      { isHttp2: true },
    );
    const client = await openClient({ tls: ours });
    const ask = () => client.exchange({ method: 'POST', url: target.url, headers: {}, body: 'x' }, never);
    expect(await ask()).toMatchObject({ status: 200, text: 'done' });
    expect(await ask()).toMatchObject({ status: 200, text: 'done' });
    expect(target.connections()).toBe(2);
    await client.close();
  });

  it('an answer that is broken off is not taken for a whole one', async () => {
    const target = await serve(
      (_, response) => {
        response.write('begin');
        setTimeout(() => streamOf(response).destroy(new Error('broken')), 50);
      },
      { isHttp2: true },
    );
    const fault = await faultOf(target.url, { tls: ours });
    expect(fault).toBeInstanceOf(ConnectionLostError);
    expect(fault.message).toContain('NGHTTP2_INTERNAL_ERROR');
  });

  it('a stream that the server refused unread cannot have had an effect', async () => {
    const target = await serve((_, response) => streamOf(response).close(http2.NGHTTP2_REFUSED_STREAM), {
      isHttp2: true,
    });
    expect(await faultOf(target.url, { tls: ours })).toBeInstanceOf(TargetUnreachableError);
  });

  it('a body beyond the limit is not read on', async () => {
    const target = await serve((_, response) => response.end(Buffer.alloc(8_000_000)), { isHttp2: true });
    expect((await faultOf(target.url, { tls: ours })).message).toMatch(/is larger than 1048576 bytes/);
  });

  it('an abort closes the connection within a second', async () => {
    let noteAsked = () => {};
    const asked = new Promise<void>((resolve) => (noteAsked = resolve));
    const target = await serve(() => noteAsked(), { isHttp2: true });
    const controller = new AbortController();
    const outcome = exchangeOnce({ url: target.url }, { tls: ours, signal: controller.signal }).catch(
      (e: unknown) => e,
    );
    await asked;
    const abortedAt = performance.now();
    controller.abort(new InterruptedError('hard_timeout'));
    expect(await outcome).toMatchObject({ name: 'InterruptedError', interruption: 'hard_timeout' });
    await eventually(async () => target.sockets.size === 0);
    expect(performance.now() - abortedAt).toBeLessThan(1_000 + slackMs);
  });
});
