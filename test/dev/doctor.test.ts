import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { examine, type Finding } from '../../dev/doctor.ts';
import { redactUrl, type GivenAccess } from '../../dev/doctor-servers.ts';
import { examineNode } from '../../dev/doctor-tools.ts';
import { tlsFile } from '../activities/support/tls.ts';
import { readTestSetting } from '../support/database.ts';
import { openGrpcProxy } from '../support/grpc-proxy.ts';
import { scriptedTemporal, writeScript } from '../support/probe.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { slackMs } from '../support/slack.ts';

async function findings(env: NodeJS.ProcessEnv, stateDir = makeTempFolder()): Promise<Record<string, Finding>> {
  const home = makeTempFolder();
  const found = await examine({ PATH: process.env['PATH'], HOME: home, ...env }, stateDir);
  return Object.fromEntries(found.map((finding) => [finding.name, finding]));
}

it('finds everything in order here, without a TEMPORAL_ADDRESS or a database', async () => {
  const bin = makeTempFolder();
  writeScript(join(bin, 'temporal'), scriptedTemporal);
  const found = await findings({ PATH: `${bin}:${process.env['PATH']}` });
  expect(Object.values(found).filter(({ ok }) => ok === 'missing')).toEqual([]);
  expect(found['temporal binary']).toMatchObject({ ok: 'ok', found: expect.stringContaining('on the PATH') as string });
  expect(found['postgres']).toMatchObject({ ok: 'ok', found: expect.stringMatching(/PostgreSQL 18/) as string });
  expect(found['postgres libraries']?.ok).toBe('ok');
  expect(found['disk for state']?.found).toMatch(/GB free/);
});

it('holds Node against the engines of package.json', () => {
  expect(examineNode('20.19.9')).toMatchObject({ ok: 'missing', advice: expect.stringContaining('20.20') as string });
  expect(examineNode('20.20.0').ok).toBe('ok');
  expect(examineNode('24.1.0').ok).toBe('ok');
});

it('says how the Temporal server would be got, and what is missing for that', async () => {
  const bin = makeTempFolder();
  const without = await findings({ PATH: bin });
  expect(without['temporal binary']).toMatchObject({ ok: 'warning', found: 'none on the PATH, none cached' });
  expect(without['go']).toMatchObject({ ok: 'warning', advice: expect.stringContaining('Install Go') as string });
  expect(without['git']).toMatchObject({ ok: 'missing' });
  writeScript(join(bin, 'go'), 'echo go version go1.26.8 linux/amd64');
  const withGo = await findings({ PATH: `${bin}:/usr/bin:/bin` });
  expect(withGo['temporal binary']?.advice).toContain('Go builds v1.5.1');
  expect(withGo['go']).toMatchObject({ ok: 'ok', found: '1.26.8' });
});

it('tells a corrupt cached server', async () => {
  const cache = makeTempFolder();
  const entry = join(cache, 'activity-core', `temporal-v1.5.1-${process.platform}-${process.arch}`);
  mkdirSync(entry, { recursive: true });
  writeFileSync(join(entry, 'temporal.json'), '{"version":"v1.5.1","bytes":9,"sha256":"x"}');
  writeFileSync(join(entry, 'temporal'), 'cut');
  const found = await findings({ PATH: '/nowhere', XDG_CACHE_HOME: cache });
  expect(found['temporal binary']).toMatchObject({
    ok: 'warning',
    found: expect.stringContaining('3 bytes') as string,
  });
});

it('reaches the servers that the environment names', async () => {
  const found = await findings({
    TEMPORAL_ADDRESS: readTestSetting('ACTCORE_TEST_TEMPORAL_ADDRESS'),
    ACTCORE_DATABASE_URL: readTestSetting('ACTCORE_TEST_DATABASE_URL'),
  });
  expect(found['temporal server']).toMatchObject({ ok: 'ok', found: expect.stringContaining('answers') as string });
  expect(found['temporal server']?.advice).toContain('MaxConcurrentWorkflowTaskPollers');
  expect(found['postgres']).toMatchObject({ ok: 'ok', found: expect.stringContaining('answers') as string });
});

it('names the variables by which the server is spoken to, and what is wrong with them, but no key', async () => {
  const [cert, key] = [readFileSync(tlsFile('server.pem')), readFileSync(tlsFile('server.key'))];
  const proxy = await openGrpcProxy(readTestSetting('ACTCORE_TEST_TEMPORAL_ADDRESS'), { tls: { cert, key } });
  const { address } = proxy;
  const variables = ['TEMPORAL_API_KEY'];
  const env = { PATH: process.env['PATH'], HOME: makeTempFolder(), TEMPORAL_ADDRESS: address };
  const examineWith = async (access: GivenAccess['access']) =>
    (await examine(env, makeTempFolder(), { variables, access })).find(({ name }) => name === 'temporal server');
  const tls = { serverRootCACertificate: readFileSync(tlsFile('ca.pem')) };
  const given = await examineWith({ tls, apiKey: 's3cret-key' });
  expect(given?.found).toBe(`${address}, namespace default, by TEMPORAL_API_KEY: answers`);
  expect(await examineWith({ fault: 'the file is not there', advice: 'Make it.' })).toEqual({
    ...{ name: 'temporal server', ok: 'missing', advice: 'Make it.' },
    found: `${address}, namespace default, by TEMPORAL_API_KEY: the file is not there`,
  });
  expect(JSON.stringify(given)).not.toContain('s3cret-key');
  expect(proxy.calls.map(({ authorization }) => authorization)).toContain('Bearer s3cret-key');
  await proxy.close();
});

it('gives up on servers that do not answer after 2 s each, without ever printing a password', async () => {
  const mute = createServer();
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
  const startedAt = Date.now();
  const found = await findings({
    TEMPORAL_ADDRESS: address,
    ACTCORE_DATABASE_URL: `postgres://app:s3cret@${address}/history?password=t0psecret`,
  });
  expect(Date.now() - startedAt).toBeLessThan(6_000 + slackMs);
  mute.close();
  expect(found['temporal server']).toMatchObject({ ok: 'missing', found: expect.stringContaining(address) as string });
  expect(found['postgres']).toMatchObject({ ok: 'missing', found: expect.stringContaining('app:***@') as string });
  expect(JSON.stringify(found)).not.toMatch(/s3cret|t0psecret/);
});

it('shows no more of a URL than account, host and database', () => {
  expect(redactUrl('postgres://a:b@h:1/d?password=c')).toBe('postgres://a:***@h:1/d');
  expect(redactUrl('postgres://h/d')).toBe('postgres://h/d');
  expect(redactUrl('a:b@h')).not.toContain('b@');
  expect(redactUrl('secret word')).toBe('(not a URL of a server)');
});

it('names folders that cannot be used', async () => {
  const file = join(makeTempFolder(), 'file');
  writeFileSync(file, '');
  const found = await findings({ XDG_CACHE_HOME: join(file, 'cache') }, join(file, 'state'));
  expect(found['state folder']).toMatchObject({
    ok: 'missing',
    advice: expect.stringContaining('ACTCORE_STATE_DIR') as string,
  });
  expect(found['cache folder']).toMatchObject({ ok: 'missing' });
});

it('tells which of the usual ports are taken', async () => {
  const blocker = createServer();
  blocker.on('error', () => {});
  await new Promise<void>((resolve) => {
    blocker.once('error', () => resolve());
    blocker.listen(7233, '127.0.0.1', () => resolve());
  });
  expect((await findings({}))['ports']).toMatchObject({ ok: 'ok', found: expect.stringContaining('7233') as string });
  blocker.close();
});
