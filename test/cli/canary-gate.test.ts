import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { listJournal } from '../../history/journal.ts';
import { observeSchedule } from '../../schedules/observe.ts';
import { writeDefinition } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { envOf, runActcore, writeFolder } from './support/actcore.ts';
import { vouchFor } from './support/canaried.ts';
import { deleteSchedules } from './support/made-schedules.ts';

let runner: Runner;
const made: string[] = [];

beforeAll(async () => {
  runner = await startRunner();
  await runner.startWorker();
});
// What one leaves is an orphan to the next.
afterEach(() => deleteSchedules(runner.client, made.splice(0)));
afterAll(() => runner.close());

/** A folder with one enabled definition of a contract of its own. */
function prepare() {
  const name = randomUUID().slice(0, 8);
  const id = `test.gate-${name}`;
  made.push(id);
  // Seconds of a timeout, so that no other definition has the same contract.
  const timeout = `${40_000 + Number.parseInt(name.slice(0, 4), 16)}ms`;
  const textOf = (changes: Frontmatter = {}) =>
    writeDefinition(id, { budget: `{ max_seconds: 30, hard_timeout: ${timeout} }`, ...changes });
  const folder = writeFolder({ 'a.md': textOf() });
  return {
    id,
    folder,
    write: (changes: Frontmatter) => writeFileSync(join(folder, 'a.md'), textOf(changes)),
    run: (...args: string[]) => runActcore(args, { env: envOf(runner) }),
  };
}

it('plan announces and apply refuses what is enabled without a canary; the command they name opens the gate', async () => {
  const { id, folder, run } = prepare();
  for (const command of ['plan', 'apply']) {
    const ended = await run(command, folder);
    expect(ended).toMatchObject({ exitCode: 1, stderr: '' });
    expect(ended.stdout).toMatch(
      new RegExp(
        `^! refused ${id}\\n {4}enabled: true needs a completed canary of this contract \\(\\w{12}\\): actcore canary \\S+/a.md\\n1 refused$`,
      ),
    );
  }
  expect(await observeSchedule(runner.client, id)).toBeUndefined();
  const named = /actcore (canary \S+)/.exec((await run('apply', folder)).stdout)?.[1] ?? '';
  expect(await run(...named.split(' '))).toMatchObject({ exitCode: 0 });
  const admitted = await run('plan', folder);
  expect(admitted.exitCode).toBe(2);
  expect(admitted.stdout).toMatch(new RegExp(`^\\+ create ${id}\n.*\n1 to create$`));
  expect(await run('apply', folder)).toMatchObject({ exitCode: 0, stdout: `+ create ${id}\n1 created` });
  const { stdout } = await run('list', '--json');
  const listed = (JSON.parse(stdout) as { schedules: { id: string; lastRun: unknown }[] }).schedules;
  expect(listed.find((schedule) => schedule.id === id)).toMatchObject({ lastRun: null });
}, 60_000);

it('a canary that did not complete opens nothing', async () => {
  const { folder, run } = prepare();
  await vouchFor(runner.history, folder, 'automation_error');
  expect(await run('apply', folder)).toMatchObject({ exitCode: 1 });
});

it('one that is refused does not keep the others from being applied', async () => {
  const [gated, free] = [prepare(), prepare()];
  free.write({ enabled: 'false' });
  const ended = await gated.run('apply', gated.folder, free.folder);
  expect(ended.exitCode).toBe(1);
  expect(ended.stdout).toContain(`+ create ${free.id}`);
  expect(ended.stdout).toContain('1 created, 1 refused');
  expect(await observeSchedule(runner.client, gated.id)).toBeUndefined();
});

it('what is enabled on the server under the same contract needs no canary; a new contract does', async () => {
  const { id, folder, write, run } = prepare();
  const waived = await run('apply', folder, '--allow-uncanaried', '--reason', 'target is down until Monday');
  expect(waived).toMatchObject({ exitCode: 0, stdout: `+ create ${id}\n1 created` });
  const events = await listJournal(runner.history, { entityId: id, limit: 9 });
  expect(events.find(({ field }) => field === 'canary')).toMatchObject({
    ...{ actor: 'tester', source: 'apply', action: 'update' },
    newValue: { waived: 'target is down until Monday' },
  });
  write({ title: 'Another title, the same contract' });
  expect(await run('plan', folder)).toMatchObject({ exitCode: 2 });
  expect(await run('apply', folder)).toMatchObject({ exitCode: 0 });
  write({ misfire_grace: '90s' });
  expect((await run('apply', folder)).stdout).toContain('! refused');
  write({ enabled: 'false' });
  expect(await run('apply', folder)).toMatchObject({ exitCode: 0 });
  write({ enabled: 'true' });
  expect((await run('apply', folder)).stdout).toContain('! refused');
}, 90_000);

it.each([
  [['--allow-uncanaried'], /--allow-uncanaried needs a reason/],
  [['--allow-uncanaried', '--reason', ' '], /--allow-uncanaried needs a reason/],
  [['--allow-unproven'], /--allow-unproven needs a reason/],
  [['--reason', 'x'], /--reason is for --allow-uncanaried/],
])('apply %j is refused', async (options, says) => {
  const ended = await runActcore(['apply', ...options]);
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toMatch(says);
});
