import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findDue } from '../../history/due-facts.ts';
import type { Due } from '../../history/health-facts.ts';
import {
  countGaps,
  countQuarantined,
  countTooShort,
  listApplied,
  listFailing,
  listHeadroom,
  listRunning,
  listUnreconciled,
  measureSize,
} from '../../history/health-queries.ts';
import { openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';
import { writeDefinitionRow, writeRuns } from './support/run-rows.ts';

let history: TestHistory;
let span: { since: Date; until: Date };
const at = (text: string) => new Date(new Date(Date.now()).toISOString().slice(0, 11) + text);
/** An instant of the day before this one. */
const yesterday = (time: string) => new Date(at(`${time}Z`).getTime() - 86_400_000);

beforeAll(async () => {
  history = await openTestHistory();
  const { pool } = history;
  // Every ten minutes from 00:00 of yesterday to 02:50.
  const runs = { days: 1, count: 18, everySeconds: 600 };
  await writeRuns(pool, {
    ...{ ...runs, definitionId: 'test.failing' },
    outcome:
      "CASE WHEN n < 3 THEN 'automation_error' WHEN n < 5 THEN 'timed_out' WHEN n = 5 THEN 'missed' ELSE 'completed' END",
  });
  await writeRuns(pool, {
    ...runs,
    definitionId: 'test.failing',
    source: 'local-timer',
    outcome: "CASE WHEN n < 2 THEN 'missed' ELSE 'completed' END",
  });
  await writeRuns(pool, { ...runs, definitionId: 'test.slow', took: 'CASE WHEN n > 16 THEN 9 ELSE 8 END' });
  await writeRuns(pool, {
    ...runs,
    definitionId: 'test.running',
    count: 3,
    outcome: "CASE WHEN n < 2 THEN 'completed' END",
    took: '660',
  });
  span = { since: yesterday('00:10:00'), until: yesterday('02:50:00') };
});

afterAll(() => history.close());

it('counts errors, gaps and short runs from the beginning of a period to before its end', async () => {
  const { pool } = history;
  const failing = [{ definitionId: 'test.failing', errors: 4, lastReason: '' }];
  expect(await listFailing(pool, span)).toEqual(failing);
  expect(await listFailing(pool, { ...span, until: yesterday('00:40:00') })).toEqual([{ ...failing[0], errors: 3 }]);
  expect(await countGaps(pool, span)).toEqual(
    expect.arrayContaining([
      { definitionId: 'test.failing', source: 'activity-core', ticks: 1 },
      { definitionId: 'test.failing', source: 'local-timer', ticks: 1 },
    ]),
  );
  expect(await countTooShort(pool, span)).toEqual([]);
  await pool.query("UPDATE actcore.runs SET too_short = true WHERE definition_id = 'test.slow'");
  expect(await countTooShort(pool, span)).toEqual([{ definitionId: 'test.slow', runs: 16 }]);
});

it('lists what is running, whenever it began', async () => {
  const [run, ...others] = await listRunning(history.pool);
  expect(others).toEqual([]);
  expect(run).toMatchObject({ definitionId: 'test.running', startedAt: yesterday('00:20:00').toISOString() });
});

it('reads the headroom of those that took most of their budget in the period, and of no other', async () => {
  const read = (budgetMs: number, until = span.until) =>
    listHeadroom(
      history.pool,
      { ...span, until },
      new Map([
        ['test.slow', budgetMs],
        ['test.failing', 10_000],
      ]),
    );
  expect(await read(10_000)).toMatchObject([{ definitionId: 'test.slow', runs: 18, usedPercent: 90, isTight: true }]);
  expect(await read(10_001)).toEqual([]);
  expect(await read(10_001, yesterday('03:00:00'))).toMatchObject([{ definitionId: 'test.slow', usedPercent: 90 }]);
});

describe('what is due', () => {
  const due = (since: Date, changes: Partial<Due> = {}): Due => ({
    ...{ definitionId: 'test.running', source: 'activity-core', since: since.toISOString(), ticks: 1, isOwn: true },
    ...{ timeoutMs: 660_000, ...changes },
  });
  /** Seen, busy and known of each. */
  const ask = async (...dues: Due[]) => {
    const facts = await findDue(history.pool, dues);
    const bits = dues.map((one) =>
      facts.find((fact) => Object.entries(one).every(([key, value]) => fact[key as keyof Due] === value)),
    );
    return bits.map((fact) => `${Number(fact?.isSeen)}${Number(fact?.isBusy)}${Number(fact?.isKnown)}`);
  };

  it('is seen by a row of the tick or of a later one, of that source', async () => {
    const own = [yesterday('00:20:00'), yesterday('00:10:00')].map((since) => due(since));
    expect(await ask(...own, due(yesterday('00:20:00'), { source: 'local-timer', isOwn: false }))).toEqual([
      '101',
      '101',
      '000',
    ]);
  });

  it('is busy while the run before is going, or had ended within the second, and not before its timeout', async () => {
    const slow = (time: string, timeoutMs = 660_000) => due(yesterday(time), { definitionId: 'test.slow', timeoutMs });
    expect(await ask(due(yesterday('00:30:00')), due(yesterday('00:40:00'), { timeoutMs: 600_000 }))).toEqual([
      '010',
      '000',
    ]);
    expect(await ask(slow('02:50:10'), slow('02:50:10.001'), slow('02:50:09', 8_000))).toEqual(['010', '000', '000']);
  });

  it('is found for a schedule of every minute and for one of every year at once', async () => {
    await writeRuns(history.pool, { definitionId: 'test.yearly', days: 200, count: 1, everySeconds: 60 });
    const yearly = new Date(yesterday('00:00:00').getTime() - 199 * 86_400_000);
    const old = due(yearly, { definitionId: 'test.yearly' });
    const next = due(new Date(yearly.getTime() + 2), { definitionId: 'test.yearly', timeoutMs: 1 });
    expect(await ask(old, due(yesterday('00:20:00')), next)).toEqual(['101', '101', '000']);
  });

  it('is of a known source where it reported itself, in rows or in roll-ups', async () => {
    const timer = (definitionId: string) =>
      due(yesterday('03:00:00'), { definitionId, source: 'local-timer', isOwn: false, ticks: 3 });
    expect(await ask(timer('test.failing'), timer('test.rolled'))).toEqual(['001', '000']);
    await history.pool.query(
      `INSERT INTO actcore.run_days (day, definition_id, source, outcome, runs, failures)
       VALUES (actcore.today() - 90, 'test.rolled', 'local-timer', 'missed', 1, 0)`,
    );
    expect(await ask(timer('test.rolled'))).toEqual(['000']);
    await history.pool.query("UPDATE actcore.run_days SET outcome = 'completed' WHERE definition_id = 'test.rolled'");
    expect(await ask(timer('test.rolled'))).toEqual(['001']);
  });
});

it('tells what the last reconciliation left open, and not what an earlier one did', async () => {
  const { pool } = history;
  const write = async (days: number, rule: string) => {
    await writeRuns(pool, { definitionId: 'test.reconcile', days, count: 1, everySeconds: 60 });
    await pool.query(
      `UPDATE actcore.assessments SET rule = $1, target = 'test.a', message = $1 WHERE run_id IN (
         SELECT id FROM actcore.runs WHERE definition_id = 'test.reconcile' ORDER BY scheduled_at DESC LIMIT 1)`,
      [rule],
    );
  };
  await write(3, 'T-02');
  expect(await listUnreconciled(pool, 'test.reconcile')).toEqual([{ definitionId: 'test.a', message: 'T-02' }]);
  await write(2, 'T-01');
  expect(await listUnreconciled(pool, 'test.reconcile')).toEqual([]);
});

it('counts findings in quarantine', async () => {
  expect(await countQuarantined(history.pool)).toEqual([]);
  const insert = (key: number, state: string) =>
    history.pool.query(
      `INSERT INTO actcore.findings (definition_uuid, definition_id, check_name, key, state, contract_hash, mode, detected,
         opened_run, last_seen_run, failed_runs, quarantined_at, quarantined_run)
       SELECT id, 'test.dog', 'stale', $1, $2, 'c', 'auto', '{}', id, id, 5, CASE WHEN $2 = 'open' THEN NULL ELSE now() END,
         CASE WHEN $2 = 'open' THEN NULL ELSE id END FROM gen_random_uuid() AS id`,
      [`[${key}]`, state],
    );
  await insert(1, 'open');
  await insert(2, 'quarantined');
  await insert(3, 'quarantined');
  expect(await countQuarantined(history.pool)).toEqual([{ definitionId: 'test.dog', findings: 2 }]);
});

it('lists what is applied, and not what is retired or gone from the server', async () => {
  const { pool } = history;
  for (const id of ['test.here', 'test.retired', 'test.gone', 'test.again']) await writeDefinitionRow(pool, id);
  const remove = (id: string) =>
    pool.query(
      `INSERT INTO actcore.journal (entity_type, entity_id, field, action, actor, source, workspace)
       VALUES ('definition', $1, 'schedule', 'delete', 'tester', 'prune', 'here')`,
      [id],
    );
  await pool.query(
    "UPDATE actcore.definitions SET retired_at = now(), retired_by = 'a', retired_reason = 'b' WHERE id = 'test.retired'",
  );
  await remove('test.gone');
  await remove('test.again');
  await pool.query("UPDATE actcore.definitions SET applied_at = now() WHERE id = 'test.again'");
  expect((await listApplied(pool)).map(({ id }) => id)).toEqual(['test.again', 'test.here']);
});

it('counts a definition as applied since its revision came into force, however often it was applied since', async () => {
  const { pool } = history;
  const tell = (id: string, field: string, action: string, time: string) =>
    pool.query(
      `INSERT INTO actcore.journal (at, entity_type, entity_id, field, action, actor, source, workspace)
       VALUES ($4, 'definition', $1, $2, $3, 'tester', 'apply', 'here')`,
      [id, field, action, time],
    );
  const appliedAt = '2026-03-09T00:00:00.000Z';
  for (const id of ['test.often', 'test.untold', 'test.made-anew']) {
    await writeDefinitionRow(pool, id);
    await pool.query('UPDATE actcore.definitions SET applied_at = $2 WHERE id = $1', [id, appliedAt]);
  }
  await tell('test.often', 'revision', 'insert', '2026-03-01T00:00:00.000Z');
  await tell('test.often', 'revision', 'update', '2026-03-02T00:00:00.000Z');
  await tell('test.often', 'paused', 'update', '2026-03-03T00:00:00.000Z');
  await tell('test.made-anew', 'revision', 'insert', '2026-03-01T00:00:00.000Z');
  await tell('test.made-anew', 'schedule', 'delete', '2026-03-02T00:00:00.000Z');
  const found = new Map((await listApplied(pool)).map((one) => [one.id, one.appliedAt]));
  expect(found.get('test.often')).toBe('2026-03-02T00:00:00.000Z');
  expect(found.get('test.untold')).toBe(appliedAt);
  expect(found.get('test.made-anew')).toBe(appliedAt);
});

it('says how big the database is and how far it goes back', async () => {
  await history.pool.query("SELECT actcore.ensure_month('2024-02-10')");
  expect(await measureSize(history.pool)).toMatchObject({ oldestMonth: '2024-02-01' });
  expect((await measureSize(history.pool)).sizeBytes).toBeGreaterThan(1e6);
});
