import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestContent } from '../../schedules/content.ts';
import { observeSchedule } from '../../schedules/observe.ts';
import type { PlannedChange } from '../../schedules/plan.ts';
import { writeDefinition } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { startOwnTemporalServer } from '../support/temporal-server.ts';
import type { RestartableServer } from '../support/temporal-server.ts';
import { envOf, expectExit, readActcore, runActcore, startActcore, writeFolder } from './support/actcore.ts';
import { vouchFor } from './support/canaried.ts';

let server: RestartableServer;
let runner: Runner;

beforeAll(async () => {
  server = await startOwnTemporalServer();
  runner = await startRunner(server.address);
});
afterAll(async () => {
  await runner.close();
  await server.remove();
});

async function prepare(count: number, changes: Frontmatter = {}) {
  const name = `test.half-${randomUUID().slice(0, 8)}`;
  const ids = Array.from({ length: count }, (_, index) => `${name}.d${String(index).padStart(3, '0')}`);
  const write = (next: Frontmatter) =>
    writeFolder(Object.fromEntries(ids.map((id) => [`${id}.md`, writeDefinition(id, { ...changes, ...next })])));
  const options = { env: { ...envOf(runner), ACTCORE_TASK_QUEUE: name } };
  const folder = write({});
  await vouchFor(runner.history, folder);
  return {
    ...{ ids, options, write, folder },
    run: (...args: string[]) => runActcore(args, options),
    read: (...args: string[]) => readActcore<{ changes: PlannedChange[] }>(args, options),
    observe: () => Promise.all(ids.map((id) => observeSchedule(runner.client, id))),
  };
}

/** Asked of the schedule's workflow, which says so at once: a listing lags, and to describe a schedule takes its worker. */
async function isMade(id: string): Promise<boolean> {
  const handle = runner.client.workflow.getHandle(`temporal-sys-scheduler:${id}`);
  return handle.describe().then(
    () => true,
    () => false,
  );
}

/** In a definition two bytes each, in the JSON that the server is sent six: it takes no more than 2 MB. */
const tooLong = '\\e'.repeat(400_000);

it('one that the server refuses is named with the reason; the others are done, and the next apply completes it', async () => {
  const { ids, folder, run, read } = await prepare(4);
  const file = join(folder, `${ids[1]}.md`);
  const sweep = `\n  request: { method: POST, url: "\${TARGET_URL}/sweep", body: "${tooLong}" }\n  outcome: { automation_error: "!body.ok" }`;
  writeFileSync(file, writeDefinition(ids[1]!, { sweep, secrets: '' }));
  await vouchFor(runner.history, folder);
  const failed = await run('apply', folder);
  expectExit(failed, 1);
  expect(failed.stdout).toMatch(
    new RegExp(`! failed ${ids[1]}\n    the server refuses it: .*(exceeds|larger).*\n`, 'i'),
  );
  expect(failed.stdout).toMatch(/\n3 created, 1 failed$/);
  expect(failed.stderr).toBe('not all of it was done; apply again completes it');
  writeFileSync(file, writeDefinition(ids[1]!));
  expect((await run('apply', folder)).stdout).toMatch(/\n1 created, 3 unchanged$/);
  expect(await read('plan', folder)).toMatchObject({ exitCode: 0 });
}, 120_000);

it('a server that goes away half-way: what was done, what failed and what was not tried is said; the next apply completes it', async () => {
  const { ids, folder, run, options, observe } = await prepare(150);
  const applying = startActcore(['apply', folder, '--json'], options);
  await Promise.race([applying, eventually(() => isMade(ids[20]!), { withinMs: 60_000, everyMs: 20 })]);
  await server.stop();
  const broken = await applying;
  await server.start();
  expectExit(broken, 1);
  const { stdout, stderr } = broken;
  expect(stderr).toContain('not all of it was done; apply again completes it');
  const { changes } = JSON.parse(stdout) as { changes: PlannedChange[] };
  const idsOf = (action: string) => changes.filter((change) => change.action === action).map(({ id }) => id);
  expect([...idsOf('create'), ...idsOf('failed'), ...idsOf('not_done')].sort()).toEqual(ids);
  expect(idsOf('create').length).toBeGreaterThanOrEqual(10);
  expect(idsOf('failed').length).toBeGreaterThan(0);
  expect(idsOf('not_done').length).toBeGreaterThan(0);
  const there = new Set((await observe()).filter((schedule) => schedule !== undefined).map(({ id }) => id));
  expect(idsOf('create').filter((id) => !there.has(id))).toEqual([]);
  expect(idsOf('not_done').filter((id) => there.has(id))).toEqual([]);
  expectExit(await run('apply', folder), 0);
  expect((await observe()).filter((schedule) => schedule === undefined)).toEqual([]);
  const again = await run('plan', folder);
  expectExit(again, 0);
  expect(again.stderr).toBe('');
  expect(again.stdout.slice(-40)).toMatch(/\n150 unchanged$/);
  rmSync(folder, { recursive: true });
}, 180_000);

it('two applies of different folders at once: each schedule is wholly the one or the other, and the next apply settles it', async () => {
  const { ids, folder, write, run, options, observe } = await prepare(12);
  const other = write({ title: 'The other', schedule: '{ every: 1h }', budget: '{ max_seconds: 50 }' });
  await vouchFor(runner.history, other);
  for (const round of [1, 2]) {
    const ended = await Promise.all([folder, other].map((path) => startActcore(['apply', path], options)));
    for (const { exitCode, stderr } of ended) {
      const isApplied = exitCode === 0 || stderr.includes('Another command is changing the schedules');
      expect({ round, isApplied, stderr }).toMatchObject({ isApplied: true });
    }
    for (const schedule of await observe()) {
      expect(schedule?.digest).toBe(digestContent(schedule!.content));
      expect(['A sweep under test', 'The other']).toContain(schedule?.order?.definition.title);
    }
  }
  expectExit(await run('apply', folder), 0);
  expect(await run('plan', folder)).toMatchObject({
    stdout: expect.stringMatching(new RegExp(`\n${ids.length} unchanged$`)),
    stderr: '',
  });
}, 180_000);
