import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { chooseAnyPort } from '../../dev/ports.ts';
import { openHistory } from '../../history/database.ts';
import { createLedger } from '../../history/ledger.ts';
import type { WatchdogOrder } from '../../workflows/contract.ts';
import { makeTick } from '../history/support/history.ts';
import { sendJson, startTarget } from '../support/target.ts';
import type { Target } from '../support/target.ts';
import { defineWatchdog } from '../support/watchdogs.ts';
import type { WrittenCheck } from '../support/watchdogs.ts';
import { openWatchStage } from './support/watched.ts';
import type { WatchStage } from './support/watched.ts';

let stage: WatchStage;
let target: Target;

beforeAll(async () => {
  stage = await openWatchStage(`
    CREATE TABLE jobs (id int PRIMARY KEY, status text);
    CREATE TABLE audit (run uuid, key text, before json, after json, decision json);`);
  target = await startTarget();
});
beforeEach(() =>
  stage.client.query("TRUNCATE jobs, audit; INSERT INTO jobs SELECT g, 'stuck' FROM generate_series(1, 3) g"),
);
afterAll(async () => {
  await target.close();
  await stage.close();
});

const stuck: WrittenCheck = {
  keys: { mode: 'auto' },
  detect: "SELECT id, status FROM jobs WHERE status = 'stuck' ORDER BY id",
  remedy: "UPDATE jobs SET status = 'ready' WHERE id = :id RETURNING *",
};
const audit = 'INSERT INTO audit VALUES (:run_id, :finding_key, :before, :after, :decision)';

async function define(...[checks, changes]: [Record<string, WrittenCheck>, Parameters<typeof defineWatchdog>[2]?]) {
  const { order } = await defineWatchdog(`test.mending-${randomUUID().slice(0, 8)}`, checks, changes);
  return order;
}

async function ask<Row>(text: string, order?: WatchdogOrder): Promise<Row[]> {
  const { rows } = order
    ? await stage.history.pool.query(text, [order.definition.uuid])
    : await stage.client.query(text);
  return rows as Row[];
}

const actionsOf = (order: WatchdogOrder) =>
  ask<{ key: string; outcome: string; fate: string }>(
    `SELECT finding_key AS key, outcome, fate FROM actcore.actions JOIN actcore.action_batches ON action_batches.id = batch_id
     WHERE actions.definition_uuid = $1 ORDER BY actions.at, finding_key`,
    order,
  );
const findingsOf = (order: WatchdogOrder) =>
  ask<{ key: string; state: string }>(
    'SELECT key, state FROM actcore.findings WHERE definition_uuid = $1 ORDER BY key',
    order,
  );

