import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RunReport } from '../../workflows/contract.ts';
import { writeDefinition } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { checkout } from '../support/program.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { healthy, sendJson } from '../support/target.ts';
import type { Target } from '../support/target.ts';
import { envOf, readActcore, runActcore, startActcore, writeFolder } from './support/actcore.ts';
import { slackMs } from '../support/slack.ts';

let runner: Runner;

beforeAll(async () => {
  runner = await startRunner();
  await runner.startWorker();
});
afterAll(() => runner.close());
beforeEach(() => {
  runner.target.calls.length = 0;
  runner.target.answer = (_, response) => sendJson(response, healthy);
});

function prepare(changes: Frontmatter = {}) {
  const id = `test.try-${randomUUID().slice(0, 8)}`;
  const cwd = writeFolder({ 'a.md': writeDefinition(id, changes) });
  // No server of ours is named: a trial needs none.
  return { id, options: { cwd, env: runner.environment } };
}

interface Tried {
  runId: string;
  outcome: string;
  exitCode: number;
  recorded: boolean;
  targets?: { names: string[]; tried?: string };
  exchanges: {
    part: string;
    request: { headers: Record<string, string> };
    response?: { status: number; body: string };
  }[];
  rules: { rule: string; asked: string; gave?: unknown; means: string; decides: boolean }[];
  problems: { line: number; column: number; message: string }[];
}

const failure = { target: 'repo-a', rule: 'C-07', message: 'status differs' };

describe('its end is that of a canary of the same file', () => {
  it.for<[claim: string, exitCode: number, answer: Target['answer']]>([
    ['assessment failures', 0, (_, response) => sendJson(response, { ...healthy, assessment_failures: [failure] })],
    ['locked', 0, (_, response) => sendJson(response, { status: 'lock_skipped' }, 409)],
    [
      'an error of the automation',
      1,
      (_, response) => sendJson(response, { ...healthy, automation_error: 'disk full' }),
    ],
    ['a status that is not expected', 1, (_, response) => sendJson(response, { message: 'no' }, 500)],
    ['an answer that no rule fits', 1, (_, response) => sendJson(response, { other: 1 })],
  ])('%s', async ([, exitCode, answer]) => {
    runner.target.answer = answer;
    const { id, options } = prepare();
    const tried = await readActcore<Tried>(['try', 'a.md'], options);
    expect(await runner.runsOf(id)).toEqual([]);
    const env = { ...options.env, ...envOf(runner) };
    const { document } = await readActcore<{ report: RunReport }>(['canary', 'a.md'], { ...options, env });
    expect(tried.exitCode).toBe(exitCode);
    const { outcome, assessment, assessmentFailures, reason } = document.report;
    expect(tried.document).toMatchObject({
      outcome,
      assessment,
      assessmentFailures,
      reason,
      exitCode,
      recorded: false,
    });
  });
});

it('says that the request is really sent, before it is, and shows request, answer, rules and end', async () => {
  runner.target.answer = (_, response) => sendJson(response, { ...healthy, assessment_failures: [failure] });
  const { options } = prepare();
  const { stdout, stderr, exitCode } = await runActcore(['try', 'a.md'], options);
  expect(exitCode).toBe(0);
  expect(stderr.split('\n')[0]).toBe('This REALLY sends the request, from here and now. Nothing is recorded.');
  const [call] = runner.target.calls;
  const { run_id: runId } = JSON.parse(call?.body ?? '') as { run_id: string };
  expect(stderr).toMatch(new RegExp(`as run ${runId}, trigger manual, 40 s at most$`));
  for (const line of [
    `> POST ${runner.target.url}/sweep`,
    '> authorization: Bearer [redacted TARGET_TOKEN]',
    `> idempotency-key: ${runId}`,
    '>   "max_seconds": 30,',
    '<   "status": "completed",',
    '  outcome.lock_skipped         body.status == "lock_skipped"',
    '                               = false: nobody else is at work',
    'outcome     completed (the work was done, and whoever did it said so)',
    'assessment  failed (1)',
    'exit code   0',
    'repo-a  C-07  status differs',
  ]) {
    expect(stdout.split('\n')).toContain(line);
  }
  expect(stdout).toMatch(
    /^< HTTP 200 after \d+ ms \(connect (<1|\d+) ms, first byte (<1|\d+) ms(, body (<1|\d+) ms)?\)$/m,
  );
});

