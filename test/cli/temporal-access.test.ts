import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http2';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Refusal } from '../../cli/refusal.ts';
import type { Settings } from '../../cli/settings.ts';
import { pickAccessVariables, readTemporalAccess } from '../../cli/temporal-access.ts';
import type { AccessVariables } from '../../cli/temporal-access.ts';
import { withTemporal } from '../../cli/temporal-service.ts';
import { MissingSearchAttributesError, ensureSearchAttributes } from '../../schedules/search-attributes.ts';
import { searchAttributes } from '../../workflows/contract.ts';
import { obtainTemporalBinary } from '../../dev/temporal-binary.ts';
import { tlsFile } from '../activities/support/tls.ts';
import { readTestSetting } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { openGrpcProxy } from '../support/grpc-proxy.ts';
import type { GrpcProxy } from '../support/grpc-proxy.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const upstream = readTestSetting('ACTCORE_TEST_TEMPORAL_ADDRESS');
const [ca, cert, key] = [tlsFile('ca.pem'), tlsFile('client.pem'), tlsFile('client.key')];
const pair = { TEMPORAL_TLS_CERT_FILE: cert, TEMPORAL_TLS_KEY_FILE: key };
const mutual = { TEMPORAL_TLS_CA_FILE: ca, ...pair };

function writeTemp(text: string): string {
  const file = join(makeTempFolder(), 'file');
  writeFileSync(file, text);
  return file;
}

const serverTls = (certificate = 'server.pem') => ({
  cert: readFileSync(tlsFile(certificate)),
  key: readFileSync(tlsFile('server.key')),
});
const mutualTls = { ...serverTls(), ca: readFileSync(ca), requestCert: true, rejectUnauthorized: true };

const settingsOf = (temporalAddress: string, temporalAccess: AccessVariables): Settings => ({
  ...{ temporalAddress, temporalAccess, namespace: 'default', taskQueue: 'none' },
  ...{ databaseUrl: undefined, uiUrl: undefined, actor: 'tester' },
});

