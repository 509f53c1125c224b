import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deriveUuid } from '../../compiler/definition.ts';
import { compileFiles, prepareCompiler } from '../../compiler/compile-files.ts';
import { scaffoldDefinition } from '../../compiler/scaffold.ts';
import { createLedger } from '../../history/ledger.ts';
import { runIdOf } from '../../history/run-id.ts';
import { createWatchLedger } from '../../history/watch-ledger.ts';
import type { CheckObservation, WatchRun } from '../../history/watch-ledger.ts';
import type { ActionRecord, CheckMode } from '../../workflows/contract.ts';
import { makeOrder, makeReport, makeTick, openTestHistory } from '../history/support/history.ts';
import type { TestHistory } from '../history/support/history.ts';
import { followUp, makeAction, makeCheckReport, makeObservation, makeRun } from '../history/support/watch.ts';
import { readActcore, runActcore, writeFolder } from './support/actcore.ts';

let history: TestHistory;
let env: Record<string, string>;

beforeAll(async () => {
  history = await openTestHistory();
  env = { ACTCORE_DATABASE_URL: history.url };
});

afterAll(() => history.close());

async function show(...args: string[]): Promise<string> {
  const ended = await runActcore(args, { env });
  expect(ended).toMatchObject({ exitCode: 0, stderr: '' });
  return ended.stdout;
}

/** Tells of a run that did this about its findings. */
async function tell(run: WatchRun, observation: CheckObservation, actions: ActionRecord[] = []): Promise<void> {
  const ledger = createWatchLedger(history.pool);
  const id = randomUUID();
  await ledger.prepare({ id, run, systemIdentifier: '7', xid: '9', actions });
  await ledger.settle(id, 'committed');
  await ledger.observe(run, [observation]);
}

it('findings lists what is open and quarantined, show tells of one, and retry releases with a signature', async () => {
  const definitionId = `test.found-${randomUUID().slice(0, 8)}`;
  const first = makeRun(0, { definitionId });
  const second = followUp(first);
  const failing = { outcome: 'failed', error: 'no\u001b[31m' } as const;
  const seen = (keys: string[]) =>
    makeObservation([...keys, { key: '["a",  12345678901234567890]', ...failing }], { quarantineAfter: 2 });
  await tell(first, seen(['[1]', '[2]']), [makeAction('["a",  12345678901234567890]', failing)]);
  await tell(second, seen(['[2]']));
  const { document } = await readActcore<{ findings: { key: string; state: string }[] }>(['findings', definitionId], {
    env,
  });
  expect(new Set(document.findings.map(({ key, state }) => `${key} ${state}`))).toEqual(
    new Set(['["a",  12345678901234567890] quarantined', '[2] open']),
  );
  const listed = await show('findings', definitionId);
  expect(listed).toMatch(
    / stale +\["a", 12345678901234567890\] +quarantined .* 2 +failed \(2 runs failed\): no\uFFFD\[31m$/m,
  );
  const resolved = await show('findings', definitionId, '--state', 'resolved', '--since', '1h');
  expect(resolved).toMatch(/^DEFINITION .*\n.* \[1\] +vanished .*$/);
  expect(await show('findings', definitionId, '--check', 'other')).toBe('no findings');

  const shown = await show('findings', 'show', definitionId, 'stale', '["a",12345678901234567890]');
  expect(shown).toMatch(/^state +quarantined$/m);
  expect(shown).toMatch(/^AT \(UTC\).*\n.* mark as stale +failed /m);
  expect(await show('findings', 'show', definitionId, 'stale', '1')).toMatch(/^key +\[1\]$/m);

  const vague = await runActcore(['findings', 'retry', definitionId, 'stale'], { env });
  expect(vague).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('--all') });
  const released = await readActcore<{ released: { key: string }[] }>(['findings', 'retry', definitionId, '--all'], {
    env,
  });
  expect(released.document.released).toMatchObject([{ state: 'open', failedRuns: 0 }]);
  const again = await runActcore(['findings', 'retry', definitionId, 'stale', '[2]'], { env });
  expect(again).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(`No finding of ${definitionId} stale [2] is quarantined`),
  });
  expect(await show('journal', definitionId)).toMatch(/tester +findings retry .*"quarantined" -> "open"$/m);
});

it('run shows the checks and actions of a watchdog, and --actions each of them whole', async () => {
  const order = makeOrder();
  const firing = makeTick({ trigger: 'canary', scheduledAt: '2026-03-01T01:00:00.000Z', dryRun: true });
  const { id: definitionId, uuid: definitionUuid } = order.definition;
  const runId = runIdOf(definitionUuid, firing);
  const checks = [
    makeCheckReport({ name: 'stale', findings: 22, hasMore: true, cured: 22, tookMs: 12.4 }),
    makeCheckReport({ name: 'lost', mode: 'dry_run', error: 'column "x"\ndoes not exist' }),
  ];
  await createLedger(history.pool).recordEnd(order, firing, makeReport({ checks }));
  const run = makeRun(0, { definitionId, definitionUuid, runId, scheduledAt: firing.scheduledAt });
  const actions = Array.from({ length: 22 }, (_, index) => makeAction(`[${index + 10}]`));
  await tell(run, makeObservation([]), actions);
  const short = await show('run', runId);
  expect(short).toMatch(/^trigger +canary by schedule, as a dry run$/m);
  expect(short).toMatch(
    /^CHECK +MODE +FINDINGS +CURED +TOOK +ERROR\nstale +auto +22\+ +22 +12 ms\nlost +dry_run +0 +0 +2 ms +column "x" does not exist$/m,
  );
  expect(short).toMatch(/ stale +\[10\] +mark as stale +cured +\w{8}$/m);
  expect(short).toMatch(/^and 2 more: --actions$/m);
  const whole = await show('run', runId, '--actions');
  expect(whole).toContain(
    'stale [31] mark as stale (auto): cured\n  before {\n    "id": 1,\n    "amount": 12345678901234567890.10\n  }',
  );
  const { document } = await readActcore<{ checks: unknown; actions: ActionRecord[] }>(['run', runId], { env });
  expect(document.checks).toEqual(checks);
  expect(document.actions[0]).toMatchObject({ after: actions[0]?.after, fate: 'committed', error: null });
}, 60_000);

