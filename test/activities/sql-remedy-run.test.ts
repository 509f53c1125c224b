import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { WatchdogOrder } from '../../workflows/contract.ts';
import { eventually } from '../support/eventually.ts';
import { defineWatchdog } from '../support/watchdogs.ts';
import type { WrittenCheck } from '../support/watchdogs.ts';
import { openWatchStage } from './support/watched.ts';
import type { WatchStage } from './support/watched.ts';

let stage: WatchStage;

beforeAll(async () => {
  stage = await openWatchStage('SELECT 1');
});

afterAll(() => stage.close());

beforeEach(async () => {
  await stage.client.query(`DROP TABLE IF EXISTS jobs, gardener_runs;
    CREATE TABLE jobs (id bigserial PRIMARY KEY, status text NOT NULL DEFAULT 'running', attempts int NOT NULL DEFAULT 0,
      final numeric(78, 0) DEFAULT 10::numeric ^ 77 + 1);
    CREATE TABLE gardener_runs (run_id uuid, finding json, before jsonb, after jsonb, decision jsonb);
    INSERT INTO jobs SELECT FROM generate_series(1, 300)`);
});

const stuck: WrittenCheck = {
  keys: { mode: 'auto', params: '{ from: running, to: pending }' },
  detect: 'select id, status, attempts, final from jobs where status = :from',
  remedy: 'update jobs set status = :to, attempts = :attempts + 1 where id = :id returning *',
  audit: 'insert into gardener_runs values (:run_id, :finding_key, :before, :after, :decision)',
};

async function define(check: WrittenCheck, changes = {}): Promise<WatchdogOrder> {
  const id = `test.mend-${randomUUID().slice(0, 8)}`;
  return (await defineWatchdog(id, { stuck: check }, { watchdog: { max_actions: '1000' }, ...changes })).order;
}

const tally = async () =>
  (
    await stage.client.query(`SELECT count(*) FILTER (WHERE attempts = 1)::int AS mended, max(attempts) AS most,
      (SELECT count(*)::int FROM gardener_runs) AS audited FROM jobs`)
  ).rows[0];

async function countKept(order: WatchdogOrder) {
  const { rows } = await stage.history.pool.query<{ fate: string; count: number }>(
    `SELECT fate, count(*)::int FROM actcore.actions JOIN actcore.action_batches b ON b.id = batch_id
     WHERE actions.definition_uuid = $1 GROUP BY fate`,
    [order.definition.uuid],
  );
  return Object.fromEntries(rows.map(({ fate, count }) => [fate, count]));
}

it.each(['false', 'true'])(
  'a run cures what it finds, with a triplet here and there for each; batch: %s',
  async (batch) => {
    const remedy =
      'update jobs j set status = :to, attempts = f.attempts + 1 from findings f where j.id = f.id returning j.*';
    const check = batch === 'true' ? { ...stuck, keys: { ...stuck.keys, batch }, remedy } : stuck;
    const order = await define(check);
    const report = await stage.watch(order).report;
    expect(report).toMatchObject({
      outcome: 'completed',
      assessment: 'passed',
      checks: [{ findings: 300, cured: 300 }],
    });
    expect(await tally()).toEqual({ mended: 300, most: 1, audited: 300 });
    expect(await countKept(order)).toEqual({ committed: 300 });
    const { rows } = await stage.history.pool.query(
      "SELECT after::text FROM actcore.actions WHERE definition_uuid = $1 AND finding_key = '[7]'",
      [order.definition.uuid],
    );
    expect(rows).toEqual([{ after: `{"id":7,"status":"pending","attempts":1,"final":1${'0'.repeat(76)}1}` }]);
    expect(await stage.watch(order).report).toMatchObject({ assessment: 'passed', checks: [{ findings: 0 }] });
  },
);

it('a simulated run changes nothing, and keeps what it would have done', async () => {
  const order = await define({ ...stuck, keys: { ...stuck.keys, mode: 'sim' } });
  const report = await stage.watch(order).report;
  expect(report).toMatchObject({ assessment: 'failed', checks: [{ mode: 'sim', simulated: 300, cured: 0 }] });
  expect(await tally()).toEqual({ mended: 0, most: 0, audited: 0 });
  expect(await countKept(order)).toEqual({ committed: 300 });
});

it('where a statement takes too long, what was done before is counted and kept, and the check says why it ended', async () => {
  const remedy = `${stuck.remedy?.replace(':id returning', ':id and (:id <> 250 or pg_sleep(30) is not null) returning')}`;
  const order = await define({ ...stuck, remedy }, { budget: '{ max_seconds: 3, hard_timeout: 20s }' });
  const report = await stage.watch(order).report;
  const [check] = report.checks ?? [];
  expect(report.outcome).toBe('automation_error');
  expect(check?.error).toMatch(/57014/);
  expect(check?.cured).toBeGreaterThanOrEqual(100);
  expect(check?.cured).toBeLessThan(250);
  expect(await tally()).toMatchObject({ mended: check?.cured, audited: check?.cured });
  expect(await countKept(order)).toEqual({ committed: check?.cured });
});

it('a cancelled run leaves remedy and triplet in both databases, or in neither', async () => {
  const remedy = `${stuck.remedy?.replace(':id returning', ':id and (:id <> 250 or pg_sleep(30) is not null) returning')}`;
  const order = await define({ ...stuck, remedy });
  const running = stage.watch(order);
  await eventually(async () => {
    const { rows } = await stage.client.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    return rows.length > 0;
  });
  running.cancel();
  await running.report.catch(() => {});
  const { mended, audited } = await tally();
  expect(audited).toBe(mended);
  expect(mended).toBeGreaterThan(0);
  expect(await countKept(order)).toEqual({ committed: mended });
});
