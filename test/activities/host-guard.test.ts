import { describe, expect, it } from 'vitest';
import { openHostGuard } from '../../activities/host-guard.ts';
import type { Resolve } from '../../activities/host-guard.ts';
import { ForbiddenHostError } from '../../activities/http-client.ts';
import { faultOf } from './support/client.ts';
import { head, startRawServer } from './support/raw-server.ts';
import { slackMs } from '../support/slack.ts';

const check = (url: string, allowed?: string, isResolvedByProxy = false) =>
  openHostGuard(allowed === undefined ? {} : { ACTCORE_ALLOWED_HOSTS: allowed }).check(new URL(url), isResolvedByProxy);

describe('without a list', () => {
  it.for([
    'http://169.254.169.254/latest/meta-data',
    'http://169.254.0.1',
    'http://0xA9FEA9FE/',
    'http://2852039166/',
    'http://169.254.43518/',
    'http://100.100.100.200',
    'http://168.63.129.16',
    'http://0.0.0.0:80',
    'http://0.1.2.3',
    'http://[::]',
    'http://[fe80::1]',
    'http://[febf::1]',
    'http://[fd00:ec2::254]',
    'http://[fd20:ce::254]',
    'http://[::ffff:169.254.169.254]',
    'http://[::ffff:0:a9fe:a9fe]',
    'http://[64:ff9b::169.254.169.254]',
    'http://[64:ff9b:1::a9fe:a9fe]',
    'http://[2002:a9fe:a9fe::1]',
    'http://metadata.google.internal/computeMetadata/v1',
    'http://METADATA.google.internal./',
    'http://metadata/',
  ])('%s is refused', (url) => {
    expect(() => check(url)).toThrow(ForbiddenHostError);
    expect(() => check(url)).toThrow(
      /is link-local or serves a cloud's metadata; it is refused unless ACTCORE_ALLOWED/,
    );
  });

  it.for([
    'http://127.0.0.1:7233',
    'http://localhost',
    'http://[::1]:80',
    'http://[::ffff:127.0.0.1]',
    'http://10.0.0.1',
    'http://192.168.1.1',
    'http://100.100.100.201',
    'http://169.253.255.255',
    'http://[fd00:ec3::1]',
    'http://[fec0::1]',
    'http://[2002:a00:1::1]',
    'https://hub.example.org',
  ])('%s is allowed', (url) => {
    expect(() => check(url)).not.toThrow();
  });
});

describe('with a list only what it names is allowed', () => {
  it.for<[url: string, list: string, isAllowed: boolean]>([
    ['https://hub.example.org', 'hub.example.org', true],
    ['https://HUB.example.org.', 'Hub.Example.Org', true],
    ['https://hub.example.org', 'other.org, hub.example.org', true],
    ['https://evil-hub.example.org', 'hub.example.org', false],
    ['https://hub.example.org.evil.net', 'hub.example.org', false],
    ['https://a.b.svc.cluster.local', '*.svc.cluster.local', true],
    ['https://svc.cluster.local', '*.svc.cluster.local', false],
    ['https://evilsvc.cluster.local', '*.svc.cluster.local', false],
    ['https://hub.example.org:8443', 'hub.example.org', true],
    ['https://hub.example.org:8443', 'hub.example.org:8443', true],
    ['https://hub.example.org:9443', 'hub.example.org:8443', false],
    ['https://hub.example.org', 'hub.example.org:443', true],
    ['http://hub.example.org', 'hub.example.org:443', false],
    ['https://bücher.example', 'bücher.example', true],
    ['http://10.1.2.3', '10.0.0.0/8', true],
    ['http://11.1.2.3', '10.0.0.0/8', false],
    ['http://10.1.2.3:81', '10.1.2.3:80', false],
    ['http://10.1.2.3:80', '10.1.2.3:80', true],
    ['http://[::ffff:10.1.2.3]', '10.0.0.0/8', true],
    ['http://[fd00::5]', 'fd00::/64', true],
    ['http://[fd00::5]:81', '[fd00::5]:81', true],
    ['http://[fd01::5]', 'fd00::/64', false],
    ['http://127.0.0.1', 'hub.example.org', false],
    ['http://169.254.169.254', '169.254.169.254', true],
    ['http://169.254.169.254', '169.254.169.254:80', true],
    ['http://169.254.169.254:8080', '169.254.169.254:80', false],
    ['http://169.254.169.254', '169.254.0.0/16', true],
    ['http://169.254.169.254', '0.0.0.0/0', false],
    ['http://[fe80::1]', '::/0', false],
    ['http://metadata.google.internal', 'metadata.google.internal', true],
    ['http://metadata.google.internal', '*.google.internal', false],
    ['http://hub.example.org', ' ', true],
  ])('%s under %s: %s', ([url, list, isAllowed]) => {
    let fault: unknown;
    try {
      check(url, list);
    } catch (error) {
      fault = error;
    }
    expect(fault instanceof ForbiddenHostError).toBe(!isAllowed);
    expect(fault === undefined).toBe(isAllowed);
  });

  it.for([
    'https://hub.example.org',
    'hub.example.org/path',
    '10.0.0.0/33',
    '*',
    'a*.example.org',
    'user@hub',
    '::/129',
  ])('nothing is sent while it holds `%s`, which is no pattern', (entry) => {
    expect(() => check('https://good.example.org', `good.example.org,${entry}`)).toThrow(
      `the worker's ACTCORE_ALLOWED_HOSTS holds \`${entry}\`, which is no host`,
    );
  });

  it('a name that a network may hold is let through to its lookup, but not where only a proxy would see its address', () => {
    expect(() => check('http://hub.example.org', '10.0.0.0/8')).not.toThrow();
    expect(() => check('http://hub.example.org', '10.0.0.0/8', true)).toThrow(/not among the hosts/);
    expect(() => check('http://hub.example.org', 'hub.example.org', true)).not.toThrow();
  });
});

