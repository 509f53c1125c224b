import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openHistory } from '../../history/database.ts';
import { createLedger } from '../../history/ledger.ts';
import { findRun } from '../../history/queries.ts';
import type { Firing, RunReport } from '../../workflows/contract.ts';
import { makeOrder, makeReport, makeTick, openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';

const order = makeOrder();

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

/** Writes an end and reads its row. */
async function write(changes: Partial<RunReport>, firing: Partial<Firing> = {}) {
  const whole = makeTick({ trigger: 'canary', workflowRunId: randomUUID(), ...firing });
  await createLedger(history.pool).recordEnd(order, whole, makeReport(changes));
  const { rows } = await history.pool.query<{ id: string }>('SELECT id FROM actcore.runs WHERE workflow_run_id = $1', [
    whole.workflowRunId,
  ]);
  return findRun(history.pool, rows[0]?.id ?? randomUUID());
}

it.for([
  '{"n":9007199254740993,"big":123456789012345678901234567890.123456789,"small":1.10}',
  '{"n":1e200000,"m":-1e-200000,"twice":1,"twice":2}',
  '[18446744073709551615, 340282366920938463463374607431768211455]',
  `{"digits":${'9'.repeat(200_000)}}`,
  '"plain text"',
  'null',
])('a response comes back to the last digit: %.60s', async (json) => {
  expect((await write({ response: { status: 200, json } }))?.response).toBe(json);
});

it('texts with NUL or half of a surrogate pair are written, with the sign of what was lost', async () => {
  const bad = 'before\0\uD800after';
  const good = 'before\uFFFD\uFFFDafter';
  const failures = [{ target: bad, rule: bad, message: bad }];
  const row = await write({ reason: bad, assessmentFailures: failures }, { actor: bad });
  expect(row).toMatchObject({ reason: good, actor: good });
  expect(row?.assessmentFailures).toEqual([{ target: good, rule: good, message: good }]);
});

it('texts that look like SQL, arrays or escapes come back as they were', async () => {
  const texts = [`'); DROP TABLE actcore.runs; --`, '{a,"b"}', String.raw`\n\\"`, '', 'NULL', '𝄞 ü 漢', '$1'];
  const failures = texts.map((text) => ({ target: text, rule: text, message: text }));
  expect((await write({ assessmentFailures: failures }))?.assessmentFailures).toEqual(failures);
});

it('10,000 assessment failures are written whole and in order', async () => {
  const failures = Array.from({ length: 10_000 }, (_, index) => ({ target: `t${index}`, rule: 'C-05', message: 'm' }));
  expect((await write({ assessmentFailures: failures }))?.assessmentFailures).toEqual(failures);
});

it.for([
  '1970-01-01T00:00:00.000Z',
  '0001-01-01T00:00:00.000Z',
  '2099-12-31T23:59:59.999Z',
  '9999-12-31T23:59:59.000Z',
])('a tick of %s makes the partitions of its month', async (scheduledAt) => {
  const failures = [{ target: 'a', rule: 'C-01', message: 'm' }];
  expect(await write({ assessmentFailures: failures }, { scheduledAt })).toMatchObject({
    scheduledAt,
    assessmentFailures: failures,
  });
});

it('20 writers at once of a month that has no partition make it once and write all their rows', async () => {
  const pools = Array.from({ length: 20 }, () => openHistory(history.url));
  try {
    for (const month of ['1999-01', '2044-02', '2051-12']) {
      await Promise.all(
        pools.map((pool, index) =>
          createLedger(pool).recordEnd(
            order,
            makeTick({ scheduledAt: `${month}-01T00:${String(index).padStart(2, '0')}:00.000Z` }),
            makeReport({ assessmentFailures: [{ target: 'a', rule: 'C-01', message: 'm' }] }),
          ),
        ),
      );
      const counted = await history.pool.query(
        `SELECT (SELECT count(*)::int FROM actcore.runs_${month.replace('-', '_')}) AS runs,
                (SELECT count(*)::int FROM actcore.assessments_${month.replace('-', '_')}) AS assessments`,
      );
      expect(counted.rows).toEqual([{ runs: 20, assessments: 20 }]);
    }
  } finally {
    await Promise.all(pools.map((pool) => pool.end()));
  }
});

it('partitions begin and end with the month in UTC, whatever the time zone of the session', async () => {
  const url = new URL(history.url);
  url.searchParams.set('options', '-c timezone=Pacific/Kiritimati');
  const pool = openHistory(url.href);
  try {
    for (const scheduledAt of ['2031-06-01T00:00:00.000Z', '2031-06-30T23:59:59.999Z'])
      await createLedger(pool).recordEnd(order, makeTick({ scheduledAt }), makeReport());
    const { rows } = await history.pool.query('SELECT count(*)::int FROM actcore.runs_2031_06');
    expect(rows).toEqual([{ count: 2 }]);
  } finally {
    await pool.end();
  }
});
