import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { findRun } from '../../history/queries.ts';
import { readResults } from '../../history/results.ts';
import type { TargetResult } from '../../history/results.ts';
import type { Firing, Order, RunReport } from '../../workflows/contract.ts';
import { makeTick } from '../history/support/history.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { fanOut, nameTargets } from '../support/fan-outs.ts';
import { healthy, sendJson } from '../support/target.ts';
import type { Target } from '../support/target.ts';
import { conduct, makeActivities } from './support/conduct.ts';
import { history, target, setStage } from './support/stage.ts';
import { slackMs } from '../support/slack.ts';

setStage();

function define(each: string, changes: Frontmatter = {}, rest = ''): Order {
  return defineSweep(`test.fan-${randomUUID().slice(0, 8)}`, { ...fanOut(each, rest), ...changes }).order;
}

function fire(): Firing {
  const scheduledAt = new Date().toISOString();
  return makeTick({ trigger: 'canary', actor: 'tester', scheduledAt, workflowRunId: randomUUID() });
}

function start(order: Order, firing = fire()) {
  return conduct(makeActivities(history, target.url), order, firing);
}

/** Runs to the end; the report and the rows of the targets. */
async function sweep(order: Order): Promise<{ report: RunReport; results: TargetResult[] }> {
  const firing = fire();
  const report = await start(order, firing).report;
  return { report, results: await readResults(history.pool, report.runId, firing.scheduledAt) };
}

const tally = (counts: Partial<RunReport['targets']>) => ({
  ...{ total: 0, completed: 0, failed: 0, lockSkipped: 0, notReached: 0 },
  ...counts,
});

/** Targets whose name begins with one of these letters answer in a way of their own. */
const answerByName: Target['answer'] = (call, response) => {
  const name = call.path.slice('/at/'.length);
  if (name.startsWith('bad')) sendJson(response, { error: name }, 500);
  else if (name.startsWith('locked')) sendJson(response, { status: 'lock_skipped' });
  else if (name.startsWith('found')) {
    sendJson(response, { ...healthy, assessment_failures: [{ target: name, rule: 'C-03', message: 'differs' }] });
  } else sendJson(response, healthy);
};

describe('one run, many targets', () => {
  it('each is asked once under a key of its own, and has a row', async () => {
    const order = define('{ targets: [a, b, c], concurrency: 2 }');
    const { report, results } = await sweep(order);
    expect(report).toMatchObject({ outcome: 'completed', assessment: 'passed', exitCode: 0, recorded: true });
    expect(report.targets).toEqual(tally({ total: 3, completed: 3 }));
    expect(report.reason).toBe('3 targets: 3 completed');
    expect(target.calls.map(({ path }) => path).sort()).toEqual(['/at/a', '/at/b', '/at/c']);
    const keys = target.calls.map(({ headers }) => String(headers['idempotency-key']));
    expect(new Set(keys).size).toBe(3);
    expect(keys).not.toContain(report.runId);
    expect(results.map((row) => [row.ordinal, row.target, row.outcome, row.status, row.attempt])).toEqual([
      [0, 'a', 'completed', 200, 1],
      [1, 'b', 'completed', 200, 1],
      [2, 'c', 'completed', 200, 1],
    ]);
    expect(new Set(results.map(({ idempotencyKey }) => idempotencyKey))).toEqual(new Set(keys));
  });

  it('never more at once than `concurrency`, and never fewer while there is work', async () => {
    let [now, most] = [0, 0];
    target.answer = async (_, response) => {
      most = Math.max(most, (now += 1));
      await sleep(20);
      now -= 1;
      sendJson(response, healthy);
    };
    await sweep(define(`{ targets: [${nameTargets(30).join(', ')}], concurrency: 6 }`));
    expect(most).toBe(6);
  });

  it('their failures come together in the run, and a part that failed does not fail the whole', async () => {
    target.answer = answerByName;
    const { report, results } = await sweep(define('{ targets: [a, bad-1, found-1, found-2, locked-1] }'));
    expect(report).toMatchObject({
      ...{ outcome: 'completed', assessment: 'failed', assessmentFailureCount: 2, exitCode: 0 },
      targets: { total: 5, completed: 3, failed: 1, lockSkipped: 1, notReached: 0 },
    });
    expect(report.assessmentFailures.map((failure) => failure.target).sort()).toEqual(['found-1', 'found-2']);
    expect(report.reason).toBe(
      '5 targets: 3 completed, 1 failed, 1 held by another sweep\'s lock (bad-1: the target answered 500: {"error":"bad-1"}); 2 assessment failures',
    );
    expect(results.map((row) => [row.target, row.outcome, row.assessment, row.assessmentFailureCount])).toEqual([
      ['a', 'completed', 'passed', 0],
      ['bad-1', 'automation_error', 'none', 0],
      ['found-1', 'completed', 'failed', 1],
      ['found-2', 'completed', 'failed', 1],
      ['locked-1', 'lock_skipped', 'none', 0],
    ]);
  });

  it('the heartbeat says how far it is, and stays small', async () => {
    target.answer = async (_, response) => {
      await sleep(5);
      sendJson(response, healthy);
    };
    const { report, heartbeats } = start(define(`{ targets: [${nameTargets(200).join(', ')}], concurrency: 2 }`));
    await report;
    const sizes = heartbeats.map((beat) => JSON.stringify(beat).length);
    expect(Math.max(...sizes)).toBeLessThan(30_000);
    expect(heartbeats.length).toBeGreaterThan(3);
    expect(heartbeats.at(-1)).toMatchObject({ progress: expect.stringMatching(/^\d+ of 200 targets$/) as string });
  });
});

