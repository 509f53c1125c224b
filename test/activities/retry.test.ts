import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { chooseAnyPort } from '../../dev/ports.ts';
import { readRetryAfter } from '../../activities/retry-after.ts';
import type { Order } from '../../workflows/contract.ts';
import { makeTick } from '../history/support/history.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { fanOut } from '../support/fan-outs.ts';
import { healthy, sendJson } from '../support/target.ts';
import type { Target } from '../support/target.ts';
import { conduct, makeActivities, secret } from './support/conduct.ts';
import { history, target, setStage } from './support/stage.ts';
import { slackMs } from '../support/slack.ts';

setStage();

function define(retry: string, changes: Frontmatter = {}): Order {
  return defineSweep(`test.retry-${randomUUID().slice(0, 8)}`, { retry, ...changes }).order;
}

function sweep(order: Order, url = target.url) {
  const scheduledAt = new Date().toISOString();
  const firing = makeTick({ trigger: 'canary', actor: 'tester', scheduledAt, workflowRunId: randomUUID() });
  return conduct(makeActivities(history, url), order, firing).report;
}

const idempotent = '{ attempts: 3, backoff: 100ms, idempotent: true }';

/** Fails the first calls in some way and is healthy afterwards. */
function failFirst(count: number, fail: Target['answer']): void {
  target.answer = (call, response) =>
    target.calls.length <= count ? fail(call, response) : sendJson(response, healthy);
}

const status =
  (code: number, headers = {}): Target['answer'] =>
  (_, response) =>
    void response.writeHead(code, { 'content-type': 'application/json', ...headers }).end('{"error":"later"}');

