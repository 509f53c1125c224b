import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openHistory } from '../../history/database.ts';
import { createLedger } from '../../history/ledger.ts';
import type { Ledger } from '../../history/ledger.ts';
import type { Firing } from '../../workflows/contract.ts';
import { findRun, listRuns } from '../../history/queries.ts';
import { runIdOf } from '../../history/run-id.ts';
import { mayReplace } from '../../history/states.ts';
import { standings, states } from '../../history/states.ts';
import type { Standing } from '../../history/states.ts';
import { makeOrder, makeReport, makeTick, openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';

const start = { startedAt: '2026-03-01T00:15:01.000Z', attempt: 1 };
const order = makeOrder();

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

/** A firing that nothing has been written of. */
function makeFiring() {
  return makeTick({ trigger: 'canary', workflowRunId: randomUUID() });
}

function makeFailures(count: number, message = 'differs') {
  return Array.from({ length: count }, (_, index) => ({ target: `repo-${index}`, rule: 'C-07', message }));
}

/** Writes as whoever gives rows of that standing. */
async function writeAs(ledger: Ledger, firing: Firing, standing: Standing) {
  if (standing === 'running') return ledger.recordStart(order, firing, start);
  const report = { ...makeReport({ reason: standing }), certainty: standing };
  const { certainty } = report;
  if (certainty === 'concluded') return ledger.recordConclusion(order, firing, { ...report, certainty });
  return ledger.recordEnd(order, firing, report);
}

async function readRow(firing: ReturnType<typeof makeFiring>) {
  return findRun(history.pool, runIdOf(order.definition.uuid, firing));
}

it('a run that starts and ends is one row that holds what was reported', async () => {
  const ledger = createLedger(history.pool);
  const firing = makeTick();
  await ledger.recordStart(order, firing, start);
  expect(await readRow(firing)).toMatchObject({
    ...{ certainty: 'running', outcome: null, exitCode: null, finishedAt: null, assessment: 'none' },
    ...{ scheduledAt: firing.scheduledAt, startedAt: start.startedAt, definitionId: order.definition.id },
  });
  const report = makeReport({ assessmentFailures: makeFailures(2), response: { status: 200, json: '{"a":1}' } });
  const written = await ledger.recordEnd(order, firing, report);
  expect(written).toEqual({ ...report, recorded: true });
  expect(await readRow(firing)).toMatchObject({
    ...{ certainty: 'witnessed', outcome: 'completed', exitCode: 0, assessment: 'failed', assessmentFailureCount: 2 },
    ...{ assessmentFailures: makeFailures(2), response: '{"a":1}', responseStatus: 200, reason: report.reason },
    ...{ finishedAt: report.finishedAt, revision: order.revision, contractHash: order.contractHash },
  });
  expect(await listRuns(history.pool, { definitionId: order.definition.id, limit: 9 })).toHaveLength(1);
});

it('in whatever order and however often its writers arrive, a row says what states.ts says', async () => {
  const ledger = createLedger(history.pool);
  const write = fc.record({
    standing: fc.constantFrom<Standing>(...standings),
    failures: fc.integer({ min: 0, max: 3 }),
    reason: fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll('\0', '')),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 6 }), async (writes) => {
      const firing = makeFiring();
      let expected: (typeof writes)[number] | undefined;
      for (const one of writes) {
        const { standing, reason, failures } = one;
        if (expected === undefined || mayReplace(expected.standing, standing)) expected = one;
        if (standing === 'running') {
          await ledger.recordStart(order, firing, start);
          continue;
        }
        if (standing === 'concluded') {
          const concluded = { ...makeReport({ reason }), certainty: standing };
          const isWritten = await ledger.recordConclusion(order, firing, concluded);
          if (isWritten !== (expected === one)) throw new Error(`a conclusion was written: ${isWritten}`);
          continue;
        }
        const report = makeReport({ certainty: standing, reason, assessmentFailures: makeFailures(failures, reason) });
        const said = await ledger.recordEnd(order, firing, report);
        expect(said).toMatchObject({ reason: expected.reason, certainty: expected.standing, recorded: true });
      }
      const row = await readRow(firing);
      const isRunning = expected?.standing === 'running';
      const failures =
        isRunning || expected?.standing === 'concluded' ? [] : makeFailures(expected?.failures ?? 0, expected?.reason);
      expect(row).toMatchObject({
        ...{ certainty: expected?.standing, assessmentFailures: failures, assessmentFailureCount: failures.length },
        reason: isRunning ? 'the run has started and has not ended yet' : expected?.reason,
      });
    }),
    { numRuns: 100 },
  );
});

