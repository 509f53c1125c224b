import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseAnyPort } from '../../dev/ports.ts';
import { startPostgres } from '../../dev/postgres.ts';
import type { PostgresServer } from '../../dev/postgres.ts';
import { connectTimeoutMs, isUnreachable, openHistory } from '../../history/database.ts';
import { createLedger } from '../../history/ledger.ts';
import { migrate } from '../../history/migrate.ts';
import { listRuns } from '../../history/queries.ts';
import { makeOrder, makeReport, makeTick, openTestHistory } from './support/history.ts';
import { slackMs } from '../support/slack.ts';

/** The error of a query at that address, and how long it took. */
async function queryAt(url: string): Promise<{ error: unknown; tookMs: number }> {
  const pool = openHistory(url);
  const startedAt = performance.now();
  try {
    const error: unknown = await pool.query('SELECT 1').then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return { error, tookMs: performance.now() - startedAt };
  } finally {
    await pool.end();
  }
}

it('a port where nothing listens is unreachable at once', async () => {
  const { error, tookMs } = await queryAt(`postgres://a:b@127.0.0.1:${await chooseAnyPort()}/x`);
  expect(isUnreachable(error)).toBe(true);
  expect(tookMs).toBeLessThan(connectTimeoutMs);
});

it('a server that accepts and never speaks is unreachable after two seconds', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { error, tookMs } = await queryAt(`postgres://a:b@127.0.0.1:${(server.address() as AddressInfo).port}/x`);
  server.close();
  expect(isUnreachable(error)).toBe(true);
  expect(tookMs).toBeGreaterThanOrEqual(connectTimeoutMs - 50);
  expect(tookMs).toBeLessThan(connectTimeoutMs + 1_000 + slackMs);
});

it('a host name that does not resolve is unreachable', async () => {
  const { error } = await queryAt('postgres://a:b@nowhere.invalid:5432/x');
  expect(isUnreachable(error)).toBe(true);
});

it('what no waiting mends is not unreachable: a wrong password, a missing database, a slow statement', async () => {
  const history = await openTestHistory();
  try {
    const wrong = new URL(history.url);
    wrong.password = 'wrong';
    expect(isUnreachable((await queryAt(wrong.href)).error)).toBe(false);
    wrong.href = history.url;
    wrong.pathname = '/nowhere';
    expect(isUnreachable((await queryAt(wrong.href)).error)).toBe(false);
    const slow: unknown = await history.pool
      .query("SET statement_timeout = '50ms'; SELECT pg_sleep(5)")
      .catch((reason: unknown) => reason);
    expect(slow).toMatchObject({ code: '57014' });
    expect(isUnreachable(slow)).toBe(false);
    expect(isUnreachable('timeout expired')).toBe(false);
  } finally {
    await history.close();
  }
});

describe('a Postgres that stops and starts again', () => {
  let stateDir: string;
  let server: PostgresServer;
  let port: number;

  beforeAll(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'actcore-history-'));
    port = await chooseAnyPort();
    server = await startPostgres({ stateDir, port, fast: true });
  });

  afterAll(async () => {
    await server.stop();
    await rm(stateDir, { recursive: true, force: true });
  });

  it('fails the writes of that time as unreachable within two seconds or so, and then the pool is well again', async () => {
    const pool = openHistory(server.url);
    const order = makeOrder();
    const ledger = createLedger(pool);
    try {
      await migrate(pool);
      const inFlight = pool.query('SELECT pg_sleep(9)').catch((reason: unknown) => reason);
      await ledger.recordEnd(order, makeTick(), makeReport());
      await server.stop();
      expect(isUnreachable(await inFlight)).toBe(true);
      const startedAt = performance.now();
      const away: unknown = await ledger
        .recordEnd(order, makeTick({ source: 'away' }), makeReport())
        .catch((reason: unknown) => reason);
      expect(isUnreachable(away)).toBe(true);
      expect(performance.now() - startedAt).toBeLessThan(connectTimeoutMs + 1_000 + slackMs);
      server = await startPostgres({ stateDir, port, fast: true });
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          ledger.recordEnd(order, makeTick({ source: `back-${index}` }), makeReport()),
        ),
      );
      expect(await listRuns(pool, { definitionId: order.definition.id, limit: 99 })).toHaveLength(21);
    } finally {
      await pool.end();
    }
  });
});
