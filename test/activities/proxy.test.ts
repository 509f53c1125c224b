import { afterEach, describe, expect, it } from 'vitest';
import { findProxy } from '../../activities/proxy.ts';
import { ExchangeError, ForbiddenHostError, TargetUnreachableError } from '../../activities/http-client.ts';
import { chooseAnyPort } from '../../dev/ports.ts';
import { startTarget } from '../support/target.ts';
import { exchangeOnce, faultOf } from './support/client.ts';
import { startProxyServer } from './support/proxy-server.ts';
import { startTlsTarget, tlsFile } from './support/tls.ts';

const open: { close: () => Promise<unknown> }[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function opened<T extends { close: () => Promise<unknown> }>(starting: Promise<T>): Promise<T> {
  const server = await starting;
  open.push(server);
  return server;
}

/** A name that only the proxy can resolve. */
const named = (url: string) => url.replace('127.0.0.1', 'target.test');

describe('a request goes through the proxy of the environment', () => {
  it('over plain HTTP in absolute form, again on the same connection', async () => {
    const [proxy, target] = [await opened(startProxyServer()), await opened(startTarget())];
    const url = `${named(target.url)}/a?b=c`;
    const environment = { HTTP_PROXY: proxy.url.replace('//', '//user:p%40ss@') };
    const answer = await exchangeOnce({ method: 'POST', url, body: 'hello' }, { environment });
    expect(answer.status).toBe(200);
    const authorization = `Basic ${Buffer.from('user:p@ss').toString('base64')}`;
    expect(proxy.passed).toEqual([{ line: `POST ${url}`, authorization }]);
    expect(target.calls).toMatchObject([{ body: 'hello', headers: { host: new URL(url).host } }]);
  });

  it('over TLS in a tunnel, with HTTP/2 to the target', async () => {
    const proxy = await opened(startProxyServer());
    const target = await opened(
      startTlsTarget(({ httpVersion }, response) => response.end(httpVersion), { isHttp2: true }),
    );
    const url = named(target.url);
    const environment = { https_proxy: proxy.url.replace('//', '//user:secret@') };
    const answer = await exchangeOnce({ url }, { environment, tls: { ca: tlsFile('ca.pem') } });
    expect(answer).toMatchObject({ status: 200, text: '2.0' });
    expect(answer.timing.tlsMs).toBeGreaterThan(0);
    const authorization = `Basic ${Buffer.from('user:secret').toString('base64')}`;
    expect(proxy.passed).toEqual([{ line: `CONNECT ${new URL(url).host}`, authorization }]);
  });

  it('and the certificate of the target is still judged', async () => {
    const proxy = await opened(startProxyServer());
    const target = await opened(startTlsTarget((_, response) => response.end(), { cert: 'other-host.pem' }));
    const fault = await faultOf(named(target.url), {
      environment: { HTTPS_PROXY: proxy.url },
      tls: { ca: tlsFile('ca.pem') },
    });
    expect(fault.message).toMatch(
      /^https:\/\/target\.test:\d+ presented a certificate that this worker does not trust/,
    );
  });
});

describe('what cannot go through the proxy', () => {
  it('a proxy that refuses the tunnel is named with its status, and not with its password', async () => {
    const proxy = await opened(startProxyServer({ refusal: 407 }));
    const environment = { HTTPS_PROXY: proxy.url.replace('//', '//user:secret@') };
    const fault = await faultOf('https://target.test', { environment });
    expect(fault).toBeInstanceOf(TargetUnreachableError);
    expect(fault.message).toBe(`the proxy ${proxy.url} answered 407 when it was asked for a tunnel to target.test:443`);
  });

  it.for(['http:', 'https:'])('a proxy that is not there, for %s', async (protocol) => {
    const url = `http://127.0.0.1:${await chooseAnyPort()}`;
    const fault = await faultOf(`${protocol}//target.test`, { environment: { ALL_PROXY: url } });
    expect(fault).toBeInstanceOf(TargetUnreachableError);
    expect(fault.message).toBe(`the proxy ${url} refused the connection`);
  });

  it.for(['socks5://u:hidden@127.0.0.1:1', 'http://hid den'])('a variable that holds %s', async (value) => {
    const fault = await faultOf('http://target.test', { environment: { HTTP_PROXY: value } });
    expect(fault).toBeInstanceOf(ExchangeError);
    expect(fault.message).toBe("the worker's HTTP_PROXY is not the URL of an http or https proxy");
  });

  it.for(['http://169.254.169.254', 'http://metadata.google.internal', 'http://[fe80::1]'])(
    'a metadata address: %s',
    async (url) => {
      const proxy = await opened(startProxyServer());
      expect(await faultOf(url, { environment: { HTTP_PROXY: proxy.url } })).toBeInstanceOf(ForbiddenHostError);
      expect(proxy.passed).toEqual([]);
    },
  );

  it('a host that only its address could allow', async () => {
    const proxy = await opened(startProxyServer());
    const environment = { HTTP_PROXY: proxy.url, ACTCORE_ALLOWED_HOSTS: '10.0.0.0/8' };
    expect(await faultOf('http://target.test', { environment })).toBeInstanceOf(ForbiddenHostError);
    expect(proxy.passed).toEqual([]);
  });
});

describe('which proxy a URL takes', () => {
  const environment = { HTTP_PROXY: 'http://plain:1', HTTPS_PROXY: 'secure:2', NO_PROXY: '' };
  const choose = (url: string, more: Record<string, string> = {}) =>
    findProxy(new URL(url), { ...environment, ...more })?.url.host;

  it.for<[string, Record<string, string>, string | undefined]>([
    ['http://a.org', {}, 'plain:1'],
    ['https://a.org', {}, 'secure:2'],
    ['https://a.org', { https_proxy: 'http://small:3' }, 'small:3'],
    ['https://a.org', { HTTPS_PROXY: '', ALL_PROXY: 'http://all:4' }, 'all:4'],
    ['http://localhost:7233', {}, undefined],
    ['http://127.8.9.1', {}, undefined],
    ['http://[::1]', {}, undefined],
    ['http://a.org', { NO_PROXY: 'a.org' }, undefined],
    ['http://sub.a.org', { NO_PROXY: 'a.org' }, undefined],
    ['http://sub.a.org', { NO_PROXY: '.a.org' }, undefined],
    ['http://sub.a.org', { NO_PROXY: 'b.org, *.a.org' }, undefined],
    ['http://a.org', { NO_PROXY: '*' }, undefined],
    ['http://ba.org', { NO_PROXY: 'a.org' }, 'plain:1'],
    ['http://a.org:81', { NO_PROXY: 'a.org:80' }, 'plain:1'],
    ['http://a.org', { no_proxy: 'a.org:80' }, undefined],
    ['http://10.1.1.1', { NO_PROXY: '10.0.0.0/8' }, undefined],
    ['http://11.1.1.1', { NO_PROXY: '10.0.0.0/8' }, 'plain:1'],
    ['http://[fd00::1]', { NO_PROXY: 'fd00::1' }, undefined],
    ['http://[fd00::1]:90', { NO_PROXY: '[fd00::1]:90' }, undefined],
  ])('%s with %j: %s', ([url, more, chosen]) => {
    expect(choose(url, more)).toBe(chosen);
  });
});