/** Connects as every command does; the refusal, or undefined. */
async function findRefusal(address: string, variables: AccessVariables): Promise<Refusal | undefined> {
  try {
    await withTemporal(settingsOf(address, variables), async () => {});
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  return undefined;
}

describe('the variables', () => {
  const file = 'no-such-file.pem';
  const noKey = writeTemp('this is no key');

  it.for<[string, AccessVariables, RegExp]>([
    ['a switch that is neither', { TEMPORAL_TLS: 'maybe' }, /TEMPORAL_TLS is neither true nor false: maybe/],
    [
      'a file that is not there',
      { TEMPORAL_TLS_CA_FILE: file },
      /no-such-file\.pem \(TEMPORAL_TLS_CA_FILE\) is not there/,
    ],
    ['a folder', { TEMPORAL_TLS_CA_FILE: '/' }, /The file \/ \(TEMPORAL_TLS_CA_FILE\) is a folder/],
    ['a file that holds no certificate', { TEMPORAL_TLS_CA_FILE: noKey }, /holds no certificate in PEM/],
    [
      'a certificate without its key',
      { TEMPORAL_TLS_CERT_FILE: cert },
      /TEMPORAL_TLS_CERT_FILE is set, and TEMPORAL_TLS_KEY_FILE is not/,
    ],
    [
      'a key without its certificate',
      { TEMPORAL_TLS_KEY_FILE: key },
      /TEMPORAL_TLS_KEY_FILE is set, and TEMPORAL_TLS_CERT_FILE is not/,
    ],
    ['a key that is none', { ...pair, TEMPORAL_TLS_KEY_FILE: noKey }, /\(TEMPORAL_TLS_KEY_FILE\) holds no private key/],
    ['the key of another', { ...pair, TEMPORAL_TLS_KEY_FILE: tlsFile('server.key') }, /is not that of the certificate/],
    [
      'a certificate that is over',
      { TEMPORAL_TLS_CERT_FILE: tlsFile('expired.pem'), TEMPORAL_TLS_KEY_FILE: tlsFile('server.key') },
      /expired\.pem \(TEMPORAL_TLS_CERT_FILE\) expired on 2021-01-01/,
    ],
    [
      'an authority that is over',
      { TEMPORAL_TLS_CA_FILE: tlsFile('expired.pem') },
      /\(TEMPORAL_TLS_CA_FILE\) expired on/,
    ],
    [
      'a key in the plain',
      { TEMPORAL_TLS: 'false', TEMPORAL_API_KEY: 'k' },
      /TEMPORAL_TLS is false, and TEMPORAL_API_KEY/,
    ],
    ['two API keys', { TEMPORAL_API_KEY: 'k', TEMPORAL_API_KEY_FILE: noKey }, /are both set/],
    [
      'an API key file that is empty',
      { TEMPORAL_API_KEY_FILE: writeTemp('\n') },
      /TEMPORAL_API_KEY_FILE holds no API key/,
    ],
    [
      'an API key of two lines',
      { TEMPORAL_API_KEY_FILE: writeTemp('a\nb\n') },
      /TEMPORAL_API_KEY_FILE holds no API key/,
    ],
  ])('refuse %s, and say where', ([, variables, says]) => {
    expect(() => readTemporalAccess(variables)).toThrow(Refusal);
    expect(() => readTemporalAccess(variables)).toThrow(says);
  });

  it('imply TLS, all but the switch, and say nothing where none is set', () => {
    expect(readTemporalAccess({})).toEqual({});
    expect(readTemporalAccess({ TEMPORAL_TLS: 'true' })).toEqual({ tls: {} });
    expect(readTemporalAccess({ TEMPORAL_API_KEY: 'k' })).toEqual({ tls: {}, apiKey: 'k' });
    expect(readTemporalAccess({ TEMPORAL_API_KEY_FILE: writeTemp('from-a-file\n') }).apiKey).toBe('from-a-file');
    expect(readTemporalAccess({ TEMPORAL_TLS_SERVER_NAME: 'n' })).toEqual({ tls: { serverNameOverride: 'n' } });
    expect(Object.keys(readTemporalAccess(mutual).tls ?? {})).toEqual(['serverRootCACertificate', 'clientCertPair']);
  });

  it('never say an API key', () => {
    const faulty = { TEMPORAL_API_KEY: 'se cret' };
    expect(() => readTemporalAccess(faulty)).toThrow(expect.not.objectContaining({ message: /cret/ }) as Error);
  });

  it('belong to the server that is named, and not to the one that runs here', () => {
    expect(pickAccessVariables({ TEMPORAL_API_KEY: 'k' })).toEqual({});
    expect(pickAccessVariables({ TEMPORAL_ADDRESS: 'a:1', TEMPORAL_API_KEY: 'k', TEMPORAL_TLS: '' })).toEqual({
      TEMPORAL_API_KEY: 'k',
    });
  });
});

describe('a server that wants a client certificate', () => {
  let proxy: GrpcProxy;
  beforeAll(async () => {
    proxy = await openGrpcProxy(upstream, { tls: mutualTls });
  });
  afterAll(() => proxy.close());

  it('is spoken to with one', async () => {
    expect(await findRefusal(proxy.address, mutual)).toBeUndefined();
    expect(proxy.calls.length).toBeGreaterThan(0);
  });

  it.for<[string, AccessVariables, RegExp]>([
    ['none', { TEMPORAL_TLS_CA_FILE: ca }, /does not accept the client certificate, or wants one/],
    [
      'one of another authority',
      {
        TEMPORAL_TLS_CA_FILE: ca,
        TEMPORAL_TLS_CERT_FILE: tlsFile('self-signed.pem'),
        TEMPORAL_TLS_KEY_FILE: tlsFile('server.key'),
      },
      /does not accept the client certificate|closed the connection after the handshake/,
    ],
    ['no TLS at all', {}, /speaks TLS, and was spoken to without/],
    ['no authority that it has', pair, /shows a certificate that is not trusted here/],
  ])('refuses %s, and that is said', async ([, variables, says]) => {
    const refusal = await findRefusal(proxy.address, variables);
    expect(refusal?.message).toMatch(says);
    expect(refusal).toMatchObject({ exitCode: 3 });
    expect(refusal?.message).toContain(proxy.address);
    expect(refusal?.advice).toMatch(/TEMPORAL_TLS/);
  });
});

describe('a server with TLS', () => {
  it.for<[string, string, AccessVariables, RegExp]>([
    ['of another name', 'other-host.pem', {}, /shows a certificate for another name/],
    ['of another name, which is given', 'other-host.pem', { TEMPORAL_TLS_SERVER_NAME: 'elsewhere.test' }, /^none$/],
    ['whose certificate is over', 'expired.pem', {}, /shows a certificate that has expired/],
  ])('%s', async ([, certificate, variables, says]) => {
    const proxy = await openGrpcProxy(upstream, { tls: serverTls(certificate) });
    try {
      const refusal = await findRefusal(proxy.address, { TEMPORAL_TLS_CA_FILE: ca, ...variables });
      expect(refusal?.message ?? 'none').toMatch(says);
    } finally {
      await proxy.close();
    }
  });

  it('where the server speaks none is told', async () => {
    expect((await findRefusal(upstream, { TEMPORAL_TLS: 'true' }))?.message).toMatch(/does not speak TLS/);
  });
});

it('an API key arrives as a bearer with every call, and one that is not known is refused as such', async () => {
  const deny = ({ authorization }: IncomingHttpHeaders) =>
    authorization === 'Bearer right' ? undefined : { status: 16, message: 'Request unauthorized.' };
  const proxy = await openGrpcProxy(upstream, { tls: serverTls(), deny });
  try {
    const right = { TEMPORAL_TLS_CA_FILE: ca, TEMPORAL_API_KEY_FILE: writeTemp('right\n') };
    expect(await findRefusal(proxy.address, right)).toBeUndefined();
    expect(proxy.calls.length).toBeGreaterThan(0);
    expect(new Set(proxy.calls.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer right']));
    const refusal = await findRefusal(proxy.address, { TEMPORAL_TLS_CA_FILE: ca, TEMPORAL_API_KEY: 'wrong' });
    expect(refusal?.message).toBe(`Temporal at ${proxy.address} refuses: Request unauthorized.`);
    expect(refusal?.advice).toMatch(/^Check TEMPORAL_API_KEY/);
  } finally {
    await proxy.close();
  }
});

describe('a namespace where we may not create search attributes', () => {
  /** As Temporal Cloud does. */
  const deny = (headers: IncomingHttpHeaders) =>
    headers[':path']?.includes('OperatorService') === true
      ? { status: 7, message: 'Request unauthorized.' }
      : undefined;

  async function tryEnsure(namespace: string, denying: typeof deny): Promise<unknown> {
    const proxy = await openGrpcProxy(upstream, { deny: denying });
    try {
      return await withTemporal(settingsOf(proxy.address, {}), (_, connection) =>
        ensureSearchAttributes(connection, namespace),
      );
    } catch (error) {
      return error;
    } finally {
      await proxy.close();
    }
  }

  it('is good enough where they are all there', async () => {
    expect(await tryEnsure('default', deny)).toEqual([]);
  });

  it('is refused with the names that it lacks and the commands that create them, which do', async () => {
    const bare = `without-attributes-${Date.now()}`;
    await withTemporal(settingsOf(upstream, {}), async (_, { workflowService }) => {
      await workflowService.registerNamespace({
        namespace: bare,
        workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
      });
    });
    const mayList = (headers: IncomingHttpHeaders) =>
      headers[':path']?.endsWith('/ListSearchAttributes') === true ? undefined : deny(headers);
    for (const denying of [deny, mayList]) {
      const refusal = await tryEnsure(bare, denying);
      expect(refusal).toBeInstanceOf(Refusal);
      const { message, advice } = refusal as Refusal;
      const all = Object.values(searchAttributes);
      expect(message).toBe(
        `The namespace ${bare} lacks the search attributes ${all.join(', ')}, and we may not create them`,
      );
      const [own, cloud] = new MissingSearchAttributesError(bare, all, undefined).commands;
      expect(advice).toContain(own);
      expect(advice).toContain(cloud);
    }
    const { commands } = new MissingSearchAttributesError(bare, Object.values(searchAttributes), undefined);
    const [, ...args] = commands[0].split(' ');
    const { path } = await obtainTemporalBinary();
    await execa(path, [...args, '--address', upstream]);
    await eventually(async () => {
      const ensured = await tryEnsure(bare, deny);
      return Array.isArray(ensured) && ensured.length === 0;
    });
  });

  it('names both commands whole', () => {
    const error = new MissingSearchAttributesError('ns.a1', ['ActcoreActor', 'ActcoreSource'], undefined);
    expect(error.commands).toEqual([
      'temporal operator search-attribute create --namespace ns.a1 --name ActcoreActor --type Keyword --name ActcoreSource --type Keyword',
      'tcld namespace search-attributes add --namespace ns.a1 --search-attribute "ActcoreActor=Keyword" --search-attribute "ActcoreSource=Keyword"',
    ]);
  });
});