it('20 writers of one end at once leave one row, with its assessments once', async () => {
  const pools = Array.from({ length: 20 }, () => openHistory(history.url));
  try {
    for (let round = 0; round < 5; round++) {
      const firing = makeFiring();
      await Promise.all(
        pools.map((pool, index) => {
          const ledger = createLedger(pool);
          if (index % 5 === 0) return ledger.recordStart(order, firing, start);
          const certainty = index % 2 === 0 ? 'inferred' : 'witnessed';
          const count = certainty === 'witnessed' ? 3 : 7;
          const report = makeReport({
            certainty,
            reason: certainty,
            assessmentFailures: makeFailures(count, certainty),
          });
          return ledger.recordEnd(order, firing, report);
        }),
      );
      expect(await readRow(firing)).toMatchObject({
        ...{ certainty: 'witnessed', reason: 'witnessed', assessmentFailureCount: 3 },
        assessmentFailures: makeFailures(3, 'witnessed'),
      });
      const id = runIdOf(order.definition.uuid, firing);
      const { rows } = await history.pool.query('SELECT count(*)::int FROM actcore.runs WHERE id = $1', [id]);
      expect(rows).toEqual([{ count: 1 }]);
    }
  } finally {
    await Promise.all(pools.map((pool) => pool.end()));
  }
});

it('a row and its assessments are written together or not at all', async () => {
  const ledger = createLedger(history.pool);
  const firing = makeFiring();
  await history.pool.query(
    "ALTER TABLE actcore.assessments ADD CONSTRAINT refuses CHECK (message <> 'refused') NOT VALID",
  );
  const failures = [...makeFailures(2), { target: 'repo', rule: 'C-01', message: 'refused' }];
  const refused = ledger.recordEnd(order, firing, makeReport({ assessmentFailures: failures }));
  await expect(refused).rejects.toThrow('refuses');
  expect(await readRow(firing)).toBeUndefined();
  await history.pool.query('ALTER TABLE actcore.assessments DROP CONSTRAINT refuses');
  await ledger.recordEnd(order, firing, makeReport({ assessmentFailures: failures }));
  expect((await readRow(firing))?.assessmentFailures).toEqual(failures);
});

it('a writer that is cut off in the middle leaves no half of a row', async () => {
  const firing = makeFiring();
  const holder = await history.pool.connect();
  const writer = openHistory(history.url);
  try {
    await holder.query('BEGIN; LOCK TABLE actcore.assessments IN ACCESS EXCLUSIVE MODE');
    const report = makeReport({ assessmentFailures: makeFailures(2) });
    const writing = createLedger(writer).recordEnd(order, firing, report);
    writing.catch(() => {});
    const stuck = `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO actcore.runs%'`;
    await expect.poll(async () => (await history.pool.query(stuck)).rowCount, { timeout: 5_000 }).toBe(1);
    await expect(writing).rejects.toThrow('terminat');
  } finally {
    await holder.query('ROLLBACK');
    holder.release();
    await writer.end();
  }
  expect(await readRow(firing)).toBeUndefined();
});

it('a time finer than a millisecond is the same tick', async () => {
  const ledger = createLedger(history.pool);
  const scheduledAt = '2026-04-01T00:00:00.123456Z';
  await ledger.recordEnd(order, makeTick({ scheduledAt }), makeReport());
  await ledger.recordEnd(order, makeTick({ scheduledAt: '2026-04-01T00:00:00.123Z' }), makeReport());
  const since = new Date('2026-04-01T00:00:00Z');
  expect(await listRuns(history.pool, { definitionId: order.definition.id, since, limit: 9 })).toHaveLength(1);
});

it('the outcome never moves backwards, however the writers of one tick interleave', async () => {
  const pools = Array.from({ length: 4 }, () => openHistory(history.url));
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<Standing>(...standings), { minLength: 2, maxLength: 8 }),
        async (writes) => {
          const firing = makeFiring();
          const write = async (standing: Standing, index: number) => {
            const ledger = createLedger(pools[index % pools.length] ?? history.pool);
            await writeAs(ledger, firing, standing);
          };
          await Promise.all(writes.map(write));
          const strongest = standings.findLast((standing) => writes.includes(standing));
          expect(await readRow(firing)).toMatchObject({
            certainty: strongest,
            reason: strongest === 'running' ? 'the run has started and has not ended yet' : strongest,
          });
        },
      ),
      { numRuns: 60 },
    );
  } finally {
    await Promise.all(pools.map((pool) => pool.end()));
  }
});

it('a row that a reader has seen is only ever replaced by one of higher rank', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Standing>(...standings), { minLength: 1, maxLength: 8 }),
      async (writes) => {
        const firing = makeFiring();
        const ledger = createLedger(history.pool);
        let rank = -Infinity;
        for (const standing of writes) {
          await writeAs(ledger, firing, standing);
          const row = await readRow(firing);
          const next = states[row?.certainty ?? 'concluded'].rank;
          expect(next).toBeGreaterThanOrEqual(rank);
          expect(next).toBe(Math.max(rank, states[standing].rank));
          expect(row?.outcome === null).toBe(row?.certainty === 'running');
          rank = next;
        }
      },
    ),
    { numRuns: 60 },
  );
});
