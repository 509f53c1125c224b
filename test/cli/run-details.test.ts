import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDetailWriter } from '../../history/detail-writer.ts';
import type { TargetResult } from '../../history/detail-writer.ts';
import { createLedger } from '../../history/ledger.ts';
import type { RunDetail } from '../../history/queries.ts';
import { runIdOf } from '../../history/run-id.ts';
import type { FailedAttempt, Firing, RunReport } from '../../workflows/contract.ts';
import { makeResult } from '../history/support/details.ts';
import { makeOrder, makeReport, makeTick, openTestHistory } from '../history/support/history.ts';
import type { TestHistory } from '../history/support/history.ts';
import { findClosedPort } from './support/dead-ends.ts';
import { readActcore, runActcore } from './support/actcore.ts';

let history: TestHistory;
let env: Record<string, string>;

beforeAll(async () => {
  history = await openTestHistory();
  const { port } = await findClosedPort();
  env = { ACTCORE_DATABASE_URL: history.url, TEMPORAL_ADDRESS: `127.0.0.1:${port}` };
});

afterAll(() => history.close());

/** Writes a run that ended, with results of its targets; returns the id of its row. */
async function writeRun(changes: Partial<RunReport>, results: Partial<TargetResult>[] = []): Promise<string> {
  const order = makeOrder();
  const firing: Firing = makeTick({ trigger: 'canary', workflowRunId: randomUUID() });
  const runId = runIdOf(order.definition.uuid, firing);
  await createLedger(history.pool).recordEnd(order, firing, makeReport(changes));
  const writer = openDetailWriter(history.pool);
  for (const [ordinal, result] of results.entries()) writer.offer(makeResult(runId, ordinal, result));
  await writer.close();
  return runId;
}

async function show(runId: string, ...options: string[]): Promise<string> {
  const ended = await runActcore(['run', runId, ...options], { env });
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
  return ended.stdout;
}

const tally = { total: 30, completed: 5, failed: 22, lockSkipped: 1, notReached: 2 };
const noTime = { queueMs: 0, connectMs: 0, tlsMs: 0, firstByteMs: 0, bodyMs: 0, retryMs: 0, pollMs: 0 };

it('run shows the stages that took time, with their share as a bar', async () => {
  const runId = await writeRun({ stages: { ...noTime, queueMs: 0.4, firstByteMs: 750, pollMs: 250.3 } });
  expect((await show(runId)).split('\n').slice(-5)).toEqual([
    '',
    'STAGE        MS  SHARE',
    `queue        <1  ${'░'.repeat(24)} 0 %`,
    `first byte  750  ${'█'.repeat(18)}${'░'.repeat(6)} 75 %`,
    `polling     250  ${'█'.repeat(6)}${'░'.repeat(18)} 25 %`,
  ]);
  expect(await show(await writeRun({ stages: { ...noTime, bodyMs: 9 }, targets: tally }))).toMatch(
    /^STAGE +MS +SHARE \(ALL TARGETS TOGETHER\)$/m,
  );
  expect(await show(await writeRun({ stages: noTime }))).not.toContain('STAGE');
  expect(await show(await writeRun({}))).not.toContain('STAGE');
});

it('run shows the attempts that failed, and whether a later one came to the rescue', async () => {
  const attempts: FailedAttempt[] = [
    { attempt: 1, at: '2026-03-01T00:15:01.500Z', error: 'refused\nthe connection', rescued: true },
    { attempt: 2, at: '2026-03-01T00:15:03.500Z', error: 'answered 503', rescued: false },
  ];
  expect((await show(await writeRun({ failedAttempts: attempts }))).split('\n').slice(-4)).toEqual([
    '',
    'ATTEMPT  AT (UTC)             RESCUED  ERROR',
    '1        2026-03-01 00:15:01  yes      refused the connection',
    '2        2026-03-01 00:15:03  no       answered 503',
  ]);
  const ofTargets = attempts.map((attempt, index) => ({ ...attempt, target: `repo-${index}` }));
  expect(await show(await writeRun({ failedAttempts: ofTargets }))).toMatch(/\nTARGET +ATTEMPT .*\nrepo-0 +1 /);
});

const results: Partial<TargetResult>[] = [
  ...Array.from({ length: 5 }, () => ({})),
  ...Array.from({ length: 22 }, () => ({ outcome: 'automation_error', reason: 'answered 500' }) as const),
  { outcome: 'lock_skipped', assessment: 'none', reason: 'at work for someone else' },
  ...Array.from({ length: 2 }, () => ({ outcome: 'not_reached', attempt: 0, reason: 'the budget was over' }) as const),
];

