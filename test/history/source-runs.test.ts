import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLedger } from '../../history/ledger.ts';
import { listSourceFindings, listSourceRuns } from '../../history/source-runs.ts';
import { listSourceRetirements, recordSourceRetirement, recordSourceReturn } from '../../history/source-retirement.ts';
import { makeOrder, makeReport, makeTick, openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';

let history: TestHistory;
const order = makeOrder();
const { uuid, id } = order.definition;
const tracked = { uuid, ids: [id] };
const span = { since: new Date('2026-03-01T00:15:00.000Z'), until: new Date('2026-03-01T00:20:00.000Z') };
const tick = (time: string, changes = {}) => makeTick({ scheduledAt: `2026-03-01T00:${time}.000Z`, ...changes });

beforeAll(async () => {
  history = await openTestHistory();
  const ledger = createLedger(history.pool);
  const outside = { source: 'local-timer', trigger: 'external', workflowId: '', workflowRunId: '' } as const;
  const failures = [
    { target: 'repo-1', rule: 'C-13', message: 'x' },
    { target: 'repo-2', rule: 'C-13', message: 'y' },
  ];
  await ledger.recordEnd(order, tick('14:59'), makeReport());
  await ledger.recordEnd(order, tick('15:00'), makeReport({ assessmentFailures: failures, reason: 'x'.repeat(900) }));
  await ledger.recordEnd(order, tick('16:00', outside), makeReport({ trigger: 'external', outcome: 'lock_skipped' }));
  await ledger.recordStart(order, tick('17:00', { trigger: 'manual', workflowRunId: 'a' }), {
    startedAt: '2026-03-01T00:17:01.250Z',
    attempt: 1,
  });
  const concluded = { ...makeReport({ outcome: 'missed' }), certainty: 'concluded' } as const;
  await ledger.recordConclusion(order, tick('18:00', outside), concluded);
  await ledger.recordEnd(order, tick('20:00'), makeReport());
  await ledger.recordEnd(makeOrder(), tick('16:00'), makeReport());
  await history.pool.query("UPDATE actcore.runs SET flags = '{late,spooled}' WHERE source = 'local-timer'");
});

afterAll(() => history.close());

describe('the rows of a definition', () => {
  it('are those of all its sources from one tick on and before another, in order', async () => {
    const rows = await listSourceRuns(history.pool, tracked, span);
    expect(rows).toMatchObject([
      {
        ...{ source: 'activity-core', trigger: 'schedule', outcome: 'completed', certainty: 'witnessed', flags: [] },
        ...{ tickMs: Date.parse('2026-03-01T00:15:00.000Z'), startedMs: Date.parse('2026-03-01T00:15:01.000Z') },
        ...{ finishedMs: Date.parse('2026-03-01T00:15:02.000Z'), assessment: 'failed', assessmentFailureCount: 2 },
        reason: 'x'.repeat(300),
      },
      { source: 'local-timer', outcome: 'lock_skipped', flags: ['late', 'spooled'] },
      {
        ...{ trigger: 'manual', outcome: null, certainty: 'running', finishedMs: null },
        startedMs: Date.parse('2026-03-01T00:17:01.250Z'),
      },
      { source: 'local-timer', outcome: 'missed', certainty: 'concluded' },
    ]);
  });

  it('come with what they found wrong', async () => {
    const rows = await listSourceRuns(history.pool, tracked, span);
    const ids = 'tooMany' in rows ? [] : rows.map((row) => row.id);
    const findings = await listSourceFindings(history.pool, ids, span);
    expect(findings).toEqual(
      new Map([
        [
          ids[0],
          [
            { target: 'repo-1', rule: 'C-13' },
            { target: 'repo-2', rule: 'C-13' },
          ],
        ],
      ]),
    );
  });

  it('are read by an index, in the month of the span alone', async () => {
    const db = await history.pool.connect();
    try {
      await db.query('BEGIN');
      await db.query('SET LOCAL enable_seqscan = off');
      const plans: string[] = [];
      const explained = Object.assign(Object.create(db) as typeof db, {
        query: async (text: string, values: unknown[]) => {
          const { rows } = await db.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, values);
          plans.push(...rows.map((row) => row['QUERY PLAN']));
          return { rows: [] };
        },
      });
      await listSourceRuns(explained, tracked, span);
      const plan = plans.join('\n');
      expect(plan).toMatch(/Index Scan .*runs_2026_03/);
      expect(plan).not.toMatch(/runs_2026_0[1245]|runs_2026_1/);
    } finally {
      await db.query('ROLLBACK');
      db.release();
    }
  });
});

it('retirements are listed with their ends, the newest first, of one definition and of all', async () => {
  const source = { definitionUuid: uuid, definitionId: id, source: 'local-timer' };
  const grounds = { ...source, successor: 'activity-core', evidence: { isGo: true }, reason: undefined };
  const db = await history.pool.connect();
  const sign = (actor: string) => ({ actor, source: 'test', workspace: '' });
  expect(await recordSourceRetirement(db, grounds, sign('ada'))).toBe(true);
  expect(await recordSourceRetirement(db, grounds, sign('bob'))).toBe(false);
  expect(await recordSourceReturn(db, source, undefined, sign('bob'))).toMatchObject({ retiredBy: 'ada' });
  expect(await recordSourceReturn(db, source, undefined, sign('bob'))).toBeUndefined();
  expect(await recordSourceRetirement(db, grounds, sign('eve'))).toBe(true);
  db.release();
  const listed = await listSourceRetirements(history.pool, uuid);
  expect(listed).toMatchObject([
    { definitionUuid: uuid, source: 'local-timer', retiredBy: 'eve', revertedAt: null, revertedBy: null },
    { retiredBy: 'ada', revertedBy: 'bob', revertedAt: expect.stringMatching(/^\d{4}-.*Z$/) },
  ]);
  expect(await listSourceRetirements(history.pool)).toEqual(listed);
  expect(await listSourceRetirements(history.pool, makeOrder().definition.uuid)).toEqual([]);
});
