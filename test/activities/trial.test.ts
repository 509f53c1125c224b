import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { explainExchanges } from '../../activities/judged.ts';
import type { Exchange } from '../../activities/exchange-watch.ts';
import { UnknownTargetError, nameTrial, trySweep } from '../../activities/trial.ts';
import type { TrialOptions } from '../../activities/trial.ts';
import type { SweepOrder } from '../../workflows/contract.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { healthy, sendJson } from '../support/target.ts';
import type { Target } from '../support/target.ts';
import { conduct, makeActivities, secret } from './support/conduct.ts';
import { history, target, setStage } from './support/stage.ts';

setStage();

function define(changes: Frontmatter = {}): SweepOrder {
  return defineSweep(`test.trial-${randomUUID().slice(0, 8)}`, changes).order as SweepOrder;
}

async function attempt(order: SweepOrder, options: Partial<TrialOptions> = {}) {
  const exchanges: Exchange[] = [];
  const { report, targets } = await trySweep({
    order,
    firing: nameTrial('tester', new Date(), randomUUID()),
    environment: { TARGET_URL: target.url, TARGET_TOKEN: secret },
    signal: new AbortController().signal,
    onExchange: (exchange) => exchanges.push(exchange),
    ...options,
  });
  return { report, targets, exchanges, judged: explainExchanges(order.sweep, exchanges) };
}

/** What a run of the same reports. */
function run(order: SweepOrder) {
  const firing = nameTrial('tester', new Date(), randomUUID());
  return conduct(makeActivities(history, target.url), order, firing).report;
}

const sweep = (more: string, outcome = 'lock_skipped: body.status == "locked"') => ({
  sweep: `
  request:
    method: POST
    url: \${TARGET_URL}/sweep
    headers: { Authorization: "Bearer \${TARGET_TOKEN}" }
    ${more}
  outcome:
    ${outcome}`,
});
const polled = sweep('\n  poll: { every: 100ms, done: body.done }', 'assessment_failures: body.found');
const failure = { target: 'a', rule: 'C-01', message: 'm' };

describe('what a trial says is what a run says', () => {
  const json =
    (body: unknown, status = 200): Target['answer'] =>
    (_, response) =>
      sendJson(response, body, status);
  const operation =
    (ended: unknown, status = 200): Target['answer'] =>
    ({ method }, response) =>
      method === 'POST'
        ? response.writeHead(202, { location: '/op' }).end('{}') && undefined
        : sendJson(response, ended, status);

  it.for<[claim: string, changes: Frontmatter, answer: Target['answer']]>([
    ['completed', {}, json(healthy)],
    ['assessment failures', {}, json({ ...healthy, assessment_failures: [failure] })],
    ['C-00', {}, json({ ...healthy, assessment_failures: [{ ...failure, rule: 'C-00' }] })],
    ['locked', {}, json({ status: 'lock_skipped' }, 409)],
    ['an error that the target reports', {}, json({ ...healthy, automation_error: 'disk full' })],
    ['a status', {}, json({ message: 'no' }, 500)],
    ['a redirect', {}, (_, response) => void response.writeHead(302, { location: '/elsewhere' }).end()],
    ['no JSON', {}, (_, response) => void response.end('<html>')],
    ['a rule that does not fit', {}, json({ other: 1 })],
    ['no answer', {}, (_, response) => void response.destroy()],
    ['its token in the answer', {}, json({ ...healthy, automation_error: `who is ${secret}?` })],
    ['a condition that is not met', sweep('expect: { condition: body.ok }'), json({ ok: false, status: '' })],
    ['a status that is expected', sweep('expect: { status: [404] }'), json({ status: '' }, 404)],
    ['an operation that ended', polled, operation({ done: true, found: [failure] })],
    ['an operation that is forgotten', polled, operation({}, 404)],
    ['an operation that cannot be asked', polled, operation({ other: 1 })],
    ['a short budget', { budget: '{ max_seconds: 1, hard_timeout: 1s }' }, () => sleep(1_500)],
    ['a certificate that is not there', sweep('tls: { ca: /nowhere/ca.pem }'), json(healthy)],
  ])('%s', async ([, changes, answer]) => {
    target.answer = answer;
    const order = define(changes);
    const tried = await attempt(order);
    const { outcome, assessment, assessmentFailures, reason, exitCode, recorded } = tried.report;
    expect(recorded).toBe(false);
    expect({ outcome, assessment, assessmentFailures, reason, exitCode }).toEqual(
      await run(order).then((report) => ({
        ...{ outcome: report.outcome, assessment: report.assessment, reason: report.reason },
        ...{ assessmentFailures: report.assessmentFailures, exitCode: report.exitCode },
      })),
    );
    expect(JSON.stringify(tried)).not.toContain(secret);
    const deciding = tried.judged.flatMap(({ verdicts }) => verdicts.filter(({ decides }) => decides));
    expect(deciding.length).toBeLessThanOrEqual(outcome === 'completed' ? 0 : 1);
    expect(deciding.every(({ means }) => means.endsWith(`\`${outcome}\``))).toBe(true);
  });
});

