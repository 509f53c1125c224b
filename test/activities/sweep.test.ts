import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { chooseAnyPort } from '../../dev/ports.ts';
import { openHistory } from '../../history/database.ts';
import { findRun } from '../../history/queries.ts';
import type { Firing, Order } from '../../workflows/contract.ts';
import { makeTick } from '../history/support/history.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { healthy, sendJson } from '../support/target.ts';
import { conduct, makeActivities, secret } from './support/conduct.ts';
import { head, startRawServer } from './support/raw-server.ts';
import { history, target, setStage } from './support/stage.ts';
import { slackMs } from '../support/slack.ts';

setStage();

function define(changes: Frontmatter = {}): Order {
  return defineSweep(`test.sweep-${randomUUID().slice(0, 8)}`, changes).order;
}

/** A firing by hand, now. */
function fire(): Firing {
  return makeTick({
    trigger: 'canary',
    actor: 'tester',
    scheduledAt: new Date().toISOString(),
    workflowRunId: randomUUID(),
  });
}

function sweep(order = define(), firing = fire(), url = target.url) {
  return conduct(makeActivities(history, url), order, firing);
}

describe('the report is what the row says', () => {
  it('completed', async () => {
    target.answer = (_, response) =>
      sendJson(response, { ...healthy, assessment_failures: [{ target: 'a', rule: 'C-01', message: 'm' }] });
    const firing = fire();
    const report = await sweep(define(), firing).report;
    expect(report).toMatchObject({
      ...{ outcome: 'completed', assessment: 'failed', assessmentFailureCount: 1, exitCode: 0, recorded: true },
      ...{ attempt: 1, certainty: 'witnessed', trigger: 'canary' },
    });
    expect(report.response).toBeUndefined();
    const row = await findRun(history.pool, report.runId);
    expect(row).toMatchObject({
      ...{ outcome: 'completed', assessmentFailures: report.assessmentFailures, reason: report.reason },
      ...{ actor: 'tester', scheduledAt: firing.scheduledAt, startedAt: report.startedAt, responseStatus: 200 },
    });
  });

  it('lock skipped', async () => {
    target.answer = (_, response) => sendJson(response, { status: 'lock_skipped' }, 409);
    const report = await sweep().report;
    expect(report).toMatchObject({ outcome: 'lock_skipped', assessment: 'none', exitCode: 0, recorded: true });
    expect(await findRun(history.pool, report.runId)).toMatchObject({ outcome: 'lock_skipped', responseStatus: 409 });
  });

  it('a variable that the worker does not have: nothing is sent', async () => {
    const report = await sweep(define({ env: '[TARGET_URL, ELSEWHERE]' })).report;
    expect(report).toMatchObject({ outcome: 'automation_error', exitCode: 1, recorded: true });
    expect(report.reason).toBe('the worker has no ELSEWHERE; set it in the environment of every worker');
    expect(target.calls).toEqual([]);
  });

  it('while it runs there is a row that says so, and heartbeats that say where it is', async () => {
    target.answer = async (_, response) => {
      await sleep(2_500);
      sendJson(response, healthy);
    };
    const order = define();
    const { report, heartbeats } = sweep(order);
    await expect.poll(() => target.calls.length).toBe(1);
    const { rows } = await history.pool.query('SELECT standing, outcome FROM actcore.runs WHERE definition_id = $1', [
      order.definition.id,
    ]);
    expect(rows).toEqual([{ standing: 0, outcome: null }]);
    await report;
    expect(heartbeats.at(-1)).toMatchObject({ stage: 'waiting for the target', attempt: 1 });
  });
});

