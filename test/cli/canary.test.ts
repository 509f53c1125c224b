import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { RunReport } from '../../workflows/contract.ts';
import { writeDefinition } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { answerAfter, healthy, sendJson } from '../support/target.ts';
import { vouchFor } from './support/canaried.ts';
import { envOf, readActcore, runActcore, startActcore, writeFolder } from './support/actcore.ts';

let runner: Runner;
const uiUrl = 'http://ui.example:8233';

beforeAll(async () => {
  runner = await startRunner();
  await runner.startWorker();
});
afterAll(() => runner.close());
beforeEach(() => {
  runner.target.answer = (_, response) => sendJson(response, healthy);
});

function prepare(changes: Frontmatter = {}) {
  const id = `test.canary-${randomUUID().slice(0, 8)}`;
  const folder = writeFolder({ 'activity-definitions/a.md': writeDefinition(id, changes) });
  return { id, options: { cwd: folder, env: { ...envOf(runner), ACTCORE_TEMPORAL_UI_URL: uiUrl } } };
}

const failures = [
  { target: 'repo-b', rule: 'C-07', message: 'status differs' },
  { target: 'repo-a', rule: 'C-16', message: 'has uncommitted changes' },
];

it('assessment failures: exit code 0, with outcome, failures by target and rule, row and link', async () => {
  runner.target.answer = (_, response) => sendJson(response, { ...healthy, assessment_failures: failures });
  const { id, options } = prepare();
  const ended = await runActcore(['canary', id], options);
  expect(ended.exitCode).toBe(0);
  const [row] = await runner.runsOf(id);
  expect(row).toMatchObject({ trigger: 'canary', actor: 'tester', outcome: 'completed' });
  expect(ended.stderr).toMatch(
    new RegExp(`^fired ${id}-canary-\\S+\\n {2}${uiUrl}/namespaces/default/workflows/${id}-`),
  );
  expect(ended.stdout.split('\n')).toEqual([
    expect.stringMatching(/^outcome {5}completed in \d+ m?s: \S/),
    'assessment  failed (2)',
    `row         ${row?.id}`,
    '',
    'TARGET  RULE  MESSAGE',
    'repo-a  C-16  has uncommitted changes',
    'repo-b  C-07  status differs',
  ]);
});

it('under --json all of it is one document, and a file is taken without its folder', async () => {
  runner.target.answer = (_, response) => sendJson(response, { ...healthy, assessment_failures: failures });
  const { id, options } = prepare();
  const ended = await readActcore<{ report: RunReport; rowId: string; url: string }>(
    ['canary', 'activity-definitions/a.md'],
    options,
  );
  const [row] = await runner.runsOf(id);
  expect(ended.exitCode).toBe(0);
  expect(ended.document).toMatchObject({
    rowId: row?.id,
    workflowId: row?.workflowId,
    workflowRunId: row?.workflowRunId,
    url: expect.stringContaining(uiUrl),
    report: { runId: row?.id, outcome: 'completed', assessment: 'failed', assessmentFailureCount: 2, recorded: true },
  });
});

it.each(['log_and_continue', 'fail'])(
  'an automation error is exit code 1 and still reported, on_failure: %s',
  async (onFailure) => {
    runner.target.answer = (_, response) => sendJson(response, { ...healthy, automation_error: 'disk full' });
    const { id, options } = prepare({ on_failure: onFailure });
    const ended = await runActcore(['canary', id], options);
    expect(ended.exitCode).toBe(1);
    expect(ended.stdout).toMatch(/^outcome {5}automation_error in .*disk full/);
    expect(ended.stdout).toContain(`row         ${(await runner.runsOf(id))[0]?.id}`);
  },
);

it('a run that exceeds its hard timeout is exit code 1', async () => {
  runner.target.answer = answerAfter(8_000);
  const { id, options } = prepare({ budget: '{ max_seconds: 1, hard_timeout: 2s }' });
  const ended = await runActcore(['canary', id], options);
  expect(ended.exitCode).toBe(1);
  expect(ended.stdout).toMatch(/^outcome {5}timed_out in /);
});

it('--detach does not wait, and names the row that will be', async () => {
  runner.target.answer = answerAfter(2_000);
  const { id, options } = prepare();
  const ended = await readActcore<{ rowId: string }>(['canary', id, '--detach'], options);
  expect(ended.exitCode).toBe(0);
  const done = await eventually(async () => (await runner.runsOf(id)).find(({ outcome }) => outcome === 'completed'));
  expect(done.id).toBe(ended.document.rowId);
});