it('a rule that cannot be applied is shown at its place in the file', async () => {
  runner.target.answer = (_, response) => sendJson(response, { state: 'done' });
  const { options } = prepare();
  const { stderr, stdout, exitCode } = await runActcore(['try', 'a.md'], options);
  expect(exitCode).toBe(1);
  const lines = stderr.split('\n');
  const at = lines.findIndex((line) => /^a\.md:\d+:\d+: error: there is no key `status`$/.test(line));
  expect(lines[at + 1]).toMatch(/ \| {5}lock_skipped: body\.status == "lock_skipped"$/);
  expect(lines[at + 1]?.slice(lines[at + 2]?.indexOf('^'))).toBe('status == "lock_skipped"');
  expect(stdout).toContain('= no value: it does not fit the answer, so the run is `automation_error`');
});

it('every variable that is missing is named at its place, and nothing is sent', async () => {
  const { options } = prepare({ env: '[TARGET_URL, REGION]' });
  const { stderr, exitCode } = await runActcore(['try', 'a.md'], {
    ...options,
    env: { TARGET_URL: runner.target.url },
  });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^a\.md:\d+:19: error: this terminal has no REGION$/m);
  expect(stderr).toMatch(/^a\.md:\d+:11: error: this terminal has no TARGET_TOKEN$/m);
  expect(stderr).toMatch(/error: 2 variables are not set\n {2}Nothing was sent\.$/);
  expect(runner.target.calls).toEqual([]);
});

it('a secret is nowhere to be seen, also where the target gives it back', async () => {
  runner.target.answer = ({ headers }, response) => {
    const told = `${headers.authorization} ${Buffer.from(runner.secret).toString('base64')}`;
    response.setHeader('x-echo', told);
    sendJson(response, { ...healthy, told, assessment_failures: [{ ...failure, message: told }] });
  };
  const { options } = prepare();
  for (const args of [
    ['try', 'a.md'],
    ['try', 'a.md', '--json'],
  ]) {
    const { stdout, stderr } = await runActcore(args, options);
    expect(stdout).toContain('[redacted TARGET_TOKEN]');
    expect(stdout + stderr).not.toContain(runner.secret);
    expect(stdout + stderr).not.toContain(Buffer.from(runner.secret).toString('base64'));
  }
});

it('--json is one document: exchanges, rules and end; numbers of the answer stay as they came', async () => {
  runner.target.answer = (_, response) =>
    void response.end('{"status":"done","automation_error":null,"assessment_failures":[],"n":12345678901234567890}');
  const { options } = prepare();
  const { document } = await readActcore<Tried>(['try', 'a.md'], options);
  expect(document).toMatchObject({ outcome: 'completed', exitCode: 0, recorded: false, problems: [] });
  expect(document.exchanges[0]?.response?.body).toContain('12345678901234567890');
  expect(document.rules.map(({ rule, gave }) => [rule, gave])).toEqual([
    ['outcome.lock_skipped', false],
    ['outcome.automation_error', false],
    ['status', undefined],
    ['outcome.assessment_failures', []],
  ]);
});

describe('a sweep over many targets', () => {
  const each = {
    sweep: `
  each: { targets: [north, south] }
  request: { method: POST, url: "\${TARGET_URL}/\${target}" }
  outcome: { assessment_failures: body.assessment_failures }`,
  };

  it('tries one of them, and says so', async () => {
    const { options } = prepare(each);
    const { stdout, stderr } = await runActcore(['try', 'a.md', '--target', 'south'], options);
    expect(runner.target.calls.map(({ path }) => path)).toEqual(['/south']);
    expect(stderr).toContain('Only one of its targets is called.');
    expect(stdout).toMatch(/^target {6}south, one of 2; a run calls and judges all of them$/m);
  });

  it('says what `fail_when` gives where the one that it called is all there is', async () => {
    const judged = (rule: string) =>
      prepare({ sweep: each.sweep.replace('[north, south] }', `[north, south], fail_when: '${rule}' }`) }).options;
    runner.target.answer = (_, response) => sendJson(response, {}, 500);
    const failed = await runActcore(['try', 'a.md'], judged('failed == total'));
    expect(failed.stdout).toMatch(
      /^fail_when {3}holds for this target alone: a run that ends so is `automation_error`$/m,
    );
    const { document } = await readActcore<Tried>(['try', 'a.md'], judged('failed > 1'));
    expect(document).toMatchObject({ targets: { tried: 'north', failWhen: { holds: false } } });
  });

  it('refuses a name that is not in the list, and a --target where there is no list', async () => {
    const unknown = await runActcore(['try', 'a.md', '--target', 'nort'], prepare(each).options);
    expect(unknown).toMatchObject({ exitCode: 1, stdout: '' });
    expect(unknown.stderr).toMatch(/error: there is no target nort\n {2}did you mean `north`\?$/);
    const none = await runActcore(['try', 'a.md', '--target', 'north'], prepare().options);
    expect(none.stderr).toMatch(/has no targets to choose from\n/);
    expect(runner.target.calls).toEqual([]);
  });
});

