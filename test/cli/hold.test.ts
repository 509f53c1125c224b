import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compilePaths } from '../../cli/definition-files.ts';
import { findHeld } from '../../cli/hold.ts';
import { listJournal } from '../../history/journal.ts';
import { disabledNote } from '../../schedules/desired.ts';
import { observeSchedule } from '../../schedules/observe.ts';
import { writeDefinition } from '../support/definitions.ts';
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
afterAll(async () => {
  await deleteSchedules(runner.client, made);
  await runner.close();
});

/** A folder with one enabled definition of a contract of its own. */
function prepare() {
  const name = randomUUID().slice(0, 8);
  const id = `test.hold-${name}`;
  made.push(id);
  const timeoutMs = 40_000 + Number.parseInt(name.slice(0, 4), 16);
  const textOf = (extraMs = 0) =>
    writeDefinition(id, { budget: `{ max_seconds: 30, hard_timeout: ${timeoutMs + extraMs}ms }` });
  const folder = writeFolder({ 'a.md': textOf() });
  return {
    id,
    folder,
    changeContract: () => writeFileSync(join(folder, 'a.md'), textOf(1)),
    run: (...args: string[]) => runActcore(args, { env: envOf(runner) }),
  };
}

it('what no canary vouches for is made and held; its canary is fired without the file, and the next apply lets it go', async () => {
  const { id, folder, run } = prepare();
  const held = await run('apply', '--hold', folder);
  expect(held).toMatchObject({ exitCode: 0, stderr: '' });
  expect(held.stdout).toMatch(
    new RegExp(
      `^\\+ create ${id} \\(paused\\)\\n {4}held until a canary of this contract \\(\\w{12}\\) has completed: actcore canary --applied ${id}, then apply again\\n1 created$`,
    ),
  );
  expect(await observeSchedule(runner.client, id)).toMatchObject({ paused: true, note: disabledNote });
  // Nothing was waived.
  const events = await listJournal(runner.history, { entityId: id, limit: 20 });
  expect(events.map(({ field }) => field)).not.toContain('canary');

  expect(await run('canary', '--applied', id)).toMatchObject({ exitCode: 0 });
  expect(await run('apply', '--hold', folder)).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/1 resumed$/),
  });
  expect(await observeSchedule(runner.client, id)).toMatchObject({ paused: false });
}, 90_000);

it('what runs by a contract that a canary vouched for goes on, and the new contract is refused', async () => {
  const { id, folder, changeContract, run } = prepare();
  await vouchFor(runner.history, folder);
  expect(await run('apply', '--hold', folder)).toMatchObject({ exitCode: 0 });
  const before = await observeSchedule(runner.client, id);
  changeContract();
  const ended = await run('apply', '--hold', folder);
  expect(ended.exitCode).toBe(1);
  expect(ended.stdout).toContain(`! refused ${id}`);
  expect(await observeSchedule(runner.client, id)).toMatchObject({ paused: false, digest: before?.digest });
}, 60_000);

it('checks that act and of which nothing is known ask for the run that only looks first', async () => {
  const { id, folder } = prepare();
  const { definitions } = await compilePaths([folder]);
  const gate = { uncanaried: definitions, unproven: new Map([[id, []]]), retired: new Map() };
  const held = await findHeld(runner.client, definitions, gate);
  expect(held.get(id)).toContain(`actcore canary --applied ${id} --dry-run, then actcore canary --applied ${id}, then`);
});
