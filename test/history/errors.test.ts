import { afterAll, beforeAll, expect, it } from 'vitest';
import { countErrors, listErrors } from '../../history/errors.ts';
import { createLedger } from '../../history/ledger.ts';
import { writeResults } from '../../history/results.ts';
import { runIdOf } from '../../history/run-id.ts';
import type { FailedAttempt, Order, RunReport } from '../../workflows/contract.ts';
import { makeResult } from './support/details.ts';
import { makeOrder, makeReport, makeTick, openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

interface Written {
  source?: string;
  at?: string;
}

/** Writes how the run of a tick ended; returns its id. */
async function write(order: Order, changes: Partial<RunReport>, { source, at }: Written = {}): Promise<string> {
  const firing = makeTick({ source: source ?? 'activity-core', scheduledAt: at ?? '2026-03-01T00:15:00.000Z' });
  await createLedger(history.pool).recordEnd(order, firing, makeReport(changes));
  return runIdOf(order.definition.uuid, firing);
}

const broken = { outcome: 'automation_error', exitCode: 1, reason: 'the target answered 500' } as const;

function fail(attempt: number, changes: Partial<FailedAttempt> = {}): FailedAttempt {
  const at = `2026-03-01T00:15:0${attempt}.000Z`;
  return { attempt, at, operation: 'POST /sweep', error: `failure ${attempt}`, rescued: false, ...changes };
}

const list = ({ definition }: Order) => listErrors(history.pool, { definitionId: definition.id, limit: 100 });

it('an attempt that a retry made good is listed with what was called, when, and in which attempt', async () => {
  const order = makeOrder();
  const runId = await write(order, { failedAttempts: [fail(1, { rescued: true })] });
  expect(await list(order)).toEqual([
    {
      ...{ runId, definitionId: order.definition.id, source: 'activity-core', target: null, attempt: 1 },
      ...{ scheduledAt: '2026-03-01T00:15:00.000Z', at: '2026-03-01T00:15:01.000Z', operation: 'POST /sweep' },
      ...{ error: 'failure 1', rescued: true, rescuedBy: 'retry' },
    },
  ]);
});

it('another runner that completed the same tick is named on the last failure of the run, and not on those before', async () => {
  const order = makeOrder();
  await write(order, { ...broken, failedAttempts: [fail(1), fail(2)] });
  await write(order, { outcome: 'lock_skipped' }, { source: 'laptop' });
  expect((await list(order)).map(({ rescuedBy }) => rescuedBy)).toEqual([null, null]);
  await write(order, {}, { source: 'local-timer', at: '2026-03-01T00:30:00.000Z' });
  expect((await list(order)).map(({ rescuedBy }) => rescuedBy)).toEqual([null, null]);
  await write(order, {}, { source: 'local-timer' });
  const errors = await list(order);
  expect(errors.map(({ attempt, rescued, rescuedBy }) => [attempt, rescued, rescuedBy])).toEqual([
    [2, true, 'local-timer'],
    [1, false, null],
  ]);
});

it('a run that failed without a failed attempt is listed as a whole, once', async () => {
  const order = makeOrder();
  const runId = await write(order, { ...broken, attempt: 3 });
  expect(await list(order)).toMatchObject([
    { runId, operation: 'sweep', attempt: 3, error: 'the target answered 500', at: '2026-03-01T00:15:02.000Z' },
  ]);
  const other = makeOrder();
  await write(other, { ...broken, failedAttempts: [fail(1, { rescued: true }), fail(2, { target: 'a' })] });
  expect((await list(other)).map(({ error }) => error)).toEqual(['failure 2', 'failure 1']);
  const third = makeOrder();
  await write(third, { ...broken, failedAttempts: [fail(1, { rescued: true })] });
  expect((await list(third)).map(({ error, rescuedBy }) => [error, rescuedBy])).toEqual([
    ['the target answered 500', null],
    ['failure 1', 'retry'],
  ]);
});

it('a target that failed is listed in place of its run, and only where no attempt of it says so', async () => {
  const order = makeOrder();
  const runId = await write(order, { ...broken, failedAttempts: [fail(1, { target: 'a' })] });
  const bad = { outcome: 'automation_error', reason: 'refused' } as const;
  await writeResults(history.pool, [
    makeResult(runId, 0, { ...bad, target: 'a' }),
    makeResult(runId, 1, { ...bad, target: 'b', attempt: 1 }),
    makeResult(runId, 2, { target: 'c' }),
  ]);
  const errors = await list(order);
  expect(errors.map(({ target, error }) => [target, error])).toEqual([
    ['b', 'refused'],
    ['a', 'failure 1'],
  ]);
  const filter = { definitionId: order.definition.id, limit: 10 };
  expect(await listErrors(history.pool, { ...filter, target: 'b' })).toMatchObject([
    { target: 'b', operation: 'sweep' },
  ]);
  expect(await listErrors(history.pool, { ...filter, target: 'nobody' })).toEqual([]);
});

it('of all definitions the newest come first, since a tick, and no more than asked for', async () => {
  const [first, second] = [makeOrder(), makeOrder()];
  const at = (hour: number) => ({ at: `2031-05-01T0${hour}:00:00.000Z` });
  for (const hour of [1, 3]) await write(first, { ...broken, reason: `first ${hour}` }, at(hour));
  await write(second, { ...broken, reason: 'second 2' }, at(2));
  const newest = await listErrors(history.pool, { since: new Date('2031-05-01T02:00:00Z'), limit: 10 });
  expect(newest.map(({ error }) => error)).toEqual(['first 3', 'second 2']);
  expect(await listErrors(history.pool, { limit: 1 })).toMatchObject([{ error: 'first 3' }]);
});

it('counts are by definition and target, with those that nothing made good', async () => {
  const order = makeOrder();
  const of = (target: string, attempt: number, rescued: boolean) => fail(attempt, { target, rescued });
  const failedAttempts = [of('a', 1, true), of('a', 2, false), of('b', 1, true), of('b', 3, true), of('b', 4, true)];
  await write(order, { failedAttempts });
  await write(order, broken, { at: '2026-03-01T00:45:00.000Z' });
  const definitionId = order.definition.id;
  const counts = await countErrors(history.pool, { definitionId, limit: 10 });
  expect(counts).toEqual([
    { definitionId, target: 'b', errors: 3, unrescued: 0, lastAt: '2026-03-01T00:15:04.000Z', lastError: 'failure 4' },
    { definitionId, target: 'a', errors: 2, unrescued: 1, lastAt: '2026-03-01T00:15:02.000Z', lastError: 'failure 2' },
    { definitionId, target: null, errors: 1, unrescued: 1, lastAt: expect.any(String), lastError: broken.reason },
  ]);
  expect(await countErrors(history.pool, { definitionId, target: 'a', limit: 1 })).toMatchObject([{ errors: 2 }]);
});

it('a worker of an older version writes errors as before, and what it called is the kind', async () => {
  const order = makeOrder();
  const { operation: _, ...old } = fail(1);
  await write(order, { ...broken, failedAttempts: [old] });
  expect(await list(order)).toMatchObject([{ operation: 'sweep', error: 'failure 1' }]);
});