it('the hard timeout holds, and Ctrl-C ends it with 130 and the connection closed', async () => {
  runner.target.answer = () => {};
  const short = prepare({ budget: '{ max_seconds: 1, hard_timeout: 1s }' });
  const timedOut = await readActcore<Tried>(['try', 'a.md'], short.options);
  expect(timedOut).toMatchObject({ exitCode: 1, document: { outcome: 'timed_out' } });
  expect(timedOut.tookMs).toBeLessThan(5_000 + slackMs);
  const child = startActcore(['try', 'a.md'], prepare().options);
  await eventually(async () => runner.target.calls.length === 2);
  child.kill('SIGINT');
  const { exitCode, stdout } = await child;
  expect(exitCode).toBe(130);
  expect(stdout).toMatch(/^outcome {5}cancelled /m);
  await eventually(async () => runner.target.calls[1]?.abortedAt !== undefined);
});

it('a host that the terminal does not allow is refused, as on a worker', async () => {
  const { options } = prepare();
  const env = { ...options.env, ACTCORE_ALLOWED_HOSTS: 'hub.example.org' };
  const { document } = await readActcore<Tried & { reason: string }>(['try', 'a.md'], { ...options, env });
  expect(document.reason).toContain('ACTCORE_ALLOWED_HOSTS');
  expect(runner.target.calls).toEqual([]);
});

it('a watchdog is refused, and so is a file with a fault', async () => {
  const cwd = writeFolder({ 'bad.md': writeDefinition('test.bad', { budget: '{ max_seconds: 0 }' }) });
  await runActcore(['new', 'watchdog', 'team.rows', '--dir', '.'], { cwd });
  const watchdog = await runActcore(['try', 'team.rows.md'], { cwd });
  expect(watchdog).toMatchObject({ exitCode: 1, stdout: '' });
  expect(watchdog.stderr).toContain('error: team.rows is a watchdog: it has no request that could be tried');
  expect(await runActcore(['try', 'bad.md'], { cwd })).toMatchObject({ exitCode: 1, stdout: '' });
});

it('colours are there where they are asked for, and only there', async () => {
  const { options } = prepare();
  const escape = '\u001b[';
  const coloured = await runActcore(['try', 'a.md'], { ...options, env: { ...options.env, FORCE_COLOR: '1' } });
  expect(coloured.stdout).toContain(escape);
  const plain = await runActcore(['try', 'a.md'], {
    ...options,
    env: { ...options.env, FORCE_COLOR: '1', NO_COLOR: '1' },
  });
  expect(plain.stdout + plain.stderr).not.toContain(escape);
});

/** Without what differs from one run to the next. */
function steady(text: string): string {
  return text
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http://127.0.0.1:8010')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'RUN')
    .replaceAll(/traceparent: .*/g, 'traceparent: TRACE')
    .replaceAll(/date: .*/g, 'date: DATE')
    .replaceAll(/(<1|\d+) ms/g, 'N ms')
    .replaceAll(/, body N ms/g, '');
}

it('what the docs show is what is printed', async () => {
  const docs = readFileSync(join(checkout, 'docs/definitions.md'), 'utf8');
  const [, shown = ''] = /^\$ actcore try hub-sweep\.md\n([^]*?)^```$/m.exec(docs) ?? [];
  runner.target.answer = (_, response) => sendJson(response, { status: 'completed', automation_error: null });
  const cwd = writeFolder({ 'hub-sweep.md': writeDefinition('team.hub-sweep') });
  const { stdout, stderr } = await runActcore(['try', 'hub-sweep.md'], { cwd, env: runner.environment });
  const [first, second, ...problems] = stderr.split('\n');
  const printed = [first, second, stdout, ...problems, ''].join('\n');
  expect(steady(printed)).toBe(steady(shown));
});