it('Ctrl-C while following: exit code 130, and the run goes on', async () => {
  runner.target.answer = answerAfter(3_000);
  const { id, options } = prepare();
  const child = startActcore(['canary', id], options);
  await eventually(async () => (await runner.runsOf(id)).length > 0);
  child.kill('SIGINT');
  const { exitCode, stderr, stdout } = await child;
  expect(exitCode).toBe(130);
  expect(stdout).toBe('');
  expect(stderr).toMatch(
    /\nnot followed any more; the run goes on\. Stop it with: temporal workflow cancel -w test\.canary-\S+$/,
  );
  await eventually(async () => (await runner.runsOf(id)).some(({ outcome }) => outcome === 'completed'));
});

it('a canary that somebody cancels is reported from its row', async () => {
  runner.target.answer = answerAfter(20_000);
  const { id, options } = prepare();
  const child = startActcore(['canary', id], options);
  const row = await eventually(async () => (await runner.runsOf(id))[0]);
  await runner.client.workflow.getHandle(row.workflowId).cancel();
  const { exitCode, stdout } = await child;
  expect(stdout).toMatch(/^outcome {5}cancelled in /);
  expect(stdout).toContain(`row         ${row.id}`);
  expect(exitCode).toBe(0);
});

it('without a worker it is refused, and says how to start one', async () => {
  const { id, options } = prepare();
  const env = { ...options.env, ACTCORE_TASK_QUEUE: `idle-${randomUUID()}` };
  const ended = await runActcore(['canary', id], { ...options, env });
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toBe(
    `error: No worker polls the task queue ${env.ACTCORE_TASK_QUEUE}\n  Start one with: actcore worker`,
  );
});

it('an unknown id says which there are', async () => {
  const { id, options } = prepare();
  const ended = await runActcore(['canary', 'test.nothing'], options);
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toBe(`error: No definition in activity-definitions has the id test.nothing\n  There are: ${id}`);
});

it('trigger runs what was applied, is refused while a run is going, and goes with --allow-overlap', async () => {
  const { id, options } = prepare();
  await vouchFor(runner.history, options.cwd);
  expect(await runActcore(['apply'], options)).toMatchObject({ exitCode: 0 });
  try {
    runner.target.answer = answerAfter(6_000);
    const first = await readActcore<{ workflowId: string; rowId: string }>(['trigger', id], options);
    expect(first.exitCode).toBe(0);
    const refused = await runActcore(['trigger', id], options);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toBe(
      `error: A run of ${id} is going: ${first.document.workflowId}\n  Wait for its end, or say --allow-overlap.`,
    );
    runner.target.answer = (_, response) => sendJson(response, healthy);
    const overlapping = await runActcore(['trigger', id, '--allow-overlap', '--follow'], options);
    expect(overlapping.exitCode).toBe(0);
    expect(overlapping.stdout).toMatch(/^outcome {5}completed in /);
    const rows = (await runner.runsOf(id)).filter(({ trigger }) => trigger !== 'canary');
    expect(rows.map(({ trigger, actor }) => `${trigger} ${actor}`)).toEqual(['manual tester', 'manual tester']);
    await eventually(async () => (await runner.runsOf(id)).every(({ outcome }) => outcome === 'completed'));
  } finally {
    await runner.client.schedule.getHandle(id).delete();
  }
}, 60_000);

it('terminal escapes in what a target says are shown, not obeyed', async () => {
  const nasty = 'red \u001b[31mtext\u001b]0;title\u0007 \u009b2J over\nand REPO  C-99  a row that is none \u202egnp';
  runner.target.answer = (_, response) =>
    sendJson(response, { ...healthy, assessment_failures: [{ target: 'r\u001bc', rule: 'X\r', message: nasty }] });
  const { id, options } = prepare();
  const env = { ...options.env, FORCE_COLOR: '1' };
  const { stdout } = await runActcore(['canary', id], { ...options, env });
  // oxlint-disable-next-line no-control-regex
  expect(stdout.replaceAll(/\u001b\[\d+m/g, '')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(stdout).toContain('\uFFFD[31mtext');
  expect(stdout.split('\n')).toHaveLength(6);
  const row = (await runner.runsOf(id))[0];
  const shown = await runActcore(['run', row?.id ?? '', '--response'], options);
  // oxlint-disable-next-line no-control-regex
  expect(shown.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  const json = await runActcore(['run', row?.id ?? '', '--json'], options);
  // oxlint-disable-next-line no-control-regex
  expect(json.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect((JSON.parse(json.stdout) as RunReport).assessmentFailures[0]?.message).toBe(nasty);
});