describe('only what never reached the target is tried again', () => {
  it('a target that begins to listen late is reached by a later attempt', async () => {
    const port = await chooseAnyPort();
    const { report } = sweep(define({ retry: '{ attempts: 4 }' }), fire(), `http://127.0.0.1:${port}`);
    await sleep(1_500);
    const answer = `${head('200 OK', { connection: 'close' })}${JSON.stringify(healthy)}`;
    const late = await startRawServer((socket) => socket.end(answer), { port });
    expect(await report).toMatchObject({ outcome: 'completed', attempt: 3 });
    expect(late.connections()).toBe(1);
    await late.close();
  });

  it('a target that is never there is given up after the attempts, and the row says how many', async () => {
    const url = `http://127.0.0.1:${await chooseAnyPort()}`;
    const report = await sweep(define({ retry: '{ attempts: 2 }' }), fire(), url).report;
    expect(report).toMatchObject({ outcome: 'automation_error', attempt: 2 });
    expect(report.reason).toBe(`${url} refused the connection (2 attempts); nothing was done`);
  });

  it('a target that was reached and hung up is not asked again', async () => {
    const server = await startRawServer((socket) => socket.resetAndDestroy());
    const report = await sweep(define({ retry: '{ attempts: 4 }' }), fire(), server.url).report;
    expect(report).toMatchObject({ outcome: 'automation_error', attempt: 1 });
    expect(server.connections()).toBe(1);
    await server.close();
  });
});

describe('whatever ends a run early closes the request within a second', () => {
  it.for([
    [undefined, 'cancelled', 'witnessed', 'someone cancelled the run; the request was aborted'],
    ['WORKER_SHUTDOWN', 'cancelled', 'witnessed', 'the worker was shut down before the target had answered'],
    ['NOT_FOUND', 'cancelled', 'inferred', /^the server no longer waits for this run/],
  ] as const)('%s', async ([reason, outcome, certainty, sentence]) => {
    const server = await startRawServer(() => {});
    const { report, cancel } = sweep(define(), fire(), server.url);
    await expect.poll(server.connections).toBe(1);
    const cancelledAt = performance.now();
    cancel(reason);
    await server.firstClosed;
    expect(performance.now() - cancelledAt).toBeLessThan(1_000 + slackMs);
    const ended = await report;
    expect(ended).toMatchObject({ outcome, certainty, exitCode: 0, assessment: 'none', recorded: true });
    expect(ended.reason).toMatch(sentence);
    expect(await findRun(history.pool, ended.runId)).toMatchObject({ outcome, certainty });
    await server.close();
  });

  it('the hard timeout', async () => {
    const server = await startRawServer((socket) => socket.write(head('200 OK', { 'content-length': 9 })));
    const order = define({ budget: '{ max_seconds: 1, hard_timeout: 1s }' });
    const startedAt = performance.now();
    const { report } = sweep(order, fire(), server.url);
    await server.firstClosed;
    expect(performance.now() - startedAt).toBeLessThan(2_000 + slackMs);
    const ended = await report;
    expect(ended).toMatchObject({ outcome: 'timed_out', exitCode: 1, recorded: true });
    expect(ended.reason).toBe('the target had not answered by the hard timeout of 1 s; the request was aborted');
    await server.close();
  });

  it('also between two attempts', async () => {
    const order = define({ retry: '{ attempts: 9 }' });
    const { report, cancel, heartbeats } = sweep(order, fire(), `http://127.0.0.1:${await chooseAnyPort()}`);
    await sleep(1_700);
    cancel();
    expect(await report).toMatchObject({ outcome: 'cancelled', attempt: 2 });
    expect(heartbeats.length).toBeGreaterThanOrEqual(1);
  });
});

