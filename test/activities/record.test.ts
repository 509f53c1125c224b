import { randomUUID } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fitReport, longestReason, summarizeReport } from '../../activities/report-size.ts';
import { findRun } from '../../history/queries.ts';
import type { InferredEnd, RunReport } from '../../workflows/contract.ts';
import { makeOrder, makeReport, makeTick, openTestHistory } from '../history/support/history.ts';
import type { TestHistory } from '../history/support/history.ts';
import { defineSweep } from '../support/definitions.ts';
import { healthy, sendJson, startTarget } from '../support/target.ts';
import { conduct, makeActivities } from './support/conduct.ts';

/** What the server refuses is a payload over 2 MiB; half of it leaves room for the order beside it. */
const payloadLimitBytes = 1_048_576;

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

function fire() {
  return makeTick({ trigger: 'canary', actor: 'tester', workflowRunId: randomUUID() });
}

function record(firing: ReturnType<typeof fire>, end: InferredEnd, order = makeOrder()): Promise<RunReport> {
  const { recordOutcome } = makeActivities(history, 'http://unused', () => new Date('2026-03-01T00:20:00Z'));
  return new MockActivityEnvironment().run(recordOutcome, order, firing, end, '2026-03-01T00:19:00Z');
}

function weigh(report: RunReport): number {
  return defaultPayloadConverter.toPayload(report)?.data?.length ?? 0;
}

describe('the end of a run that could not report itself', () => {
  it.for<[InferredEnd, Partial<RunReport>]>([
    [
      { kind: 'worker_lost', message: 'm' },
      { outcome: 'automation_error', exitCode: 1, certainty: 'inferred' },
    ],
    [
      { kind: 'timed_out', message: 'm' },
      { outcome: 'timed_out', exitCode: 1, certainty: 'inferred' },
    ],
    [
      { kind: 'cancelled', message: 'm' },
      { outcome: 'cancelled', exitCode: 0, certainty: 'inferred' },
    ],
    [
      { kind: 'activity_failed', message: 'm' },
      { outcome: 'automation_error', exitCode: 1, certainty: 'inferred' },
    ],
    [{ kind: 'misfire' }, { outcome: 'misfire_skipped', exitCode: 0, certainty: 'witnessed', latenessMs: 240_000 }],
  ])('%j is recorded as such', async ([end, expected]) => {
    const report = await record(fire(), end);
    expect(report).toMatchObject({ ...expected, assessment: 'none', recorded: true });
    const { outcome, exitCode, certainty, reason } = report;
    expect(await findRun(history.pool, report.runId)).toMatchObject({ outcome, exitCode, certainty, reason });
  });

  it('a report that the activity could not write is written as it was', async () => {
    const failures = [{ target: 'a', rule: 'C-01', message: 'm' }];
    const report = makeReport({
      trigger: 'canary',
      assessmentFailures: failures,
      response: { status: 200, json: '{"n":9007199254740993}' },
    });
    const written = await record(fire(), { kind: 'unrecorded', report });
    const { response: _, ...rest } = report;
    expect(written).toEqual({ ...rest, recorded: true });
  });

  it('what the run itself reported stays, whatever is inferred later, and is what the workflow gets', async () => {
    const [firing, order] = [fire(), makeOrder()];
    const report = makeReport({ trigger: 'canary', outcome: 'lock_skipped', reason: 'it said so' });
    await record(firing, { kind: 'unrecorded', report }, order);
    expect(await record(firing, { kind: 'worker_lost', message: 'm' }, order)).toMatchObject({
      ...{ outcome: 'lock_skipped', reason: 'it said so', certainty: 'witnessed' },
    });
  });

  it('a message with NUL or without end does not keep the row from being written', async () => {
    const report = await record(fire(), { kind: 'activity_failed', message: `\0\uD800${'x'.repeat(100_000)}` });
    const row = await findRun(history.pool, report.runId);
    expect(row?.reason).toMatch(/^the worker could not run it: \uFFFD\uFFFDx+…$/);
    expect(row?.reason.length).toBe(longestReason);
  });
});

describe('a report fits through Temporal', () => {
  const failures = (count: number, message: string) =>
    Array.from({ length: count }, (_, index) => ({ target: `t${index}`, rule: 'C-01', message }));

  it('a report of ordinary size is left as it is', () => {
    const report = makeReport({ assessmentFailures: failures(500, 'm'), response: { status: 200, json: '{}' } });
    expect(fitReport(report)).toEqual(report);
  });

  it('of a big one the response goes first', () => {
    const report = makeReport({
      assessmentFailures: failures(500, 'm'),
      response: { status: 200, json: `"${'漢'.repeat(500_000)}"` },
    });
    const { response: _, ...rest } = report;
    expect(fitReport(report)).toEqual(rest);
  });

  it.for<[string, RunReport]>([
    ['many failures', makeReport({ assessmentFailures: failures(20_000, 'a message of some length') })],
    ['failures in Chinese', makeReport({ assessmentFailures: failures(2_000, '漢'.repeat(1_000)) })],
    ['a few huge failures', makeReport({ assessmentFailures: failures(5, 'x'.repeat(1_000_000)) })],
    ['failures of signs that JSON escapes', makeReport({ assessmentFailures: failures(200, '\u0001'.repeat(10_000)) })],
  ])('%s: cut to the limit, and the count stays', ([, report]) => {
    for (const fitted of [fitReport(report), summarizeReport(report)]) {
      expect(weigh(fitted)).toBeLessThan(payloadLimitBytes);
      expect(fitted.assessmentFailures.length).toBeGreaterThan(0);
      expect(fitted.assessmentFailureCount).toBe(report.assessmentFailureCount);
    }
  });

  it(
    'a rule that multiplies the response gives a small result, and a row that has it all',
    { timeout: 60_000 },
    async () => {
      const target = await startTarget();
      const big = 'x'.repeat(20_000);
      target.answer = (_, response) =>
        sendJson(response, { ...healthy, big, items: [...Array(150).keys()].map(String) });
      const sweep = `
  request: { method: POST, url: "\${TARGET_URL}/x" }
  outcome:
    assessment_failures: 'body.items.map(i, {"target": i, "rule": "C-01", "message": body.big})'`;
      const { order } = defineSweep(`test.big-${randomUUID().slice(0, 8)}`, { sweep, secrets: '' });
      const report = await conduct(makeActivities(history, target.url), order, fire()).report;
      await target.close();
      expect(report).toMatchObject({ outcome: 'completed', recorded: true, assessmentFailureCount: 150 });
      expect(weigh(report)).toBeLessThan(payloadLimitBytes);
      const row = await findRun(history.pool, report.runId);
      expect(row?.assessmentFailures).toHaveLength(150);
      expect(row?.assessmentFailures[149]?.target).toBe('149');
      expect(row?.assessmentFailures[149]?.message === big).toBe(true);
    },
  );
});
