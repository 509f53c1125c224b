import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chooseAnyPort } from '../../dev/ports.ts';
import { openHistory } from '../../history/database.ts';
import { openDetailWriter } from '../../history/detail-writer.ts';
import type { DetailWriter } from '../../history/detail-writer.ts';
import { readResults } from '../../history/results.ts';
import { countResults, makeResult, readCounters } from './support/details.ts';
import { openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';
import { slackMs } from '../support/slack.ts';

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

/** A detail writer of its own on that pool, closed when the test is over. */
async function withWriter(use: (writer: DetailWriter) => Promise<void>, pool: pg.Pool = history.pool): Promise<void> {
  const writer = openDetailWriter(pool);
  try {
    await use(writer);
  } finally {
    await writer.close();
  }
}

/** A history at a port where nothing listens. */
async function withAwayHistory(use: (pool: pg.Pool) => Promise<void>): Promise<void> {
  const pool = openHistory(`postgres://a:b@127.0.0.1:${await chooseAnyPort()}/x`);
  try {
    await use(pool);
  } finally {
    await pool.end();
  }
}

it('what was offered is there when the run is settled, in the order of the list', () =>
  withWriter(async (writer) => {
    const runId = randomUUID();
    const results = Array.from({ length: 200 }, (_, ordinal) => makeResult(runId, ordinal));
    for (const result of results.toReversed()) writer.offer(result);
    expect(await writer.settle(runId, 5_000)).toEqual({ written: 200, dropped: 0 });
    expect(await readResults(history.pool, runId, results[0]!.scheduledAt)).toEqual(results);
  }));

it('a result without an answer, a time or a key is kept as it is, and text that Postgres has no place for nearly so', () =>
  withWriter(async (writer) => {
    const runId = randomUUID();
    const { status: _s, startedAt: _a, finishedAt: _f, idempotencyKey: _k, ...bare } = makeResult(runId, 0);
    writer.offer({ ...bare, outcome: 'not_reached', attempt: 0, assessment: 'none' });
    writer.offer(makeResult(runId, 1, { target: 'a\0b', reason: `half ${'😀'.slice(0, 1)} "quoted" \\u0000` }));
    await writer.settle(runId, 5_000);
    const [first, second] = await readResults(history.pool, runId, bare.scheduledAt);
    expect(first).toEqual({ ...bare, outcome: 'not_reached', attempt: 0, assessment: 'none' });
    expect(second).toMatchObject({ target: 'a\uFFFDb', reason: 'half \uFFFD "quoted" \\u0000' });
  }));

it('a month that has no partition yet gets one', () =>
  withWriter(async (writer) => {
    const runId = randomUUID();
    const scheduledAt = '2031-07-31T23:59:59.999Z';
    writer.offer(makeResult(runId, 0, { scheduledAt }));
    expect(await writer.settle(runId, 5_000)).toEqual({ written: 1, dropped: 0 });
    expect(await readResults(history.pool, runId, scheduledAt)).toHaveLength(1);
  }));

it.for(['one batch', 'two batches'])('a later end stands, and no end gives way to not_reached: in %s', (when) =>
  withWriter(async (writer) => {
    const runId = randomUUID();
    const at = (second: number) => `2026-03-01T00:15:0${second}.000Z`;
    const early = makeResult(runId, 0, { outcome: 'automation_error', finishedAt: at(3), reason: 'early' });
    const late = makeResult(runId, 0, { finishedAt: at(5), reason: 'late' });
    const { finishedAt: _, ...open } = makeResult(runId, 0, { outcome: 'not_reached', reason: 'not reached' });
    for (const order of [
      [early, late, open],
      [open, late, early],
      [late, open, early, late],
    ]) {
      for (const result of order) {
        writer.offer(result);
        if (when === 'two batches') await writer.settle(runId, 5_000);
      }
      await writer.settle(runId, 5_000);
      expect(await readResults(history.pool, runId, late.scheduledAt)).toEqual([late]);
      await history.pool.query('DELETE FROM actcore.results WHERE run_id = $1', [runId]);
    }
  }),
);

it('a burst beyond 1,024 is cut there, and the numbers of the run, the metrics and the table agree', () =>
  withWriter(async (writer) => {
    const [big, small] = [randomUUID(), randomUUID()];
    for (let ordinal = 0; ordinal < 1_500; ordinal++) writer.offer(makeResult(big, ordinal));
    for (let ordinal = 0; ordinal < 7; ordinal++) writer.offer(makeResult(small, ordinal));
    expect(writer.metrics().actcore_ledger_queue_depth).toBe(1_024);
    expect(await writer.settle(small, 5_000)).toEqual({ written: 0, dropped: 7 });
    expect(await writer.settle(big, 5_000)).toEqual({ written: 1_024, dropped: 476 });
    expect(readCounters(writer)).toEqual({ written: 1_024, dropped: 483, depth: 0, failed: 0 });
    expect(await countResults(history.pool, big)).toBe(1_024);
  }));

it('a row that the table refuses is dropped alone', () =>
  withWriter(async (writer) => {
    const runId = randomUUID();
    const results = Array.from({ length: 300 }, (_, ordinal) => makeResult(runId, ordinal));
    results[17] = makeResult(runId, 17, { assessmentFailureCount: -1 });
    results[18] = makeResult(runId, 18, { status: Number.NaN });
    results[211] = makeResult(runId, 211, { attempt: 2 ** 40 });
    results[212] = makeResult(runId, 212, { finishedAt: 'no time' });
    for (const result of results) writer.offer(result);
    expect(await writer.settle(runId, 10_000)).toEqual({ written: 297, dropped: 3 });
    const found = await readResults(history.pool, runId, makeResult(runId, 0).scheduledAt);
    expect(found.map(({ ordinal }) => ordinal)).toEqual(
      results.map(({ ordinal }) => ordinal).filter((ordinal) => ![17, 211, 212].includes(ordinal)),
    );
  }));

it('a history that is away costs a run no more than it allows, and what waited counts as dropped', () =>
  withAwayHistory((pool) =>
    withWriter(async (writer) => {
      const [runId, other] = [randomUUID(), randomUUID()];
      for (let ordinal = 0; ordinal < 1_000; ordinal++) writer.offer(makeResult(runId, ordinal));
      for (let ordinal = 0; ordinal < 100; ordinal++) writer.offer(makeResult(other, ordinal));
      const startedAt = performance.now();
      expect(await writer.settle(runId, 300)).toEqual({ written: 0, dropped: 1_000 });
      expect(performance.now() - startedAt).toBeLessThan(600 + slackMs / 2);
      expect(readCounters(writer)).toMatchObject({ written: 0, dropped: 1_076, depth: 24 });
      expect(await writer.settle(other, 0)).toEqual({ written: 0, dropped: 100 });
      expect(await writer.settle(other, 0)).toEqual({ written: 0, dropped: 0 });
    }, pool),
  ));

it('a row whose write outlives the patience counts as dropped, once, though it arrives', () =>
  withWriter(async (writer) => {
    const runId = randomUUID();
    const holder = await history.pool.connect();
    try {
      await holder.query('BEGIN; LOCK TABLE actcore.results IN ACCESS EXCLUSIVE MODE');
      writer.offer(makeResult(runId, 0));
      expect(await writer.settle(runId, 50)).toEqual({ written: 0, dropped: 1 });
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
    await expect.poll(() => writer.metrics().actcore_ledger_write_latency_ms[0]?.count).toBe(1);
    expect(await countResults(history.pool, runId)).toBe(1);
    expect(readCounters(writer)).toEqual({ written: 0, dropped: 1, depth: 0, failed: 0 });
  }));

it('close writes what is queued, and drops what comes later', async () => {
  const writer = openDetailWriter(history.pool);
  const runId = randomUUID();
  for (let ordinal = 0; ordinal < 1_000; ordinal++) writer.offer(makeResult(runId, ordinal));
  await writer.close();
  expect(await countResults(history.pool, runId)).toBe(1_000);
  writer.offer(makeResult(runId, 1_000));
  expect(readCounters(writer)).toEqual({ written: 1_000, dropped: 1, depth: 0, failed: 0 });
  expect(await writer.settle(runId, 0)).toEqual({ written: 1_000, dropped: 1 });
  await writer.close();
});

it('close waits for a history that is away for 5 s, and lets those go who wait for a run', () =>
  withAwayHistory(async (pool) => {
    const writer = openDetailWriter(pool);
    const runId = randomUUID();
    for (let ordinal = 0; ordinal < 10; ordinal++) writer.offer(makeResult(runId, ordinal));
    const settling = writer.settle(runId, 60_000);
    const startedAt = performance.now();
    await writer.close();
    expect(performance.now() - startedAt).toBeGreaterThan(4_900);
    expect(performance.now() - startedAt).toBeLessThan(5_500 + slackMs);
    expect(await settling).toEqual({ written: 0, dropped: 10 });
    expect(readCounters(writer)).toMatchObject({ written: 0, dropped: 10, depth: 0 });
  }));

it('the latency of every statement stands in cumulative buckets from 0.1 ms', () =>
  withWriter(async (writer) => {
    const runId = randomUUID();
    for (let ordinal = 0; ordinal < 500; ordinal++) {
      writer.offer(makeResult(runId, ordinal));
      if (ordinal % 50 === 0) await nextTurn();
    }
    await writer.settle(runId, 5_000);
    const [latency] = writer.metrics().actcore_ledger_write_latency_ms;
    const { buckets, count, sum } = latency!;
    expect(buckets[0]?.le).toBe(0.1);
    expect(buckets.at(-1)).toEqual({ le: Infinity, count });
    expect(buckets.map((bucket) => bucket.count)).toEqual(buckets.map((bucket) => bucket.count).sort((a, b) => a - b));
    expect(count).toBeGreaterThanOrEqual(500 / 128);
    expect(sum).toBeGreaterThan(0);
  }));

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ offer: fc.integer({ min: 1, max: 700 }), run: fc.integer({ min: 0, max: 2 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ settle: fc.integer({ min: 0, max: 2 }), atMostMs: fc.integer({ min: 0, max: 30 }) }),
  },
  { weight: 2, arbitrary: fc.record({ turns: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 2, arbitrary: fc.constantFrom({ table: 'gone' as const }, { table: 'back' as const }) },
);

it('whatever happens, attempted is written, dropped and queued, and the gauge is between 0 and 1,024', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 15 }), async (steps) => {
      const runs = [randomUUID(), randomUUID(), randomUUID()];
      const writer = openDetailWriter(history.pool);
      let offered = 0;
      let isGone = false;
      const settlings: Promise<{ written: number; dropped: number }>[] = [];
      const check = () => {
        const { written, dropped, depth } = readCounters(writer);
        expect(depth).toBeGreaterThanOrEqual(0);
        expect(depth).toBeLessThanOrEqual(1_024);
        expect(written + dropped + depth).toBe(offered);
      };
      const moveTable = async (to: 'gone' | 'back') => {
        if ((to === 'gone') === isGone) return;
        isGone = to === 'gone';
        const [from, name] = isGone ? ['results', 'results_gone'] : ['results_gone', 'results'];
        await history.pool.query(`ALTER TABLE actcore.${from} RENAME TO ${name}`);
      };
      for (const one of steps) {
        if ('offer' in one) {
          for (let count = 0; count < one.offer; count++) writer.offer(makeResult(runs[one.run]!, offered++));
        } else if ('settle' in one) settlings.push(writer.settle(runs[one.settle]!, one.atMostMs));
        else if ('table' in one) await moveTable(one.table);
        else for (let turn = 0; turn < one.turns; turn++) await nextTurn().then(check);
        check();
      }
      await moveTable('back');
      for (const run of runs) settlings.push(writer.settle(run, 5_000));
      const settled = await Promise.all(settlings);
      check();
      const { written, dropped, depth } = readCounters(writer);
      expect(depth).toBe(0);
      expect(dropped + written).toBe(offered);
      // Two that wait for one run are told the same numbers, so that the sum is no less than what there was.
      expect(settled.reduce((sum, tally) => sum + tally.written + tally.dropped, 0)).toBeGreaterThanOrEqual(offered);
      await writer.close();
      const { rows } = await history.pool.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM actcore.results WHERE run_id = ANY($1)',
        [runs],
      );
      expect(rows[0]?.count).toBeGreaterThanOrEqual(written);
    }),
    { numRuns: 40 },
  );
}, 90_000);