describe('a history that is away', () => {
  it('costs the run seconds and not its end: the report is whole and says that it is not recorded', async () => {
    const away = openHistory(`postgres://a:b@127.0.0.1:${await chooseAnyPort()}/x`);
    const failures = Array.from({ length: 150 }, (_, index) => ({ target: `t${index}`, rule: 'C-01', message: 'm' }));
    target.answer = (_, response) => sendJson(response, { ...healthy, assessment_failures: failures });
    const report = await conduct(makeActivities({ pool: away }, target.url), define(), fire()).report;
    expect(report).toMatchObject({ outcome: 'completed', recorded: false, assessmentFailureCount: 150 });
    expect(report.assessmentFailures).toEqual(failures);
    expect(JSON.parse(report.response?.json ?? '')).toMatchObject({ assessment_failures: failures });
    await away.end();
  });

  it('frozen, it holds the request back for less than three seconds', { timeout: 60_000 }, async () => {
    const holder = await history.pool.connect();
    await holder.query('BEGIN; LOCK TABLE actcore.runs IN ACCESS EXCLUSIVE MODE');
    const startedAt = performance.now();
    const { report } = sweep();
    try {
      await expect.poll(() => target.calls.length, { timeout: 20_000 }).toBe(1);
      expect(performance.now() - startedAt).toBeLessThan(3_000 + slackMs);
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
    expect(await report).toMatchObject({ outcome: 'completed', recorded: true });
  });
});

describe('lateness and the Trigger button', () => {
  const order = define({ schedule: '{ cron: "*/15 * * * *" }', misfire_grace: '60s' });
  const scheduledAt = '2026-03-01T00:15:00.000Z';
  const at = (time: string) => makeActivities(history, target.url, () => new Date(time));

  it('a tick that a worker takes up too late is a misfire, and nothing is sent', async () => {
    const report = await conduct(at('2026-03-01T00:16:00.100Z'), order, makeTick({ scheduledAt })).report;
    expect(report).toMatchObject({ outcome: 'misfire_skipped', exitCode: 0, latenessMs: 60_100, recorded: true });
    expect(report.reason).toBe('it would have started 60.1 s after its tick; the grace is 60 s');
    expect(target.calls).toEqual([]);
  });

  it('a tick within its grace runs, and under run_once a late one too', async () => {
    const tick = makeTick({ scheduledAt: '2026-03-01T00:30:00.000Z' });
    expect(await conduct(at('2026-03-01T00:31:00Z'), order, tick).report).toMatchObject({ outcome: 'completed' });
    const once = define({ schedule: '{ cron: "*/15 * * * *" }', misfire_policy: 'run_once' });
    expect(await conduct(at('2026-03-01T09:00:00Z'), once, tick).report).toMatchObject({ outcome: 'completed' });
  });

  it('a firing by the Trigger button is named manual, however late it starts', async () => {
    const pressed = makeTick({ scheduledAt: '2026-03-01T00:15:07.000Z', workflowRunId: randomUUID() });
    const report = await conduct(at('2026-03-01T03:00:00Z'), order, pressed).report;
    expect(report).toMatchObject({ outcome: 'completed', trigger: 'manual' });
    expect(await findRun(history.pool, report.runId)).toMatchObject({ trigger: 'manual', actor: 'temporal' });
  });
});

it('neither row nor report holds a secret that the target echoes in every way', async () => {
  const basic = Buffer.from(`user:${secret}`).toString('base64');
  const echoes = [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
    secret.replaceAll('/', '\\/'),
  ];
  target.answer = (call, response) =>
    sendJson(response, {
      ...{ automation_error: `${call.headers.authorization} ${echoes.join(' ')}`, [secret]: { [secret]: [secret] } },
      assessment_failures: [{ target: secret, rule: encodeURIComponent(secret), message: `Basic ${basic}` }],
    });
  const rules =
    '\n  request: { method: POST, url: "${TARGET_URL}/x", headers: { Authorization: "Bearer ${TARGET_TOKEN}" } }';
  const outcome =
    '\n  outcome: { automation_error: body.automation_error != null, assessment_failures: body.assessment_failures }';
  const report = await sweep(define({ sweep: rules + outcome })).report;
  expect(target.calls[0]?.headers.authorization).toBe(`Bearer ${secret}`);
  expect(report).toMatchObject({ outcome: 'automation_error', assessmentFailureCount: 1 });
  const { rows } = await history.pool.query<{ text: string }>(
    `SELECT row_to_json(runs)::text || (SELECT string_agg(row_to_json(a)::text, '') FROM actcore.assessments a WHERE run_id = id)
     AS text FROM actcore.runs WHERE id = $1`,
    [report.runId],
  );
  const kept = (rows[0]?.text ?? '') + JSON.stringify(report);
  expect(kept).toContain('[redacted TARGET_TOKEN]');
  const forms = [...echoes, secret.slice(0, 12), Buffer.from(`user:${secret}`).toString('base64').slice(10, 24)];
  expect(forms.filter((form) => kept.includes(form))).toEqual([]);
});
