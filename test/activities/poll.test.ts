import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Firing, Order } from '../../workflows/contract.ts';
import { makeTick } from '../history/support/history.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { fanOut, polled } from '../support/fan-outs.ts';
import { healthy, sendJson } from '../support/target.ts';
import type { Call } from '../support/target.ts';
import { conduct, makeActivities, secret } from './support/conduct.ts';
import { history, target, setStage } from './support/stage.ts';
import { slackMs } from '../support/slack.ts';

setStage();

const untilDone = '{ every: 100ms, max_every: 200ms, done: body.state == "done" }';
const running = { state: 'running' };
const done = { ...healthy, state: 'done' };

function define(poll = untilDone, changes: Frontmatter = {}): Order {
  return defineSweep(`test.poll-${randomUUID().slice(0, 8)}`, { ...polled(poll), ...changes }).order;
}

function fire(): Firing {
  const scheduledAt = new Date().toISOString();
  return makeTick({ trigger: 'canary', actor: 'tester', scheduledAt, workflowRunId: randomUUID() });
}

function start(order = define(), firing = fire(), info = {}) {
  return conduct(makeActivities(history, target.url), order, firing, info);
}

const polls = () => target.calls.filter(({ method }) => method === 'GET');

/** Accepts what is posted, and answers the polls of it in turn; the last answer stays. */
function accept(answers: ((response: ServerResponse, call: Call) => void)[], location: string | null = '/op/1'): void {
  target.answer = (call, response) => {
    if (call.method === 'POST') {
      response.writeHead(202, location === null ? {} : { location }).end('{"links":{"self":"op/2"}}');
      return;
    }
    const answer = answers[Math.min(polls().length, answers.length) - 1];
    answer?.(response, call);
  };
}

const json =
  (body: unknown, status = 200) =>
  (response: ServerResponse) =>
    sendJson(response, body, status);

describe('what was only accepted is followed to its end', () => {
  it('at its Location, until it is done, and the last answer is judged', async () => {
    const failure = { target: 'x', rule: 'C-02', message: 'late' };
    accept([json(running), json(running), json({ ...done, assessment_failures: [failure] })]);
    const report = await start().report;
    expect(report).toMatchObject({ outcome: 'completed', assessment: 'failed', assessmentFailures: [failure] });
    expect(target.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      ...['POST /start', 'GET /op/1', 'GET /op/1', 'GET /op/1'],
    ]);
    expect(polls()[0]?.headers['authorization']).toBe(`Bearer ${secret}`);
    expect(polls()[0]?.headers['idempotency-key']).toBeUndefined();
    expect(report.stages?.pollMs).toBeGreaterThanOrEqual(400);
  });

  it('the pause between two polls grows by half, to its limit', async () => {
    const seen: number[][] = [];
    for (let round = 0; round < 3; round++) {
      target.calls.length = 0;
      accept([json(running), json(running), json(running), json(done)]);
      await start().report;
      const at = target.calls.map((call) => call.at);
      seen.push(at.slice(1).map((time, index) => time - (at[index] ?? 0)));
    }
    for (const [index, leastMs] of [100, 150, 200, 200].entries()) {
      // A busy machine makes a pause longer, never shorter.
      const pauseMs = Math.min(...seen.map((pauses) => pauses[index] ?? Infinity));
      expect(pauseMs).toBeGreaterThanOrEqual(leastMs - 5);
      expect(pauseMs).toBeLessThan(leastMs + 90);
    }
  });

  it('Retry-After is waited for, on the first answer and on polls', async () => {
    target.answer = (call, response) => {
      if (call.method === 'POST') response.writeHead(202, { location: '/op/1', 'retry-after': '1' }).end();
      else if (polls().length > 1) sendJson(response, done);
      else response.writeHead(200, { 'retry-after': '1' }).end(JSON.stringify(running));
    };
    await start().report;
    const [first, second, third] = target.calls.map(({ at }) => at) as [number, number, number];
    expect(second - first).toBeGreaterThanOrEqual(995);
    expect(third - second).toBeGreaterThanOrEqual(995);
  });

  it('by the address that CEL gives, read against that of the request', async () => {
    accept([json(done)], null);
    await start(define('{ every: 100ms, done: "true", url: body.links.self }')).report;
    expect(polls().map(({ path }) => path)).toEqual(['/op/2']);
  });

  it('where CEL says that it was accepted, whatever the status', async () => {
    target.answer = (call, response) =>
      sendJson(response, call.method === 'POST' ? { state: 'queued', self: '/op/3' } : done);
    const poll = '{ every: 100ms, when: body.state == "queued", url: body.self, done: body.state == "done" }';
    expect(await start(define(poll)).report).toMatchObject({ outcome: 'completed' });
    expect(polls().map(({ path }) => path)).toEqual(['/op/3']);
  });

  it('an answer that is final at once is not polled, and without `poll` a 202 is an answer', async () => {
    target.answer = (_, response) => sendJson(response, healthy);
    expect(await start().report).toMatchObject({ outcome: 'completed' });
    target.answer = (_, response) => sendJson(response, healthy, 202);
    const plain = defineSweep(`test.poll-${randomUUID().slice(0, 8)}`).order;
    expect(await start(plain).report).toMatchObject({ outcome: 'completed' });
    expect(polls()).toEqual([]);
  });

  it('for each target of a fan-out by itself', async () => {
    target.answer = (call, response) => {
      if (call.method === 'POST') response.writeHead(202, { location: `/op${call.path}` }).end();
      else sendJson(response, done);
    };
    const changes = fanOut('{ targets: [a, b] }', '\n  poll: { every: 100ms, done: body.state == "done" }');
    const { order } = defineSweep(`test.poll-${randomUUID().slice(0, 8)}`, changes);
    expect(await start(order).report).toMatchObject({ outcome: 'completed', targets: { completed: 2 } });
    expect(
      polls()
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['/op/at/a', '/op/at/b']);
  });
});