describe('the addresses of a name are judged after its lookup', () => {
  /** Stands in for a name server, which cannot be made to lie here. */
  function lookUp(addresses: string[], { url = 'http://hub.example.org', allowed = '' } = {}) {
    const resolve: Resolve = (_, __, callback) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    const guard = openHostGuard({ ACTCORE_ALLOWED_HOSTS: allowed }, resolve);
    const { hostname } = new URL(url);
    return new Promise<string[]>((settle, reject) => {
      guard.lookupFor(new URL(url))(hostname, { all: true }, (error, found) => {
        if (error) reject(error);
        else settle((found as { address: string }[]).map(({ address }) => address));
      });
    });
  }

  it.for(['169.254.169.254', 'fe80::1%eth0', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', '0.0.0.0'])(
    'a name that resolves to %s is refused, however it is listed',
    async (address) => {
      const sentence = `hub.example.org, which resolves to ${address}, is link-local or serves a cloud's metadata`;
      for (const allowed of ['', 'hub.example.org', '*.example.org', '0.0.0.0/0', '::/0']) {
        await expect(lookUp([address], { allowed })).rejects.toThrow(sentence);
      }
    },
  );

  it('of several addresses only the open ones are connected to', async () => {
    expect(await lookUp(['169.254.169.254', '10.0.0.1', 'fe80::1', 'fd00::1'])).toEqual(['10.0.0.1', 'fd00::1']);
  });

  it('a network decides about a name that is not listed itself', async () => {
    expect(await lookUp(['10.0.0.1', '11.0.0.1'], { allowed: '10.0.0.0/8' })).toEqual(['10.0.0.1']);
    await expect(lookUp(['11.0.0.1'], { allowed: '10.0.0.0/8' })).rejects.toThrow(
      'hub.example.org, which resolves to 11.0.0.1, is not among the hosts',
    );
  });

  it('a name whose port is not the listed one is not opened by its name', async () => {
    const allowed = 'hub.example.org:8443, 10.0.0.0/8';
    const url = 'http://hub.example.org:9000';
    await expect(lookUp(['11.0.0.1'], { url, allowed })).rejects.toThrow(ForbiddenHostError);
  });

  it('an entry for the very address, or for the metadata name, opens it', async () => {
    expect(await lookUp(['169.254.1.1'], { allowed: 'hub.example.org, 169.254.1.1' })).toEqual(['169.254.1.1']);
    const metadata = { url: 'http://metadata.google.internal', allowed: 'metadata.google.internal' };
    expect(await lookUp(['169.254.169.254'], metadata)).toEqual(['169.254.169.254']);
  });
});

describe('a client asks its guard before it connects', () => {
  it('a host that is not listed gets no connection', async () => {
    const server = await startRawServer((socket) => socket.end(head('200 OK', { 'content-length': 0 })));
    const environment = { ACTCORE_ALLOWED_HOSTS: 'hub.example.org' };
    for (const url of [server.url, server.url.replace('127.0.0.1', 'localhost')]) {
      const fault = await faultOf(url, { environment });
      expect(fault).toBeInstanceOf(ForbiddenHostError);
      expect(fault.message).toContain('is not among the hosts that ACTCORE_ALLOWED_HOSTS of the worker allows');
    }
    expect(server.connections()).toBe(0);
    await server.close();
  });

  it('a name is judged by the address that it is connected to', async () => {
    const server = await startRawServer((socket) => socket.end(head('200 OK', { 'content-length': 0 })));
    const url = server.url.replace('127.0.0.1', 'localhost');
    const elsewhere = { ACTCORE_ALLOWED_HOSTS: '10.0.0.0/8' };
    expect((await faultOf(url, { environment: elsewhere })).message).toMatch(
      /^localhost, which resolves to .*, is not/,
    );
    expect(server.connections()).toBe(0);
    expect((await faultOf(url, { environment: { ACTCORE_ALLOWED_HOSTS: '127.0.0.0/8' } })).message).toMatch(
      /answered 200/,
    );
    await server.close();
  });

  it('a metadata address is not even tried', async () => {
    const startedAt = performance.now();
    expect(await faultOf('http://169.254.169.254/latest/')).toBeInstanceOf(ForbiddenHostError);
    expect(performance.now() - startedAt).toBeLessThan(200 + slackMs);
  });
});