it('run shows how the targets ended and lists those that did not complete, --targets all of them', async () => {
  const failedAttempts = Array.from({ length: 25 }, (_, index) => ({
    ...{ target: `repo-${index}`, attempt: 1, at: '2026-03-01T00:15:01.500Z', error: 'answered 500', rescued: false },
  }));
  const runId = await writeRun({ targets: tally, failedAttempts, detailsDropped: 4 }, results);
  const short = await show(runId);
  expect(short).toMatch(/^targets +5 of 30 completed, 22 failed, 1 lock-skipped, 2 not reached$/m);
  expect(short).toMatch(/^not kept +the results of 4 targets$/m);
  expect(short).toMatch(
    /^TARGET +OUTCOME +ASSESSMENT +ATTEMPT +TOOK +REASON\nrepo-5 +automation_error +passed +1 +1000 ms +answered 500$/m,
  );
  expect(short).not.toContain('lock_skipped');
  expect(short.match(/^and 5 more: --targets$/gm)).toHaveLength(2);
  const whole = await show(runId, '--targets');
  expect(whole).toMatch(/^repo-0 +completed /m);
  expect(whole).toMatch(/^repo-27 +lock_skipped +none .*at work for someone else$/m);
  expect(whole).toMatch(/^repo-29 +not_reached .*the budget was over$/m);
  expect(whole).not.toContain('more: --targets');
});

it('run --json has everything, and runs the tally', async () => {
  const stages = { ...noTime, bodyMs: 5 };
  const runId = await writeRun({ targets: tally, stages, isTooShort: true, detailsDropped: 4 }, results);
  const { document } = await readActcore<RunDetail & { results: TargetResult[] }>(['run', runId], { env });
  expect(document).toMatchObject({
    ...{ targets: tally, stages, isTooShort: true, detailsDropped: 4, failedAttempts: [] },
  });
  expect(document.results).toEqual(results.map((result, ordinal) => makeResult(runId, ordinal, result)));
  const listed = await readActcore<{ runs: RunDetail[] }>(['runs'], { env });
  expect(listed.document.runs.find(({ id }) => id === runId)).toMatchObject({ targets: tally, isTooShort: true });
});

it('runs marks those that were too short, and those of which only a part was done', async () => {
  const plain = await writeRun({});
  const short = await writeRun({ isTooShort: true });
  const partial = await writeRun({ targets: tally });
  const whole = await writeRun({ targets: { ...tally, total: 5, failed: 0, lockSkipped: 0, notReached: 0 } });
  const lines = (await runActcore(['runs'], { env })).stdout.split('\n');
  const outcomeOf = (runId: string) =>
    lines
      .find((line) => line.endsWith(runId.slice(0, 8)))
      ?.split(/ {2,}/)
      .at(4);
  expect([plain, short, partial, whole].map(outcomeOf)).toEqual([
    'completed',
    'completed too short',
    'completed 5/30',
    'completed',
  ]);
  expect(await show(short)).toMatch(/^too short +it completed faster than its definition's min_duration$/m);
});

it('what targets say is shown, and not obeyed', async () => {
  const nasty = 'a\u001b[31m\u0007b\nc\u202e';
  const runId = await writeRun(
    {
      targets: { ...tally, total: 1 },
      failedAttempts: [{ target: nasty, attempt: 1, at: '2026-03-01T00:15:01.500Z', error: nasty, rescued: false }],
    },
    [{ target: nasty, reason: nasty, outcome: 'automation_error' }],
  );
  const shown = await show(runId);
  // oxlint-disable-next-line no-control-regex
  expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(shown).toContain('a\uFFFD[31m\uFFFDb c\uFFFD');
});

it.for([
  ['completed', 0],
  ['automation_error', 1],
] as const)(
  '--follow of a run that has ended shows it at once, with its exit code: %s',
  async ([outcome, exitCode]) => {
    const runId = await writeRun({ outcome, exitCode });
    const ended = await runActcore(['run', runId, '--follow'], { env });
    expect(ended).toMatchObject({ exitCode, stderr: '' });
    expect(ended.stdout).toContain(runId);
    expect((await runActcore(['run', runId], { env })).exitCode).toBe(0);
  },
);

it('--follow is refused for a run that an outside runner drives, and where Temporal does not answer', async () => {
  const order = makeOrder();
  const start = { startedAt: new Date().toISOString(), attempt: 1 };
  const [outside, own] = [makeTick({ source: 'local-timer' }), makeTick()];
  for (const firing of [outside, own]) await createLedger(history.pool).recordStart(order, firing, start);
  const idOf = (firing: Firing) => runIdOf(order.definition.uuid, firing);
  const refused = await runActcore(['run', idOf(outside), '--follow'], { env });
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
  expect(refused.stderr).toBe(
    `error: Run ${idOf(outside)} is driven by local-timer and cannot be followed\n  Ask again later.`,
  );
  const away = await runActcore(['run', idOf(own), '--follow'], { env });
  expect(away).toMatchObject({ exitCode: 3, stdout: '' });
  expect(away.stderr).toMatch(/^error: Temporal does not answer at /);
});