describe('an operation goes on, whatever happens to a poll', () => {
  it('after 500, 429 and a lost connection it is asked again, and all of it is kept as rescued', async () => {
    accept([
      json({ error: 'tired' }, 500),
      json({ error: 'slow down' }, 429),
      (response) => void response.socket?.resetAndDestroy(),
      json(done),
    ]);
    const report = await start().report;
    expect(report).toMatchObject({ outcome: 'completed' });
    expect(report.failedAttempts?.map(({ operation }) => operation)).toEqual(['poll', 'poll', 'poll']);
    expect(report.failedAttempts?.map(({ error, rescued }) => [error.replace(/http:\S+ /, ''), rescued])).toEqual([
      ['the target answered 500: {"error":"tired"}', true],
      ['the target answered 429: {"error":"slow down"}', true],
      [expect.stringMatching(/^(closed|broke) the connection before it had answered/) as string, true],
    ]);
  });

  it.for([404, 410])('a target that answers %d has forgotten it', async (status) => {
    accept([json(running), json({}, status)]);
    const report = await start().report;
    expect(report).toMatchObject({ outcome: 'automation_error' });
    expect(report.reason).toBe(
      `the target forgot the operation ${target.url}/op/1: it answered ${status}; how it ended is unknown`,
    );
  });

  it('another status is the end, and is judged', async () => {
    accept([json({ error: 'no' }, 403)]);
    const report = await start().report;
    expect(report).toMatchObject({ outcome: 'automation_error' });
    expect(report.reason).toBe('the target answered 403: {"error":"no"}');
  });

  it('the hard timeout holds, and the reason names the operation and its last fault', async () => {
    accept([json({ error: 'tired' }, 500)]);
    const report = await start(define(untilDone, { budget: '{ max_seconds: 1, hard_timeout: 1s }' })).report;
    expect(report).toMatchObject({ outcome: 'timed_out', exitCode: 1 });
    expect(report.reason).toBe(
      `the operation ${target.url}/op/1 had not ended by the hard timeout of 1 s; the last poll failed: the target answered 500: {"error":"tired"}`,
    );
    expect(Date.parse(report.finishedAt) - Date.parse(report.startedAt)).toBeLessThan(2_000 + slackMs);
  });
});

describe('what cannot be followed is an automation error that says why', () => {
  it.for([
    [
      'no Location',
      untilDone,
      null,
      'the target answered 202 without a Location header; say in `poll.url` where its operation is found',
    ],
    [
      'no URL',
      '{ every: 100ms, done: "true", url: "[body][0].none" }',
      null,
      /^the rule poll\.url could not be applied: there is no key `none`/,
    ],
    [
      'not http',
      untilDone,
      'ftp://elsewhere/op',
      'the place of the operation is "ftp://elsewhere/op", which is not an http or https URL',
    ],
    ['a forbidden host', untilDone, 'http://169.254.169.254/latest', /^169\.254\.169\.254 is link-local/],
    [
      '`done` does not fit',
      '{ every: 100ms, done: body.missing == 1.0 }',
      '/op/1',
      /^the rule poll\.done could not be applied: there is no key `missing`/,
    ],
    [
      '`done` is no bool',
      '{ every: 100ms, done: body.state }',
      '/op/1',
      'the rule poll.done could not be applied: it gave "done", not a bool',
    ],
  ] as const)('%s', async ([, poll, location, reason]) => {
    accept([json(done)], location);
    const report = await start(define(poll)).report;
    expect(report).toMatchObject({ outcome: 'automation_error', exitCode: 1, recorded: true });
    expect(report.reason).toMatch(reason);
  });
});

describe('a second worker', () => {
  it('follows what the first one left, a secret in its address included, which no heartbeat holds', async () => {
    accept([json(running)], `/op/1?token=${secret}`);
    const [order, firing] = [define(), fire()];
    const first = start(order, firing);
    await expect.poll(() => polls().length).toBe(2);
    const left = first.heartbeats.at(-1);
    expect(JSON.stringify(left)).toContain('/op/1?token=[redacted TARGET_TOKEN]');
    expect(JSON.stringify(first.heartbeats)).not.toContain(secret);
    first.cancel('WORKER_SHUTDOWN');
    await expect(first.report).rejects.toMatchObject({ type: 'HandOverError' });

    target.calls.length = 0;
    accept([json(done)]);
    const report = await start(order, firing, { attempt: 2, heartbeatDetails: left }).report;
    expect(report).toMatchObject({ outcome: 'completed' });
    expect(target.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([`GET /op/1?token=${secret}`]);
  });

  it('starts nothing where the first may have, unless the target does nothing twice', async () => {
    target.answer = (_, response) => sendJson(response, healthy);
    const report = await start(define(), fire(), { attempt: 2 }).report;
    expect(report).toMatchObject({ outcome: 'automation_error' });
    expect(report.reason).toContain('it was not asked again');
    expect(target.calls).toEqual([]);
    const safe = define(untilDone, { retry: '{ attempts: 1, idempotent: true }' });
    expect(await start(safe, fire(), { attempt: 2 }).report).toMatchObject({ outcome: 'completed' });
  });
});
