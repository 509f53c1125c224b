import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compilePaths } from '../../cli/definition-files.ts';
import { applySchedule } from '../../schedules/apply.ts';
import { compileSchedule } from '../../schedules/desired.ts';
import { observeSchedule } from '../../schedules/observe.ts';
import { scaffoldDefinition } from '../../compiler/scaffold.ts';
import { writeDefinition } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { envOf, readActcore, runActcore, writeFolder } from './support/actcore.ts';
import { deleteSchedules } from './support/made-schedules.ts';

const name = randomUUID().slice(0, 8);
const [id, neighbour, served] = [`test.dog-${name}`, `test.beside-${name}`, `test.served-${name}`];
const folder = writeFolder({
  'dog.md': scaffoldDefinition('watchdog', { id, owner: 'tests' }).replace('enabled: false', 'enabled: true '),
  'beside.md': writeDefinition(neighbour, { enabled: 'false' }),
});
const remark = 'it is a watchdog, and the workers of this version run sweeps only; lint and simulate take it';

let runner: Runner;
beforeAll(async () => {
  runner = await startRunner();
});
afterAll(async () => {
  await deleteSchedules(runner.client, [id, neighbour, served]);
  await runner.close();
});

const run = (...args: string[]) => runActcore(args, { env: envOf(runner) });

it('plan and apply refuse a watchdog by itself and do what is asked of its neighbour', async () => {
  const planned = await run('plan', folder);
  expect(planned).toMatchObject({ exitCode: 1, stderr: '' });
  expect(planned.stdout).toContain(`! refused ${id}\n    ${remark}`);
  expect(planned.stdout).toContain(`+ create ${neighbour}`);
  const applied = await run('apply', folder, '--allow-uncanaried', '--reason', 'it is refused all the same');
  expect(applied).toMatchObject({ exitCode: 1 });
  expect(applied.stdout).toContain(`! refused ${id}\n    ${remark}`);
  expect(applied.stdout).toContain('1 created');
  expect(await observeSchedule(runner.client, id)).toBeUndefined();
});

it('plan refuses it also while the history is away', async () => {
  const env = { ...envOf(runner), ACTCORE_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' };
  const planned = await runActcore(['plan', folder], { env });
  expect(planned).toMatchObject({ exitCode: 1 });
  expect(planned.stdout).toContain(remark);
});

it('canary refuses it before it looks for a server', async () => {
  const ended = await runActcore(['canary', join(folder, 'dog.md')], { env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } });
  expect(ended).toMatchObject({ exitCode: 1, stdout: '', stderr: `error: ${id} cannot be run: ${remark}` });
});

it('one that is on the server, as a later version puts it there, is listed and shown, and trigger refuses it', async () => {
  const other = writeFolder({ 'served.md': readFileSync(join(folder, 'dog.md'), 'utf8').replace(id, served) });
  const { definitions } = await compilePaths([other]);
  for (const definition of definitions)
    await applySchedule(runner.client, compileSchedule(definition, runner.taskQueue));
  await expect
    .poll(async () => (await run('list')).stdout, { timeout: 20_000 })
    .toMatch(new RegExp(`^${served} +watchdog +on `, 'm'));
  const shown = await run('show', served);
  expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
  expect(shown.stdout).toMatch(/\nkind +watchdog\n/);
  expect(shown.stdout).toMatch(/\nchecks +stale-rows \(dry_run\)\n/);
  expect(await run('trigger', served)).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: `error: ${served} cannot be run: ${remark}`,
  });
});

it('simulate plays its ticks', async () => {
  const args = ['simulate', join(folder, 'dog.md'), '--from', '2026-11-21T02:30Z', '--to', '02:45'];
  const { document, exitCode } = await readActcore<{ definition: string; ticks: { fate: string }[] }>(args);
  expect(exitCode).toBe(0);
  expect(document.definition).toBe(id);
  expect(document.ticks.map(({ fate }) => fate)).toEqual(['ran', 'ran', 'ran']);
});
