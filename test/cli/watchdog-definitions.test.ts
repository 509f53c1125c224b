import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scaffoldDefinition } from '../../compiler/scaffold.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { envOf, readActcore, runActcore, writeFolder } from './support/actcore.ts';
import { deleteSchedules } from './support/made-schedules.ts';

const id = `test.dog-${randomUUID().slice(0, 8)}`;
const folder = writeFolder({
  'dog.md': scaffoldDefinition('watchdog', { id, owner: 'tests' })
    .replace('enabled: false', 'enabled: true ')
    // So that no tick comes between the firings of the test.
    .replace('{ every: 5m }', '{ cron: "0 0 1 1 *" }'),
});

let runner: Runner;
let watched: TestDatabase;

beforeAll(async () => {
  runner = await startRunner();
  watched = await createTestDatabase();
  const client = new pg.Client({ connectionString: watched.url });
  await client.connect();
  await client.query(`CREATE TABLE rows (id int, status text, updated_at timestamptz);
    INSERT INTO rows VALUES (1, 'new', now()), (2, 'old', now() - interval '4 days')`);
  await client.end();
  runner.environment['DATABASE_URL'] = watched.url;
  await runner.startWorker();
});
afterAll(async () => {
  await deleteSchedules(runner.client, [id]);
  await runner.close();
  await watched.drop();
});

const run = (...args: string[]) => runActcore(args, { env: envOf(runner) });

it('a new watchdog is planned, canaried, applied, shown and triggered like a sweep', async () => {
  const planned = await run('plan', folder);
  expect(planned.stdout).toContain(`! refused ${id}\n    enabled: true needs a completed canary of this contract`);

  const canaried = await run('canary', join(folder, 'dog.md'));
  expect(canaried).toMatchObject({ exitCode: 0 });
  expect(canaried.stdout).toMatch(/^outcome {5}completed in \d+ m?s: 1 check, 1 finding \(1 proposed\), \d+ ms\n/);
  expect(canaried.stdout).toContain('\nassessment  failed (1)\n');
  expect(canaried.stdout).toMatch(/stale-rows \[2\] +stale-rows +would mark as stale; nothing was done/);

  const applied = await run('apply', folder);
  expect(applied).toMatchObject({ exitCode: 0 });
  expect(applied.stdout).toContain('1 created');

  await expect
    .poll(async () => (await run('list')).stdout, { timeout: 20_000 })
    .toMatch(new RegExp(`^${id} +watchdog +on `, 'm'));
  const shown = await run('show', id);
  expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
  expect(shown.stdout).toMatch(/\nkind +watchdog\n/);
  expect(shown.stdout).toMatch(/\nchecks +stale-rows \(dry_run\)\n/);

  const triggered = await run('trigger', id, '--follow');
  expect(triggered).toMatchObject({ exitCode: 0 });
  const rows = await runner.runsOf(id);
  expect(rows.map(({ trigger, outcome }) => [trigger, outcome])).toEqual([
    ['manual', 'completed'],
    ['canary', 'completed'],
  ]);
}, 60_000);

it('simulate plays its ticks', async () => {
  const args = ['simulate', join(folder, 'dog.md'), '--from', '2026-12-31T00:00Z', '--to', '2027-01-02T00:00Z'];
  const { document, exitCode } = await readActcore<{ definition: string; ticks: { fate: string }[] }>(args);
  expect(exitCode).toBe(0);
  expect(document.definition).toBe(id);
  expect(document.ticks.map(({ fate }) => fate)).toEqual(['ran']);
});