it('auto cures each finding, with its triplet in the history and in the audit; a cured finding is no failure', async () => {
  const order = await define({ stuck: { ...stuck, audit } });
  const report = await stage.watch(order).report;
  expect(report).toMatchObject({ outcome: 'completed', assessment: 'passed', assessmentFailureCount: 0 });
  expect(report.reason).toMatch(/^1 check, 3 findings \(3 cured\), \d+ ms$/);
  expect(await ask("SELECT count(*)::int FROM jobs WHERE status = 'ready'")).toEqual([{ count: 3 }]);
  expect(await actionsOf(order)).toEqual(
    ['[1]', '[2]', '[3]'].map((key) => ({ key, outcome: 'cured', fate: 'committed' })),
  );
  expect(await ask("SELECT run, key, before, after FROM audit WHERE key = '[1]'")).toEqual([
    { run: report.runId, key: '[1]', before: { id: 1, status: 'stuck' }, after: { id: 1, status: 'ready' } },
  ]);
  expect((await findingsOf(order)).map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved']);
});

it('sim tells what it would do and leaves the table as it was', async () => {
  const order = await define({ stuck: { ...stuck, keys: { mode: 'sim' } } });
  const report = await stage.watch(order).report;
  expect(report).toMatchObject({ assessmentFailureCount: 3, checks: [{ mode: 'sim', simulated: 3, cured: 0 }] });
  expect(report.assessmentFailures[0]?.message).toBe('mend: simulated, and rolled back');
  expect(await ask("SELECT count(*)::int FROM jobs WHERE status = 'ready'")).toEqual([{ count: 0 }]);
});

it('a remedy that keeps failing is quarantined: said once, and then left alone until it is released', async () => {
  const order = await define({
    stuck: {
      ...stuck,
      keys: { mode: 'auto', quarantine_after: '2' },
      remedy: "UPDATE jobs SET status = 'stuck' WHERE id = :id",
    },
  });
  const told = async () => {
    const { checks, assessmentFailures, reason } = await stage.watch(order).report;
    return {
      failed: checks?.[0]?.failed,
      messages: [...new Set(assessmentFailures.map(({ message }) => message))],
      reason,
    };
  };
  const notCured = 'mend did not cure it, and was rolled back: the finding is still there after it';
  expect(await told()).toMatchObject({ failed: 3, messages: [notCured] });
  expect(await told()).toMatchObject({
    ...{ failed: 3, messages: [notCured, expect.stringMatching(/^quarantined: its remedy failed in 2 runs in a row/)] },
  });
  expect(await told()).toMatchObject({ failed: 0, messages: [], reason: expect.stringContaining('3 quarantined') });
});

it('a request that was made is not made again while it cools down', async () => {
  target.answer = (_, response) => sendJson(response, { accepted: true }, 202);
  target.calls.length = 0;
  const remedy = `\n        http:\n          request: { method: POST, url: "\${HUB_URL}/jobs/\${finding.id}" }`;
  const keys = { mode: 'auto', action: 'restart', cooldown: '5m', remedy };
  const order = await define({ stuck: { detect: stuck.detect, keys } }, { env: '[HUB_URL]' });
  const environment = { WATCHED_URL: stage.url, HUB_URL: target.url };
  const first = await stage.watch(order, { environment }).report;
  expect(first).toMatchObject({ assessment: 'passed', checks: [{ sent: 3 }] });
  const second = await stage.watch(order, { environment }).report;
  expect(second).toMatchObject({ assessment: 'passed', checks: [{ findings: 3, sent: 0 }] });
  expect(second.reason).toContain('3 cooling down');
  expect(target.calls.map(({ path }) => path)).toEqual(['/jobs/1', '/jobs/2', '/jobs/3']);
  const later = () => new Date(Date.now() + 301_000);
  expect(
    await stage.watch(order, { environment, now: later, firing: { scheduledAt: later().toISOString() } }).report,
  ).toMatchObject({
    checks: [{ sent: 3 }],
  });
});

it('a finding that is cured and comes back is left alone while it cools down, and then cured again', async () => {
  const order = await define({ stuck: { ...stuck, keys: { mode: 'auto', cooldown: '5m' } } });
  expect(await stage.watch(order).report).toMatchObject({ checks: [{ cured: 3 }] });
  await stage.client.query("UPDATE jobs SET status = 'stuck'; INSERT INTO jobs VALUES (4, 'stuck')");
  const early = await stage.watch(order).report;
  expect(early).toMatchObject({ assessment: 'passed', checks: [{ findings: 4, cured: 1 }] });
  expect(early.reason).toContain('3 cooling down');
  const later = () => new Date(Date.now() + 301_000);
  const due = await stage.watch(order, { now: later, firing: { scheduledAt: later().toISOString() } }).report;
  expect(due).toMatchObject({ checks: [{ findings: 3, cured: 3 }] });
});

it('requests that were made before the budget was spent are told', async () => {
  target.calls.length = 0;
  const remedy = `\n        http:\n          request: { method: POST, url: "\${HUB_URL}/jobs" }`;
  const order = await define(
    { stuck: { detect: stuck.detect, keys: { mode: 'auto', action: 'restart', remedy } } },
    { env: '[HUB_URL]' },
  );
  const now = () => new Date(Date.now() + (target.calls.length > 0 ? 60_000 : 0));
  const report = await stage.watch(order, { environment: { WATCHED_URL: stage.url, HUB_URL: target.url }, now }).report;
  expect(report).toMatchObject({ outcome: 'automation_error', checks: [{ findings: 3, sent: 1 }] });
  expect(report.checks?.[0]?.error).toBe('the budget of 30 s was spent before its turn came');
  const kept = (await actionsOf(order)).filter(({ fate }) => fate === 'committed');
  expect(kept.map(({ outcome }) => outcome)).toEqual(['sent']);
});

it('while the history is away only what is audited is done, and its triplets arrive later, exactly once', async () => {
  const order = await define({
    audited: { ...stuck, audit },
    unheard: {
      ...stuck,
      detect: "SELECT id FROM jobs WHERE status = 'ready'",
      remedy: 'DELETE FROM jobs WHERE id = :id',
      keys: { mode: 'auto', destructive: 'false' },
    },
  });
  const pool = openHistory(`postgres://nobody@127.0.0.1:${await chooseAnyPort()}/nothing`);
  const firing = { workflowRunId: randomUUID(), scheduledAt: new Date().toISOString() };
  const report = await stage.watch(order, { pool, firing }).report;
  await pool.end();
  expect(report).toMatchObject({ outcome: 'automation_error', recorded: false, checks: [{ cured: 3 }, { cured: 0 }] });
  expect(report.checks?.[1]?.error).toBe('not acted: the history is away, and there is no place for the audit');
  expect(await ask('SELECT count(*)::int FROM jobs')).toEqual([{ count: 3 }]);
  expect(await ask('SELECT count(*)::int FROM audit')).toEqual([{ count: 3 }]);
  expect(report.actions).toHaveLength(3);

  const ledger = createLedger(stage.history.pool);
  const tick = makeTick({ trigger: 'canary', actor: 'tester', ...firing });
  await ledger.recordEnd(order, tick, report);
  await ledger.recordEnd(order, tick, report);
  expect(await actionsOf(order)).toEqual(
    ['[1]', '[2]', '[3]'].map((key) => ({ key, outcome: 'cured', fate: 'committed' })),
  );
  const journaled = await stage.history.pool.query('SELECT count(*)::int FROM actcore.journal WHERE workspace = $1', [
    `run ${report.runId}`,
  ]);
  expect(journaled.rows).toEqual([{ count: 3 }]);
});