it('the request is the one of a run: by hand, with an id of its own, its secrets taken out of what is shown', async () => {
  const { exchanges, report } = await attempt(define());
  const [call] = target.calls;
  expect(call?.headers.authorization).toBe(`Bearer ${secret}`);
  expect(JSON.parse(call?.body ?? '')).toEqual({ max_seconds: 30, source: 'activity-core', run_id: report.runId });
  expect(report.trigger).toBe('manual');
  expect(exchanges).toHaveLength(1);
  expect(exchanges[0]?.request).toMatchObject({
    headers: { authorization: 'Bearer [redacted TARGET_TOKEN]', 'idempotency-key': report.runId },
    body: call?.body,
  });
});

it('each attempt is shown, and the last one is judged', async () => {
  target.answer = (_, response) => sendJson(response, healthy, target.calls.length < 3 ? 503 : 200);
  const order = define({ retry: '{ attempts: 3, backoff: 100ms, idempotent: true }' });
  const { exchanges, judged, report } = await attempt(order);
  expect(exchanges.map(({ count, end }) => [count, 'answer' in end && end.answer.status])).toEqual([
    [1, 503],
    [2, 503],
    [3, 200],
  ]);
  expect(judged.map(({ count }) => count)).toEqual([3]);
  expect(report).toMatchObject({
    outcome: 'completed',
    attempt: 3,
    failedAttempts: [{ rescued: true }, { rescued: true }],
  });
});

it('each poll is shown, and the last one is judged by poll.done and the outcome', async () => {
  target.answer = ({ method }, response) => {
    if (method === 'POST') response.writeHead(202, { location: '/op' }).end('{}');
    else sendJson(response, { done: target.calls.length > 3, found: [] });
  };
  const { exchanges, judged } = await attempt(define(polled));
  expect(exchanges.map(({ part, count }) => `${part} ${count}`)).toEqual(['request 1', 'poll 1', 'poll 2', 'poll 3']);
  expect(judged.map(({ part, verdicts }) => [part, verdicts.map(({ gave }) => gave)])).toEqual([
    ['request', [true, undefined]],
    ['poll', [true, undefined, []]],
  ]);
});

describe('of a fan-out', () => {
  const listed = {
    sweep: `
  each: { request: { method: GET, url: "\${TARGET_URL}/list" }, targets: body.repos }
  request: { method: POST, url: "\${TARGET_URL}/sweep/\${target.name}" }
  outcome: { assessment_failures: body.assessment_failures }`,
  };
  beforeEach(() => {
    target.answer = ({ path }, response) =>
      sendJson(response, path === '/list' ? { repos: [{ name: 'a' }, { name: 'b' }] } : healthy);
  });

  it('only the first target is called, and the list is shown', async () => {
    const { exchanges, judged, targets, report } = await attempt(define(listed));
    expect(target.calls.map(({ path }) => path)).toEqual(['/list', '/sweep/a']);
    expect(targets).toEqual({ names: ['a', 'b'], tried: 'a' });
    expect(exchanges.map(({ part }) => part)).toEqual(['targets', 'request']);
    expect(judged[0]?.verdicts.at(-1)).toMatchObject({ means: 'a list of 2' });
    expect(report).toMatchObject({ outcome: 'completed', assessment: 'passed' });
  });

  it('or the one that is named; one that is not in the list is refused before it is called', async () => {
    expect((await attempt(define(listed), { targetName: 'b' })).targets?.tried).toBe('b');
    await expect(attempt(define(listed), { targetName: 'c' })).rejects.toThrow(UnknownTargetError);
    expect(target.calls.map(({ path }) => path)).toEqual(['/list', '/sweep/b', '/list']);
  });

  it('its operation is polled, and seen to be', async () => {
    const order = define({
      sweep: listed.sweep.replace('  outcome:', '  poll: { every: 100ms, done: body.done }\n  outcome:'),
    });
    target.answer = ({ path, method }, response) => {
      if (path === '/list') sendJson(response, { repos: ['a'].map((name) => ({ name })) });
      else if (method === 'POST') response.writeHead(202, { location: '/op' }).end('{}');
      else sendJson(response, { ...healthy, done: true });
    };
    const { exchanges, report } = await attempt(order);
    expect(exchanges.map(({ part }) => part)).toEqual(['targets', 'request', 'poll']);
    expect(report.outcome).toBe('completed');
  });

  it('a list that is none, or that cannot be had, is what a run says of it', async () => {
    for (const body of [{ repos: 'none' }, { other: 1 }, { repos: [] }]) {
      target.answer = (_, response) => sendJson(response, body);
      const order = define(listed);
      const { report, judged } = await attempt(order);
      const ran = await run(order);
      expect([report.outcome, report.reason]).toEqual([ran.outcome, ran.reason]);
      expect(judged[0]?.verdicts.at(-1)?.decides).toBe(report.outcome !== 'completed');
    }
  });
});

it('an interrupt closes the request and ends the trial as cancelled', async () => {
  const stop = new AbortController();
  target.answer = () => stop.abort();
  const { report, exchanges } = await attempt(define(), { signal: stop.signal });
  expect(report).toMatchObject({ outcome: 'cancelled', exitCode: 0 });
  expect(exchanges[0]?.end).toHaveProperty('fault');
  await expect.poll(() => target.calls[0]?.abortedAt).toBeDefined();
});
