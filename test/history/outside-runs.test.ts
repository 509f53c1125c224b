import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLedger } from '../../history/ledger.ts';
import { findOtherReport, recordOutsideEnd, recordOutsideStart } from '../../history/outside-runs.ts';
import type { OutsideEnd, OutsideRun } from '../../history/outside-runs.ts';
import { findRun } from '../../history/queries.ts';
import { makeOrder, makeReport, makeTick, openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

/** An execution of a definition that no other test uses, at its tick. */
function makeRun(changes: Partial<OutsideRun> = {}): OutsideRun {
  return {
    order: makeOrder(),
    source: 'local-timer',
    scheduledAt: '2026-03-01T00:15:00.000Z',
    startedAt: '2026-03-01T00:15:01.000Z',
    actor: 'cron@host',
    reporterId: randomUUID(),
    flags: [],
    ...changes,
  };
}

const another = (run: OutsideRun, changes: Partial<OutsideRun> = {}) => ({
  ...run,
  reporterId: randomUUID(),
  ...changes,
});

function makeEnd(changes: Partial<OutsideEnd> = {}): OutsideEnd {
  return {
    ...{ finishedAt: '2026-03-01T00:15:09.000Z', outcome: 'completed', certainty: 'witnessed' },
    ...{ reason: 'job exited with 0', isAssessed: false, failures: [] },
    ...changes,
  };
}

async function retire({ order, source }: OutsideRun, retiredAt: string) {
  await history.pool.query(
    `INSERT INTO actcore.retired_sources (definition_uuid, source, retired_at, retired_by, successor, evidence)
     VALUES ($1, $2, $3, 'ada@desk', 'activity-core', '{}')`,
    [order.definition.uuid, source, retiredAt],
  );
}

it('an outside run that starts and ends is one row, written by the one that reports it', async () => {
  const run = makeRun({ flags: ['late'] });
  expect(await recordOutsideStart(history.pool, run)).toMatchObject({ outcome: null, isOwn: true, flags: ['late'] });
  const failures = [{ target: 'repo', rule: 'C-05', message: 'differs' }];
  const row = await recordOutsideEnd(history.pool, run, makeEnd({ isAssessed: true, failures, output: '{"a":1}' }));
  expect(row).toMatchObject({ outcome: 'completed', isOwn: true, flags: ['late'] });
  expect(await findRun(history.pool, row.runId)).toMatchObject({
    ...{
      source: 'local-timer',
      trigger: 'external',
      actor: 'cron@host',
      workflowId: '',
      workflowRunId: run.reporterId,
    },
    ...{ outcome: 'completed', assessment: 'failed', assessmentFailures: failures, response: '{"a":1}' },
    ...{ responseStatus: null, flags: ['late'], certainty: 'witnessed', startedAt: run.startedAt },
  });
});

it('the same report told twice is no repetition, in whatever order its parts come', async () => {
  const run = makeRun();
  const end = makeEnd();
  await recordOutsideEnd(history.pool, run, end);
  await recordOutsideStart(history.pool, run);
  await recordOutsideStart(history.pool, run);
  expect(await recordOutsideEnd(history.pool, run, end)).toMatchObject({
    flags: [],
    isOwn: true,
    outcome: 'completed',
  });
});

it.each([
  [
    'one after the other',
    async (pool: TestHistory['pool'], first: OutsideRun, second: OutsideRun) => {
      await recordOutsideStart(pool, first);
      await recordOutsideEnd(pool, first, makeEnd());
      await recordOutsideStart(pool, second);
      await recordOutsideEnd(pool, second, makeEnd({ outcome: 'automation_error' }));
    },
  ],
  [
    'side by side',
    async (pool: TestHistory['pool'], first: OutsideRun, second: OutsideRun) => {
      await recordOutsideStart(pool, second);
      await recordOutsideStart(pool, first);
      await recordOutsideEnd(pool, first, makeEnd());
      await recordOutsideEnd(pool, second, makeEnd({ outcome: 'automation_error' }));
    },
  ],
  [
    'of which only the ends are told',
    async (pool: TestHistory['pool'], first: OutsideRun, second: OutsideRun) => {
      await recordOutsideEnd(pool, first, makeEnd());
      await recordOutsideEnd(pool, second, makeEnd({ outcome: 'automation_error' }));
    },
  ],
  [
    'of which one never ends',
    async (pool: TestHistory['pool'], first: OutsideRun, second: OutsideRun) => {
      await recordOutsideStart(pool, second);
      await recordOutsideEnd(pool, first, makeEnd());
    },
  ],
])('two executions of a tick, %s, are one row that is repeated and says how the first one ended', async (_, tell) => {
  const first = makeRun();
  const second = another(first);
  await tell(history.pool, first, second);
  const { rows } = await history.pool.query(
    'SELECT outcome, flags, workflow_run_id FROM actcore.runs WHERE definition_id = $1',
    [first.order.definition.id],
  );
  expect(rows).toEqual([{ outcome: 'completed', flags: ['repeated'], workflow_run_id: first.reporterId }]);
});

it('that another one is at work ends no row of the one that is', async () => {
  const worker = makeRun();
  await recordOutsideStart(history.pool, worker);
  const skipped = await recordOutsideEnd(history.pool, another(worker), makeEnd({ outcome: 'lock_skipped' }));
  expect(skipped).toMatchObject({ outcome: null, isOwn: false, flags: ['repeated'] });
  const ended = await recordOutsideEnd(history.pool, worker, makeEnd());
  expect(ended).toMatchObject({ outcome: 'completed', isOwn: true, flags: ['repeated'] });
});

it('a tick that is told after a later one is out of order, and one that goes on meanwhile is not', async () => {
  const early = makeRun();
  const later = another(early, { scheduledAt: '2026-03-01T00:30:00.000Z' });
  const latest = another(early, { scheduledAt: '2026-03-01T00:45:00.000Z' });
  await recordOutsideStart(history.pool, later);
  await recordOutsideEnd(history.pool, latest, makeEnd());
  expect(await recordOutsideEnd(history.pool, later, makeEnd())).toMatchObject({ flags: [] });
  expect(await recordOutsideEnd(history.pool, early, makeEnd())).toMatchObject({ flags: ['out_of_order'] });
});

it('what was concluded of a tick is no report of it', async () => {
  const run = makeRun();
  const { source, scheduledAt } = run;
  const missed = { ...makeReport({ outcome: 'missed' }), certainty: 'concluded' as const };
  const firing = makeTick({ source, scheduledAt, trigger: 'external', workflowId: '', workflowRunId: '' });
  await createLedger(history.pool).recordConclusion(makeOrderOf(run), firing, missed);
  const later = { ...firing, scheduledAt: '2026-03-01T00:30:00.000Z' };
  await createLedger(history.pool).recordConclusion(makeOrderOf(run), later, missed);
  expect(await findOtherReport(history.pool, run)).toBeUndefined();
  expect(await recordOutsideEnd(history.pool, run, makeEnd())).toMatchObject({ outcome: 'completed', flags: [] });
  expect(await findOtherReport(history.pool, another(run))).toBeDefined();
});

const makeOrderOf = ({ order }: OutsideRun) => order;

it('a retired source completes nothing, and what had begun before was right to', async () => {
  const run = makeRun();
  await retire(run, '2026-03-01T00:14:00.000Z');
  const row = await recordOutsideEnd(history.pool, run, makeEnd());
  expect(row).toMatchObject({ outcome: 'automation_error', flags: ['retired_source'] });
  expect((await findRun(history.pool, row.runId))?.reason).toBe(
    'local-timer was retired by ada@desk at 2026-03-01T00:14:00.000Z in favour of activity-core, and fired; job exited with 0',
  );
  const before = another(run, { scheduledAt: '2026-03-01T00:10:00.000Z', startedAt: '2026-03-01T00:10:00.000Z' });
  expect(await recordOutsideEnd(history.pool, before, makeEnd())).toMatchObject({
    ...{ outcome: 'completed', flags: ['out_of_order'] },
  });
});

it('20 reporters of one tick at once leave one row, which says so', async () => {
  const run = makeRun();
  const told = Array.from({ length: 20 }, () => another(run));
  await Promise.all(
    told.map(async (one) => {
      await recordOutsideStart(history.pool, one);
      await recordOutsideEnd(history.pool, one, makeEnd());
    }),
  );
  const { rows } = await history.pool.query('SELECT flags FROM actcore.runs WHERE definition_id = $1', [
    run.order.definition.id,
  ]);
  expect(rows).toEqual([{ flags: ['repeated'] }]);
});
