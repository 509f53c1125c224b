import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { scaffoldDefinition } from '../../compiler/scaffold.ts';
import { listJournal } from '../../history/journal.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { envOf, runActcore, writeFolder } from './support/actcore.ts';
import { deleteSchedules } from './support/made-schedules.ts';

let runner: Runner;
let watched: pg.Pool;
const made: string[] = [];

beforeAll(async () => {
  runner = await startRunner();
  // What is watched may stand beside the history.
  watched = runner.history;
  await watched.query(`CREATE TABLE public.rows (id int PRIMARY KEY, status text, updated_at timestamptz);
    CREATE TABLE public.row_audit (run_id uuid, finding jsonb, action text, before jsonb, after jsonb, decision jsonb);
    INSERT INTO public.rows VALUES (1, 'new', now()), (2, 'old', now() - interval '4 days')`);
  runner.environment['DATABASE_URL'] = runner.databaseUrl;
  await runner.startWorker();
});
// What one leaves is an orphan to the next.
afterEach(() => deleteSchedules(runner.client, made.splice(0)));
afterAll(() => runner.close());

/** A folder with one enabled watchdog; each has a contract of its own. */
function prepare() {
  const id = `test.unproven-${randomUUID().slice(0, 8)}`;
  made.push(id);
  const plain = scaffoldDefinition('watchdog', { id, owner: 'tests' })
    .replace('enabled: false', 'enabled: true ')
    .replace('from rows', `from public.rows -- ${id}`)
    .replace('update rows', 'update public.rows')
    .replace('{ every: 5m }', '{ cron: "0 0 1 1 *" }');
  const textOf = (mode: string) => plain.replace(/mode: dry_run/, `mode: ${mode}`);
  const folder = writeFolder({ 'dog.md': textOf('auto') });
  const file = join(folder, 'dog.md');
  const write = (mode: string, title = 'A watchdog') =>
    writeFileSync(file, textOf(mode).replace(/^title: .*$/m, `title: ${title}`));
  return { id, folder, file, write, run: (...args: string[]) => runActcore(args, { env: envOf(runner) }) };
}

const evidence = 'mode: auto needs evidence of what the check stale-rows would do, and it has no dry or simulated run';
const canary = 'enabled: true needs a completed canary of this contract';

it('a check in auto is refused until a dry canary has looked, which then lets a real one be asked for', async () => {
  const { id, folder, file, run } = prepare();
  const planned = await run('plan', folder);
  expect(planned).toMatchObject({ exitCode: 1, stderr: '' });
  expect(planned.stdout).toContain(
    `! refused ${id}\n    ${evidence} as now defined: actcore canary ${file} --dry-run\n`,
  );
  expect(await run('canary', file, '--dry-run')).toMatchObject({ exitCode: 0 });
  expect((await watched.query('SELECT status FROM public.rows ORDER BY id')).rows).toEqual([
    ...[{ status: 'new' }, { status: 'old' }],
  ]);
  const gated = await run('apply', folder);
  expect(gated.exitCode).toBe(1);
  expect(gated.stdout).toContain(`! refused ${id}\n    ${canary}`);
  expect(await run('canary', file)).toMatchObject({ exitCode: 0 });
  expect((await watched.query('SELECT status FROM public.rows WHERE id = 2')).rows).toEqual([{ status: 'stale' }]);
  expect(await run('apply', folder)).toMatchObject({ exitCode: 0, stdout: `+ create ${id}\n1 created` });
  expect((await run('findings', id, '--state', 'all')).stdout).toMatch(/ stale-rows +\[2\] +cured /);
  expect((await run('journal', id)).stdout).toMatch(
    / watchdog +finding +test\.unproven-\w+\/stale-rows\/\[2\] +mark as stale +\{"id":2,"status":"old"/,
  );
}, 90_000);

it('what is waived is journaled, and what the server lets act under the same contract needs no evidence', async () => {
  const { id, folder, write, run } = prepare();
  const waive = ['--allow-unproven', '--allow-uncanaried', '--reason', 'seen by hand'];
  expect((await run('apply', folder)).stdout).toContain(`! refused ${id}\n    ${evidence}`);
  expect(await run('apply', folder, ...waive)).toMatchObject({ exitCode: 0, stdout: `+ create ${id}\n1 created` });
  const events = await listJournal(runner.history, { entityId: id, limit: 9 });
  expect(events.find(({ field }) => field === 'evidence')).toMatchObject({
    ...{ actor: 'tester', source: 'apply', action: 'update' },
    newValue: { waived: 'seen by hand', checks: { 'stale-rows': expect.stringMatching(/^\w{64}$/) } },
  });
  write('auto', 'Another title');
  expect(await run('apply', folder)).toMatchObject({ exitCode: 0 });
}, 60_000);

it('a dry canary of what only looks is its canary, and evidence for auto', async () => {
  const { folder, file, write, run } = prepare();
  write('dry_run');
  expect(await run('canary', file, '--dry-run')).toMatchObject({ exitCode: 0 });
  expect(await run('plan', folder)).toMatchObject({ exitCode: 2 });
  write('auto');
  const planned = await run('plan', folder);
  expect(planned.stdout).toContain(canary);
}, 60_000);