const dogId = 'test.promoted';
const dogText = scaffoldDefinition('watchdog', { id: dogId, owner: 'tests' }).replace(
  'max_actions: 100',
  'max_actions: 3',
);
const folder = writeFolder({
  'activity-definitions/dog.md': dogText,
  'activity-definitions/broken.md': '---\nid: x\n---\n',
});

/** Tells of runs of the check, one for each list of keys. */
async function rehearse(
  runs: string[][],
  mode: CheckMode = 'dry_run',
  actions: ActionRecord[] = [],
): Promise<WatchRun> {
  const files = [{ file: 'dog.md', text: dogText }];
  await prepareCompiler(files);
  const order = compileFiles(files).definitions[0]?.order;
  const contractHash = order?.kind === 'watchdog' ? order.watchdog.checks[0]?.contractHash : undefined;
  if (contractHash === undefined) throw new Error('the definition has no check');
  const scheduledAt = new Date(Date.now() - 3_600_000).toISOString();
  const definition = { definitionId: dogId, definitionUuid: deriveUuid(dogId), scheduledAt };
  const report = { name: 'stale-rows', mode, contractHash };
  let run = makeRun(0, definition);
  for (const [minute, keys] of runs.entries()) {
    run = followUp(makeRun(0, definition), minute + (mode === 'sim' ? 30 : 0));
    await tell(run, makeObservation(keys, report), minute === 0 ? actions : []);
  }
  return run;
}

async function promote(...args: string[]) {
  return runActcore(['promote', dogId, 'stale-rows', ...args], { env, cwd: folder });
}

it('promote says what auto would have done, and whether that is enough', async () => {
  const unknown = await promote();
  expect(unknown).toMatchObject({ exitCode: 1, stderr: '' });
  expect(unknown.stdout).toMatch(/^not enough to promote.*\n- there is no dry or simulated run of this contract$/m);
  await rehearse([['[1]', '[2]'], ['[2]'], ['[1]', '[2]'], []]);
  const enough = await promote();
  expect(enough).toMatchObject({ exitCode: 0, stderr: '' });
  expect(enough.stdout).toMatch(/^findings +3 of 2 keys, in 3 of the runs: auto would have acted on each once$/m);
  expect(enough.stdout).toMatch(/^most +2 in one run, of max_actions 3$/m);
  expect(enough.stdout).toMatch(
    /^enough to promote: in activity-definitions\/dog\.md set `mode: auto` for stale-rows, then: actcore canary test\.promoted, actcore apply\n- 1 key came back .*\n- 3 of 3 findings went away without a remedy\n- its remedy was never tried/m,
  );
  const sim = { checkName: 'stale-rows', mode: 'sim' } as const;
  await rehearse([['[1]', '[2]', '[3]', '[4]']], 'sim', [
    makeAction('[1]', { ...sim, outcome: 'simulated' }),
    makeAction('[2]', { ...sim, outcome: 'not_cured', error: 'still there' }),
  ]);
  const { document, exitCode } = await readActcore<object>(['promote', dogId, 'stale-rows'], { env, cwd: folder });
  expect({ document, exitCode }).toMatchObject({
    exitCode: 1,
    document: {
      ...{ definition: dogId, check: 'stale-rows', mode: 'dry_run', runs: 5, runsWithFindings: 4, mostFindings: 4 },
      ...{ findings: 7, keys: 4, cameBack: 2, simulated: 1, notCured: 1, failed: 0, isEnough: false, maxActions: 3 },
      objections: [
        '4 findings in one run are more than max_actions (3): nothing would have been done',
        'its remedy did not cure 1 time when it was simulated',
      ],
    },
  });
  expect((await promote('--since', '10m')).exitCode).toBe(1);
}, 60_000);

it('what dry runs have found is evidence also when a run in auto has cured it since', async () => {
  const last = await rehearse([['[1]', '[2]', '[3]']], 'dry_run');
  const before = await readActcore<{ findings: number }>(['promote', dogId, 'stale-rows'], { env, cwd: folder });
  const cured = ['[1]', '[2]', '[3]'].map((key) => ({ key, outcome: 'cured' }) as const);
  await tell(followUp(last, 50), makeObservation(cured, { name: 'stale-rows', contractHash: 'of the remedy' }));
  const after = await readActcore<{ findings: number }>(['promote', dogId, 'stale-rows'], { env, cwd: folder });
  expect(after.document.findings).toBe(before.document.findings);
  expect(before.document.findings).toBeGreaterThanOrEqual(3);
}, 60_000);

it.each([
  [['promote', dogId, 'other'], /has no check other\n {2}There are: stale-rows/],
  [
    ['promote', 'test.nowhere', 'x'],
    /Neither activity-definitions nor the history has a good definition test\.nowhere/,
  ],
  [['findings', 'show', dogId, 'stale-rows', 'nothing'], /The history has no finding nothing of the check stale-rows/],
])('%j is refused', async (args, says) => {
  const ended = await runActcore(args, { env, cwd: folder });
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toMatch(says);
});
