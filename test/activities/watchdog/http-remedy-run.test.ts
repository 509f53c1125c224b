import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openHistory } from '../../../history/database.ts';
import type { WatchdogOrder } from '../../../workflows/contract.ts';
import { eventually } from '../../support/eventually.ts';
import { sendJson, startTarget } from '../../support/target.ts';
import type { Target } from '../../support/target.ts';
import { defineWatchdog } from '../../support/watchdogs.ts';
import { openWatchStage } from '../support/watched.ts';
import type { WatchStage } from '../support/watched.ts';

const request = '{ method: POST, url: "${TARGET_URL}/redeploy/${finding.name}" }';

let stage: WatchStage;
let target: Target;
let order: WatchdogOrder;
beforeAll(async () => {
  [stage, target] = await Promise.all([openWatchStage('CREATE TABLE workers (id int, name text)'), startTarget()]);
  const keys = { mode: 'auto', action: 'redeploy', cooldown: '1h', remedy: `{ http: { request: ${request} } }` };
  const dead = { detect: 'SELECT id, name FROM workers ORDER BY id', keys };
  ({ order } = await defineWatchdog(`test.remedy-${randomUUID().slice(0, 8)}`, { dead }, { env: '[TARGET_URL]' }));
});
afterAll(() => Promise.all([stage.close(), target.close()]));

const run = (options: { pool?: WatchStage['history']['pool'] } = {}) =>
  stage.watch(order, { environment: { WATCHED_URL: stage.url, TARGET_URL: target.url }, ...options });

async function readActions() {
  const { rows } = await stage.history.pool.query<Record<string, string>>(
    `SELECT actions.id, finding_key, outcome, after ->> 'status' AS status, error, fate
    FROM actcore.actions JOIN actcore.action_batches ON action_batches.id = batch_id ORDER BY at`,
  );
  return rows;
}

it('a request is made once for a finding, and its triplet is in the history; the next run leaves it alone', async () => {
  await stage.client.query(`INSERT INTO workers VALUES (1, 'one')`);
  target.answer = (_, response) => sendJson(response, {}, 202);
  const report = await run().report;
  expect(report).toMatchObject({ outcome: 'completed', assessment: 'passed', checks: [{ findings: 1, sent: 1 }] });
  const [action, ...others] = await readActions();
  expect(others).toEqual([]);
  expect(action).toMatchObject({ finding_key: '[1]', outcome: 'sent', status: '202', error: null, fate: 'committed' });
  expect(target.calls.map(({ path, headers }) => [path, headers['idempotency-key']])).toEqual([
    ['/redeploy/one', action?.['id']],
  ]);
  expect(await run().report).toMatchObject({ assessment: 'passed', checks: [{ findings: 1, sent: 0 }] });
  expect(target.calls).toHaveLength(1);
});

it('a run that is ended before the answer is in has said what it sent, and no run repeats it', async () => {
  await stage.client.query(`INSERT INTO workers VALUES (2, 'two')`);
  target.calls.length = 0;
  target.answer = () => {};
  const ended = run();
  await eventually(async () => target.calls.length === 1);
  ended.cancel('CANCELLED');
  expect(await ended.report).toMatchObject({ outcome: 'cancelled' });
  expect((await readActions()).at(-1)).toMatchObject({
    ...{ finding_key: '[2]', outcome: 'failed', status: null, fate: 'committed' },
    error: expect.stringContaining('whether the request took effect is unknown'),
  });
  await run().report;
  expect(target.calls).toHaveLength(1);
});

it('without a history nothing is sent, for it could not be said', async () => {
  await stage.client.query(`INSERT INTO workers VALUES (3, 'three')`);
  target.calls.length = 0;
  const pool = openHistory('postgres://nobody@127.0.0.1:1/none');
  const report = await run({ pool }).report;
  await pool.end();
  expect(report).toMatchObject({ outcome: 'automation_error', checks: [{ sent: 0, error: expect.any(String) }] });
  expect(target.calls).toEqual([]);
});
