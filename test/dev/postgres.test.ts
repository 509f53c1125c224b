import { chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { chooseAnyPort } from '../../dev/ports.ts';
import { startPostgres, type PostgresServer } from '../../dev/postgres.ts';
import { findPostgresBinaries, repairLibraryLinks } from '../../dev/postgres-binaries.ts';
import { findConnectFault } from '../../dev/postgres-database.ts';
import { findProcesses, listens } from '../support/probe.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { createTestDatabase } from '../support/database.ts';

const asRoot = process.getuid?.() === 0;
const running: PostgresServer[] = [];

async function start(stateDir: string, fast = true): Promise<PostgresServer> {
  const server = await startPostgres({ stateDir, port: await chooseAnyPort(), fast });
  running.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function show(url: string, ...names: string[]): Promise<unknown[]> {
  const rows = await Promise.all(names.map((name) => query(url, `SHOW ${name}`)));
  return rows.map((row) => Object.values(row[0] ?? {})[0]);
}

it('keeps data over a clean stop, which leaves no process and no listening port', async () => {
  const stateDir = makeTempFolder();
  const first = await start(stateDir, false);
  const port = Number(new URL(first.url).port);
  expect(await show(first.url, 'fsync', 'synchronous_commit', 'listen_addresses', 'unix_socket_directories')).toEqual([
    'on',
    'on',
    '127.0.0.1',
    '',
  ]);
  await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS number');
  await first.stop();
  expect(await listens(port)).toBe(false);
  expect(findProcesses(stateDir)).toEqual([]);
  expect(readFileSync(first.logFile, 'utf8')).toContain('database system is shut down');
  const second = await start(stateDir);
  expect(await query(second.url, 'SELECT number FROM kept')).toEqual([{ number: 7 }]);
  expect(await show(second.url, 'fsync', 'full_page_writes', 'synchronous_commit')).toEqual(['off', 'off', 'off']);
});

it('asks for its password, which only its owner may read', async () => {
  const stateDir = makeTempFolder();
  const { url } = await start(stateDir);
  const wrong = new URL(url);
  wrong.password = 'wrong';
  expect(await findConnectFault(wrong.href, 2_000)).toContain('password authentication failed');
  expect(await show(url, 'password_encryption')).toEqual(['scram-sha-256']);
  expect(statSync(join(stateDir, 'postgres-password')).mode & 0o777).toBe(0o600);
  expect(existsSync(join(stateDir, 'postgres', 'initdb-password'))).toBe(false);
});

it('copies a template database', async () => {
  const server = await start(makeTempFolder());
  const template = await server.createDatabase('a "template"');
  await query(template, 'CREATE TABLE migrated AS SELECT 1 AS one');
  const [one, two] = await Promise.all(['one', 'two'].map((name) => server.createDatabase(name, 'a "template"')));
  expect(await query(one!, 'SELECT one FROM migrated')).toEqual([{ one: 1 }]);
  expect(await query(two!, 'SELECT one FROM migrated')).toEqual([{ one: 1 }]);
});

it('gives each test file a database that goes away with its connections', async () => {
  const { url, drop } = await createTestDatabase();
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  await drop();
  expect(await findConnectFault(url, 2_000)).toContain('does not exist');
});

describe('what a killed run left', () => {
  it('is recovered from after a kill -9 of the server', async () => {
    const stateDir = makeTempFolder();
    const first = await start(stateDir, false);
    await query(first.url, 'CREATE TABLE kept AS SELECT 7 AS number');
    process.kill(first.pid, 'SIGKILL');
    await expect.poll(() => first.hasEnded()).toBe(true);
    expect(existsSync(join(stateDir, 'postgres/data/postmaster.pid'))).toBe(true);
    const second = await start(stateDir);
    expect(await query(second.url, 'SELECT number FROM kept')).toEqual([{ number: 7 }]);
  });

  it('is ended when it still runs on the same data', async () => {
    const stateDir = makeTempFolder();
    const first = await start(stateDir);
    const second = await start(stateDir);
    expect(first.hasEnded()).toBe(true);
    expect(await findConnectFault(second.url, 2_000)).toBeUndefined();
  });

  it('does not stop a start when its pid belongs to another process by now', async () => {
    const stateDir = makeTempFolder();
    await (await start(stateDir)).stop();
    const pidFile = join(stateDir, 'postgres/data/postmaster.pid');
    writeFileSync(pidFile, `${process.pid}\n${stateDir}\n1\n5432\n`);
    if (asRoot) chownSync(pidFile, statSync(dirname(pidFile)).uid, statSync(dirname(pidFile)).gid);
    expect(await findConnectFault((await start(stateDir)).url, 2_000)).toBeUndefined();
  });

  it('of an interrupted set-up is made anew', async () => {
    const stateDir = makeTempFolder();
    mkdirSync(join(stateDir, 'postgres/data.draft/base'), { recursive: true });
    mkdirSync(join(stateDir, 'postgres/data'));
    expect(await findConnectFault((await start(stateDir)).url, 2_000)).toBeUndefined();
  });
});

it('finds and makes library links that an install without scripts leaves out', async () => {
  const found = (await findPostgresBinaries())!;
  expect(found.missingLinks).toEqual([]);
  const folder = makeTempFolder();
  mkdirSync(join(folder, 'lib'));
  writeFileSync(join(folder, 'lib', 'libx.so.1.2'), 'library');
  const missingLinks = [{ path: join(folder, 'lib', 'libx.so.1'), target: 'libx.so.1.2' }];
  expect(await repairLibraryLinks({ ...found, missingLinks })).toBe(1);
  expect(readFileSync(join(folder, 'lib', 'libx.so.1'), 'utf8')).toBe('library');
});