describe('what the whole comes to', () => {
  it.for([
    ['every target failed', '{ targets: [bad-1, bad-2] }', 'automation_error', /^2 targets: 2 failed \(bad-1: /],
    ['one did not', '{ targets: [bad-1, a] }', 'completed', /^2 targets: 1 completed, 1 failed/],
    ['all are locked', '{ targets: [locked-1, locked-2] }', 'lock_skipped', /^2 targets: 2 held by/],
    ['none is left to ask but locked ones', '{ targets: [bad-1, locked-1] }', 'automation_error', /1 failed, 1 held/],
    [
      'fail_when holds',
      '{ targets: [bad-1, a, b], fail_when: failed * 3 >= total }',
      'automation_error',
      /^`fail_when: failed \* 3 >= total` holds; 3 targets: 2 completed, 1 failed/,
    ],
    ['fail_when does not', '{ targets: [bad-1, bad-2], fail_when: failed > 2 }', 'completed', /^2 targets: 2 failed/],
    [
      'fail_when cannot be applied',
      '{ targets: [a], fail_when: 1 / failed == 1 }',
      'automation_error',
      /^each\.fail_when could not be applied: /,
    ],
  ] as const)('%s: %s', async ([, each, outcome, reason]) => {
    target.answer = answerByName;
    const { report } = await sweep(define(each));
    expect(report).toMatchObject({ outcome, exitCode: outcome === 'automation_error' ? 1 : 0 });
    expect(report.reason).toMatch(reason);
  });
});

describe('the budget', () => {
  it('begins no target after it, and lists those that it did not reach', async () => {
    target.answer = async (_, response) => {
      await sleep(300);
      sendJson(response, healthy);
    };
    const each = `{ targets: [${nameTargets(40).join(', ')}], concurrency: 4 }`;
    const { report, results } = await sweep(define(each, { budget: '{ max_seconds: 1, hard_timeout: 5s }' }));
    const { completed = 0, notReached = 0 } = report.targets ?? {};
    expect(report).toMatchObject({ outcome: 'timed_out', exitCode: 1 });
    expect(completed).toBe(target.calls.length);
    expect(completed + notReached).toBe(40);
    expect(report.reason).toMatch(
      new RegExp(`^the budget of 1 s did not reach ${notReached} of 40 targets \\(t${completed}, t${completed + 1}, `),
    );
    expect(Date.parse(report.finishedAt) - Date.parse(report.startedAt)).toBeLessThan(2_000 + slackMs / 2);
    expect(results).toHaveLength(40);
    expect(results.filter(({ outcome }) => outcome === 'not_reached')).toHaveLength(notReached);
    expect(results.at(-1)).toMatchObject({ attempt: 0, reason: 'the budget of 1 s ended before its turn came' });
  });

  it('hanging targets are aborted by the hard timeout within a second, and their sockets are closed', async () => {
    target.answer = () => {};
    const order = define('{ targets: [a, b, c], concurrency: 2 }', { budget: '{ max_seconds: 1, hard_timeout: 2s }' });
    const { report, results } = await sweep(order);
    expect(report).toMatchObject({ outcome: 'timed_out', targets: { failed: 2, notReached: 1 } });
    const tookMs = Date.parse(report.finishedAt) - Date.parse(report.startedAt);
    expect(tookMs).toBeGreaterThanOrEqual(1_990);
    expect(tookMs).toBeLessThan(3_000 + slackMs);
    await expect.poll(() => target.calls.filter(({ abortedAt }) => abortedAt !== undefined).length).toBe(2);
    expect(results.map(({ outcome }) => outcome)).toEqual(['timed_out', 'timed_out', 'not_reached']);
  });

  it('a target that takes more than its share is aborted, and the others go on', async () => {
    target.answer = (call, response) => {
      if (call.path !== '/at/slow') sendJson(response, healthy);
    };
    const { report, results } = await sweep(define('{ targets: [slow, a, b], concurrency: 1, per_target_seconds: 1 }'));
    expect(report).toMatchObject({ outcome: 'completed', targets: { completed: 2, failed: 1 } });
    expect(results[0]).toMatchObject({ outcome: 'timed_out' });
    expect(results[0]?.reason).toBe('it had not ended after 1 s, the most that one target may take');
  });

  it('thousands of targets that are not reached all have their row', async () => {
    target.answer = () => {};
    const each = `{ targets: [${nameTargets(5_000).join(', ')}], concurrency: 3 }`;
    const { report, results } = await sweep(define(each, { budget: '{ max_seconds: 1, hard_timeout: 1s }' }));
    expect(report.targets).toMatchObject({ total: 5_000, failed: 3, notReached: 4_997 });
    expect(report.detailsDropped).toBeUndefined();
    expect(results).toHaveLength(5_000);
  });
});

describe('a list that a first request gives', () => {
  const listed = (rest = '') => `{ request: { method: GET, url: "\${TARGET_URL}/list" }, targets: body.items${rest} }`;
  const serve = (items: unknown, status = 200) => {
    target.answer = (call, response) => {
      if (call.path === '/list') sendJson(response, { items }, status);
      else sendJson(response, healthy);
    };
  };
  const mapped = (each: string) => {
    const sweepKey = fanOut(each).sweep ?? '';
    return define(each, { sweep: sweepKey.replace('${target}', '${target.name}') });
  };

  it('texts and maps are targets', async () => {
    serve(['a', 'b/c']);
    expect((await sweep(define(listed()))).report).toMatchObject({ outcome: 'completed', targets: { completed: 2 } });
    expect(target.calls.map(({ path }) => path)).toEqual(['/list', '/at/a', '/at/b%2Fc']);
    serve([{ name: 'x' }, { name: 7 }]);
    const { results } = await sweep(mapped(listed()));
    expect(results.map((row) => row.target)).toEqual(['x', '7']);
  });

  it('ten thousand targets are taken, and their heartbeats stay below 100 KB', async () => {
    serve(nameTargets(10_000));
    const each = listed(', concurrency: 50');
    const { report, heartbeats } = start(define(each, { budget: '{ max_seconds: 2, hard_timeout: 4s }' }));
    const { targets } = await report;
    expect(targets?.total).toBe(10_000);
    expect(targets?.completed).toBeGreaterThan(100);
    expect(Math.max(...heartbeats.map((beat) => JSON.stringify(beat).length))).toBeLessThan(100_000);
  });

  it('an empty list is a job that is done', async () => {
    serve([]);
    const { report } = await sweep(define(listed()));
    expect(report).toMatchObject({ outcome: 'completed', targets: { total: 0 } });
    expect(report.reason).toBe('the list of targets is empty: there was nothing to do');
  });

  it.for([
    ['not a list', 'none', 'each.targets gave "none", not a list'],
    [
      'not there',
      undefined,
      /^the list of targets could not be read: the rule each\.targets could not be applied: there is no key `items`/,
    ],
    [
      'named twice',
      ['a', 'b', 'a'],
      'the list names `a` twice (items 0 and 2); each target must have a name of its own',
    ],
    [
      'without a name',
      [{ name: 'a' }, { title: 'b' }],
      /^target 1 is \{"title":"b"\}; expected text, or a map with a text or a number at `name`/,
    ],
    ['null', [null], /^target 0 is null; expected text/],
    ['100,000 targets', nameTargets(100_000), 'the list has 100000 targets; one sweep takes at most 10000'],
  ] as const)('%s is an automation error that says so, and nothing is asked', async ([, items, reason]) => {
    serve(items);
    const { report, results } = await sweep(define(listed()));
    expect(report).toMatchObject({ outcome: 'automation_error', exitCode: 1, recorded: true });
    expect(report.reason).toMatch(reason);
    expect(target.calls).toHaveLength(1);
    expect(results).toEqual([]);
  });

  it('a list that cannot be had is an automation error that quotes the answer', async () => {
    serve('down', 503);
    const { report } = await sweep(define(listed()));
    expect(report.outcome).toBe('automation_error');
    expect(report.reason).toBe('the list of targets could not be read: the target answered 503: {"items":"down"}');
  });
});

describe('a second worker', () => {
  interface Beat {
    checkpoint: { fanOut: { total: number; recent: unknown[] } };
    targets: { completed: number };
  }

  /** Lets a first worker be lost in the middle, and gives what a second one would get. */
  async function lose(order: Order, firing: Firing, after: number): Promise<Beat> {
    target.answer = (_, response) => {
      if (target.calls.length <= after) sendJson(response, healthy);
    };
    const { report, heartbeats, cancel } = start(order, firing);
    await expect.poll(() => target.calls.length).toBe(after + 1);
    await expect.poll(() => (heartbeats.at(-1) as Beat).targets.completed).toBe(after);
    const left = heartbeats.at(-1) as Beat;
    cancel('WORKER_SHUTDOWN');
    await expect(report).rejects.toMatchObject({ type: 'HandOverError', nonRetryable: false });
    target.calls.length = 0;
    target.answer = (_, response) => sendJson(response, healthy);
    return left;
  }

  const resume = (order: Order, firing: Firing, heartbeatDetails: unknown) =>
    conduct(makeActivities(history, target.url), order, firing, { attempt: 2, heartbeatDetails }).report;

  it('asks only what is left, and its report counts from the first', async () => {
    const [order, firing] = [define('{ targets: [a, b, c, d], concurrency: 1 }'), fire()];
    const left = await lose(order, firing, 2);
    const report = await resume(order, firing, left);
    expect(target.calls.map(({ path }) => path)).toEqual(['/at/c', '/at/d']);
    expect(report).toMatchObject({ outcome: 'completed', attempt: 2, assessment: 'passed', targets: { completed: 4 } });
    expect(await readResults(history.pool, report.runId, firing.scheduledAt)).toHaveLength(4);
  });

  it('believes the history where no heartbeat arrived, and the heartbeat where the history has nothing', async () => {
    const [order, firing] = [define('{ targets: [a, b, c], concurrency: 1 }'), fire()];
    const left = await lose(order, firing, 2);
    const byHistory = await resume(order, firing, undefined);
    expect(target.calls.map(({ path }) => path)).toEqual(['/at/c']);
    expect(byHistory.targets).toEqual(tally({ total: 3, completed: 3 }));

    await history.pool.query('DELETE FROM actcore.results WHERE run_id = $1', [byHistory.runId]);
    left.checkpoint.fanOut.recent.splice(0, 1);
    target.calls.length = 0;
    const byHeartbeat = await resume(order, firing, left);
    expect(target.calls.map(({ path }) => path)).toEqual(['/at/c']);
    expect(byHeartbeat.targets).toEqual(tally({ total: 3, completed: 3 }));
    const rows = await readResults(history.pool, byHeartbeat.runId, firing.scheduledAt);
    expect(rows.map((row) => [row.target, row.outcome])).toEqual([
      ['a', 'completed'],
      ['b', 'completed'],
      ['c', 'completed'],
    ]);
    expect(rows[0]?.reason).toBe('it ended, and what it said was lost with the worker that asked it');
  });

  it('that the server does not wait for any more asks nothing and writes no row', async () => {
    const [order, firing] = [define('{ targets: [a, b, c], concurrency: 1 }'), fire()];
    const left = await lose(order, firing, 1);
    const info = { attempt: 2, heartbeatDetails: left };
    const report = await conduct(makeActivities(history, target.url), order, firing, info, 3).report;
    expect(target.calls).toEqual([]);
    expect(report).toMatchObject({ certainty: 'inferred', recorded: false });
    expect(await findRun(history.pool, report.runId)).toMatchObject({ certainty: 'running' });
  });

  it('keeps the end of the budget that the first began', async () => {
    const order = define('{ targets: [a, b], concurrency: 1 }', { budget: '{ max_seconds: 1, hard_timeout: 2s }' });
    const firing = fire();
    const left = await lose(order, firing, 1);
    await sleep(1_100);
    const report = await resume(order, firing, left);
    expect(target.calls).toEqual([]);
    expect(report).toMatchObject({ outcome: 'timed_out', targets: { completed: 1, notReached: 1 } });
  });

  it('asks no target twice when the list it gets is another one by now', async () => {
    const each = '{ request: { method: GET, url: "${TARGET_URL}/list" }, targets: body.items, concurrency: 1 }';
    const [order, firing] = [define(each), fire()];
    const done = new Set<string>();
    const items = ['a', 'b', 'c', 'd'];
    const answer: Target['answer'] = (call, response) => {
      if (call.path === '/list') return sendJson(response, { items: items.filter((item) => !done.has(item)) });
      const name = call.path.slice('/at/'.length);
      if (name === 'c' && !done.has('stop')) return;
      done.add(name);
      sendJson(response, healthy);
    };
    target.answer = answer;
    const first = start(order, firing);
    await expect.poll(() => target.calls.at(-1)?.path).toBe('/at/c');
    await expect.poll(() => (first.heartbeats.at(-1) as Beat).targets?.completed).toBe(2);
    const left = first.heartbeats.at(-1) as { checkpoint: { fanOut: { list?: string } } };
    first.cancel('WORKER_SHUTDOWN');
    await expect(first.report).rejects.toMatchObject({ type: 'HandOverError' });
    done.add('stop');
    target.calls.length = 0;
    delete left.checkpoint.fanOut.list;
    const report = await resume(order, firing, left);
    expect(target.calls.map(({ path }) => path)).toEqual(['/list', '/at/c', '/at/d']);
    expect(report.targets).toEqual(tally({ total: 4, completed: 4 }));
    const rows = await readResults(history.pool, report.runId, firing.scheduledAt);
    expect(rows.map((row) => row.target)).toEqual(['a', 'b', 'c', 'd']);
  });
});

it('cancelling aborts what is under way and says what became of the rest', async () => {
  target.answer = (call, response) => {
    if (call.path === '/at/a') sendJson(response, healthy);
  };
  const firing = fire();
  const { report, cancel } = start(define('{ targets: [a, b, c], concurrency: 1 }'), firing);
  await expect.poll(() => target.calls.length).toBe(2);
  cancel();
  const ended = await report;
  expect(ended).toMatchObject({
    outcome: 'cancelled',
    exitCode: 0,
    targets: { completed: 1, failed: 1, notReached: 1 },
  });
  const rows = await readResults(history.pool, ended.runId, firing.scheduledAt);
  expect(rows.map(({ reason }) => reason)).toEqual([
    'the target answered 200',
    'someone cancelled the run while it was asked; whether it finished is unknown',
    'someone cancelled the run before its turn came',
  ]);
});