describe('what passes is tried again where the target does nothing twice', () => {
  it.for([429, 502, 503, 504])('%d', async (code) => {
    failFirst(2, status(code));
    const report = await sweep(define(idempotent));
    expect(report).toMatchObject({ outcome: 'completed', attempt: 3 });
    const operation = 'POST /sweep';
    expect(report.failedAttempts).toMatchObject([
      { attempt: 1, operation, error: `the target answered ${code}: {"error":"later"}`, rescued: true },
      { attempt: 2, operation, rescued: true },
    ]);
    expect(report.stages?.retryMs).toBeGreaterThanOrEqual(300);
    expect(new Set(target.calls.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });

  it('a connection that was lost', async () => {
    failFirst(1, (_, response) => void response.socket?.resetAndDestroy());
    expect(await sweep(define(idempotent))).toMatchObject({ outcome: 'completed', attempt: 2 });
  });

  it('not a lock, which is an answer', async () => {
    target.answer = (_, response) => sendJson(response, { status: 'lock_skipped' }, 503);
    expect(await sweep(define(idempotent))).toMatchObject({ outcome: 'lock_skipped', attempt: 1 });
    expect(target.calls).toHaveLength(1);
  });

  it('not another status', async () => {
    target.answer = status(500);
    expect(await sweep(define(idempotent))).toMatchObject({ outcome: 'automation_error', attempt: 1 });
  });

  it('each target of a fan-out by itself', async () => {
    const seen = new Set<string>();
    target.answer = (call, response) => {
      if (call.path === '/at/b' && !seen.has(call.path)) {
        seen.add(call.path);
        response.writeHead(503).end();
      } else sendJson(response, healthy);
    };
    const report = await sweep(define(idempotent, fanOut('{ targets: [a, b] }')));
    expect(report).toMatchObject({ outcome: 'completed', targets: { completed: 2 } });
    expect(report.failedAttempts).toMatchObject([{ target: 'b', attempt: 1, rescued: true }]);
  });
});

it('without that promise only what cannot have reached the target is tried again', async () => {
  target.answer = status(503);
  const report = await sweep(define('{ attempts: 3, backoff: 100ms }'));
  expect(report).toMatchObject({ outcome: 'automation_error', attempt: 1 });
  expect(report.failedAttempts).toBeUndefined();
  const url = `http://127.0.0.1:${await chooseAnyPort()}`;
  const unreachable = await sweep(define('{ attempts: 3, backoff: 100ms }'), url);
  expect(unreachable).toMatchObject({ outcome: 'automation_error', attempt: 3 });
  expect(unreachable.reason).toBe(`${url} refused the connection (3 attempts); nothing was done`);
  expect(unreachable.failedAttempts).toMatchObject([{ rescued: false }, { rescued: false }, { rescued: false }]);
});

it('the last failure says how many attempts there were', async () => {
  target.answer = status(503);
  const report = await sweep(define(idempotent));
  expect(report.reason).toBe('the target answered 503: {"error":"later"} (3 attempts)');
  expect(report.failedAttempts?.map(({ rescued }) => rescued)).toEqual([false, false, false]);
});

describe('Retry-After', () => {
  it('is waited for', async () => {
    failFirst(1, status(429, { 'retry-after': '1' }));
    await sweep(define(idempotent));
    expect((target.calls[1]?.at ?? 0) - (target.calls[0]?.at ?? 0)).toBeGreaterThanOrEqual(995);
  });

  it('is never waited for beyond the budget, and the reason says so', async () => {
    target.answer = status(503, { 'retry-after': '120' });
    const began = performance.now();
    const report = await sweep(define(idempotent));
    expect(performance.now() - began).toBeLessThan(5_000 + slackMs);
    expect(report).toMatchObject({ outcome: 'automation_error', attempt: 1 });
    expect(report.reason).toBe(
      'the target answered 503: {"error":"later"}; another attempt would have to wait 120 s, which the budget of 30 s has not left',
    );
  });

  it.for([
    ['3', 3_000],
    ['Sun, 01 Mar 2026 00:00:10 GMT', 10_000],
    ['Sun, 01 Mar 2020 00:00:10 GMT', 0],
    ['soon', undefined],
    ['-1', undefined],
    ['', undefined],
  ] as const)('`%s` asks for %s ms', ([value, expected]) => {
    expect(readRetryAfter({ 'retry-after': value }, new Date('2026-03-01T00:00:00Z'))).toBe(expected);
  });

  it.for(['2026-02-28T23:00:00Z', '2026-03-01T01:00:00Z'])('a date is read by the clock that sent it, at %s', (now) => {
    const headers = { date: 'Sun, 01 Mar 2026 00:00:00 GMT', 'retry-after': 'Sun, 01 Mar 2026 00:00:10 GMT' };
    expect(readRetryAfter(headers, new Date(now))).toBe(10_000);
  });

  it('a date is read by our own clock where the answer has none that can be read', () => {
    const headers = { date: 'today', 'retry-after': 'Sun, 01 Mar 2026 00:00:10 GMT' };
    expect(readRetryAfter(headers, new Date('2026-03-01T00:00:00Z'))).toBe(10_000);
  });
});

it('no error of an attempt holds a secret that the target echoed', async () => {
  failFirst(1, (call, response) => sendJson(response, { got: call.headers.authorization }, 503));
  const report = await sweep(define(idempotent));
  expect(report.failedAttempts?.[0]?.error).toContain('[redacted TARGET_TOKEN]');
  expect(JSON.stringify(report)).not.toContain(secret);
});

it('a run that completes faster than it can have is flagged, and one that fails is not', async () => {
  target.answer = (_, response) => sendJson(response, healthy);
  const budget = { budget: '{ max_seconds: 30, min_duration: 10s }' };
  const report = await sweep(define('{ attempts: 1 }', budget));
  expect(report).toMatchObject({ outcome: 'completed', isTooShort: true, exitCode: 0 });
  expect(report.reason).toMatch(/^the target answered 200; it took [\d.]+ s, less than the min_duration of 10 s$/);
  target.answer = status(500);
  expect((await sweep(define('{ attempts: 1 }', budget))).isTooShort).toBeUndefined();
});

it('the ledger of the budget says where the time went', async () => {
  target.answer = (_, response) => {
    response.writeHead(200);
    setTimeout(() => response.write('{"status":"ok",'), 200);
    setTimeout(() => response.end('"automation_error":null,"assessment_failures":[]}'), 500);
  };
  const { stages } = await sweep(define('{ attempts: 1 }'));
  expect(stages?.firstByteMs).toBeGreaterThanOrEqual(150);
  expect(stages?.bodyMs).toBeGreaterThanOrEqual(250);
  expect(stages).toMatchObject({ retryMs: 0, pollMs: 0, tlsMs: 0 });
  expect(stages?.queueMs).toBeLessThan(1_000);
});
