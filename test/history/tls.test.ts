import { chmodSync, chownSync, copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkHistoryUrl, withHistory } from '../../cli/history-service.ts';
import { Refusal } from '../../cli/refusal.ts';
import type { Settings } from '../../cli/settings.ts';
import { chooseAnyPort } from '../../dev/ports.ts';
import { startPostgres } from '../../dev/postgres.ts';
import type { PostgresServer } from '../../dev/postgres.ts';
import { locateClusterFiles } from '../../dev/postgres-cluster.ts';
import { findConnectFault } from '../../dev/postgres-database.ts';
import { migrate } from '../../history/migrate.ts';
import { tlsFile } from '../activities/support/tls.ts';
import { eventually } from '../support/eventually.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

let server: PostgresServer;
const stateDir = makeTempFolder();

beforeAll(async () => {
  chmodSync(stateDir, 0o755);
  server = await startPostgres({ stateDir, port: await chooseAnyPort(), fast: true });
  await showCertificate('server.pem');
}, 60_000);
afterAll(() => server.stop());

/** Lets the server speak TLS with this certificate from now on. */
async function showCertificate(name: string): Promise<void> {
  const { data } = locateClusterFiles(stateDir);
  const { uid, gid } = statSync(data);
  for (const file of [name, 'server.key']) {
    copyFileSync(tlsFile(file), join(data, file));
    chownSync(join(data, file), uid, gid);
    chmodSync(join(data, file), 0o600);
  }
  const client = new pg.Client({ connectionString: server.adminUrl });
  await client.connect();
  for (const setting of [`ssl_cert_file = '${name}'`, `ssl_key_file = 'server.key'`, 'ssl = on']) {
    await client.query(`ALTER SYSTEM SET ${setting}`);
  }
  await client.query('SELECT pg_reload_conf()');
  await eventually(async () => {
    const { rows } = await client.query<{ ssl_cert_file: string }>('SHOW ssl_cert_file');
    return rows[0]?.ssl_cert_file === name;
  });
  await client.end();
}

const urlBy = (ca: string) => `${server.url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(ca)}`;
const settingsOf = (databaseUrl: string): Settings => ({
  ...{ temporalAddress: 'none:1', namespace: 'default', taskQueue: 'none' },
  ...{ databaseUrl, uiUrl: undefined, actor: 'tester' },
});

/** What a command says of the history at that URL. */
async function findRefusal(url: string): Promise<Refusal> {
  try {
    await withHistory(settingsOf(url), (pool) => pool.query('SELECT 1'));
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

it('the history is spoken to in TLS, by an authority of its own, and its name is checked', async () => {
  const isEncrypted = await withHistory(settingsOf(urlBy(tlsFile('ca.pem'))), async (pool) => {
    await migrate(pool);
    const { rows } = await pool.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    return rows[0]?.ssl;
  });
  expect(isEncrypted).toBe(true);
});

it('an authority that has not signed its certificate is told, without the password', async () => {
  const { message, advice, exitCode } = await findRefusal(urlBy(tlsFile('self-signed.pem')));
  expect(message).toMatch(/^The history at 127\.0\.0\.1:\d+\/actcore cannot be spoken to in TLS: /);
  expect(advice).toBe('Check sslmode and sslrootcert in ACTCORE_DATABASE_URL.');
  expect(exitCode).toBe(3);
  expect(`${message} ${advice}`).not.toContain(new URL(server.url).password);
});

it.for<[string, string, RegExp]>([
  [
    'that is not there',
    '/nowhere/ca.pem',
    /^The file \/nowhere\/ca\.pem \(sslrootcert in ACTCORE_DATABASE_URL\) is not/,
  ],
  ['that holds no certificate', tlsFile('client.key'), /holds no certificate in PEM$/],
  ['that is over', tlsFile('expired.pem'), /\(sslrootcert in ACTCORE_DATABASE_URL\) expired on 2021-01-01$/],
])('the file of an authority %s is refused before anything is connected', ([, file, says]) => {
  expect(() => checkHistoryUrl(settingsOf(urlBy(file)))).toThrow(Refusal);
  expect(() => checkHistoryUrl(settingsOf(urlBy(file)))).toThrow(says);
});

it('the doctor says what is wrong with it, and does not fall over', async () => {
  expect(await findConnectFault(urlBy('/nowhere/ca.pem'), 2_000)).toMatch(/ENOENT/);
  expect(await findConnectFault(urlBy(tlsFile('ca.pem')), 2_000)).toBeUndefined();
});

it('a certificate for another name is told', async () => {
  await showCertificate('other-host.pem');
  expect((await findRefusal(urlBy(tlsFile('ca.pem')))).message).toMatch(/cannot be spoken to in TLS: .*altnames/);
});
