import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chooseAnyPort } from '../../dev/ports.ts';
import { startPostgres } from '../../dev/postgres.ts';
import type { PostgresServer } from '../../dev/postgres.ts';
import { openHistory } from '../../history/database.ts';
import { openDetailWriter } from '../../history/detail-writer.ts';
import { createLedger } from '../../history/ledger.ts';
import { migrate } from '../../history/migrate.ts';
import { findRun } from '../../history/queries.ts';
import { runIdOf } from '../../history/run-id.ts';
import { countResults, makeResult, readCounters } from './support/details.ts';
import { makeOrder, makeReport, makeTick } from './support/history.ts';
import { slackMs } from '../support/slack.ts';

let stateDir: string;
let server: PostgresServer;
let port: number;

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'actcore-details-'));
  port = await chooseAnyPort();
  server = await startPostgres({ stateDir, port, fast: true });
});

afterAll(async () => {
  await server.stop();
  await rm(stateDir, { recursive: true, force: true });
});

it('20,000 results over an outage: counters, rows of runs and rows of results add up, run by run', async () => {
  const pool = openHistory(server.url);
  const writer = openDetailWriter(pool);
  const order = makeOrder();
  const firings = Array.from({ length: 20 }, () => makeTick({ trigger: 'canary', workflowRunId: randomUUID() }));
  const runIds = firings.map((firing) => runIdOf(order.definition.uuid, firing));
  /** The share of every run from one ordinal to another; at a pace that the history keeps up with, or at any. */
  const offer = async (from: number, to: number, { isPaced }: { isPaced: boolean }) => {
    for (let ordinal = from; ordinal < to; ordinal++) {
      for (const runId of runIds) writer.offer(makeResult(runId, ordinal));
      await nextTurn();
      if (isPaced) while (readCounters(writer).depth > 900) await nextTurn();
    }
  };
  try {
    await migrate(pool);
    await offer(0, 400, { isPaced: true });
    const stopping = server.stop();
    await offer(400, 500, { isPaced: false });
    await stopping;
    await offer(500, 600, { isPaced: false });
    expect(readCounters(writer).depth).toBe(1_024);
    server = await startPostgres({ stateDir, port, fast: true });
    await expect.poll(() => readCounters(writer).depth, { timeout: 10_000 + slackMs }).toBeLessThan(900);
    await offer(600, 1_000, { isPaced: true });
    const ledger = createLedger(pool);
    let [written, dropped] = [0, 0];
    for (const [index, runId] of runIds.entries()) {
      const settled = await writer.settle(runId, 20_000);
      expect(settled.written + settled.dropped).toBe(1_000);
      expect(await countResults(pool, runId)).toBe(settled.written);
      const report = makeReport({ detailsDropped: settled.dropped });
      await ledger.recordEnd(order, firings[index]!, report);
      expect((await findRun(pool, runId))?.detailsDropped).toBe(settled.dropped);
      written += settled.written;
      dropped += settled.dropped;
    }
    expect(readCounters(writer)).toMatchObject({ written, dropped, depth: 0 });
    expect(written + dropped).toBe(20_000);
    // Nothing is lost of what came while the history was there, or had its place in the queue before it went.
    expect(dropped).toBeGreaterThan(1_000);
    expect(written).toBeGreaterThanOrEqual(16_000);
  } finally {
    await writer.close();
    await pool.end();
  }
}, 60_000);
