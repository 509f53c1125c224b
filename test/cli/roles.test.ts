import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeDefinition } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { loadWorker } from '../support/shipped.ts';
import { healthy, sendJson } from '../support/target.ts';
import { envOf, readActcore, runActcore, writeFolder } from './support/actcore.ts';

let runner: Runner;
let stopWorker: () => Promise<void>;
const id = `test.roles-${randomUUID().slice(0, 8)}`;
const folder = writeFolder({ 'activity-definitions/a.md': writeDefinition(id) });

/** The history's URL for a login that has a role, and nothing else. */
async function urlOf(role: string): Promise<string> {
  const login = `login_${randomUUID().slice(0, 8)}`;
  await runner.history.query(`CREATE ROLE ${login} LOGIN PASSWORD 'secret'; GRANT ${role} TO ${login}`);
  const url = new URL(runner.databaseUrl);
  [url.username, url.password] = [login, 'secret'];
  return url.href;
}

beforeAll(async () => {
  runner = await startRunner();
  runner.target.answer = (_, response) => sendJson(response, healthy);
}, 60_000);

afterAll(async () => {
  await stopWorker?.();
  await runner.client.schedule.getHandle(id).delete();
  await runner.close();
});

it('migrate --roles says what it made and how a login gets a role, and is quiet about what is there', async () => {
  const first = await runActcore(['migrate', '--roles'], { env: envOf(runner) });
  expect(first).toMatchObject({ exitCode: 0, stderr: '' });
  for (const part of ['belongs to actcore_migrator', 'actcore_reader', 'GRANT actcore_worker TO worker_1;']) {
    expect(first.stdout).toContain(part);
  }
  const { document } = await readActcore<object>(['migrate', '--roles'], { env: envOf(runner) });
  expect(document).toEqual({ applied: [], roles: { created: [], handedOver: 0 } });
});

it('a worker, an apply and who reads each do their work with their role alone', async () => {
  const { temporalAddress, taskQueue, environment } = runner;
  const databaseUrl = await urlOf('actcore_worker');
  const { startWorker } = await loadWorker();
  const worker = await startWorker({ temporalAddress, namespace: 'default', taskQueue, databaseUrl, environment });
  const running = worker.run();
  stopWorker = async () => {
    worker.shutdown();
    await running;
  };
  const asOperator = { ...envOf(runner), ACTCORE_DATABASE_URL: await urlOf('actcore_operator') };
  const operate = (...args: string[]) => runActcore(args, { cwd: folder, env: asOperator });
  expect(await operate('apply', '--allow-uncanaried', '--reason', 'a test of roles')).toMatchObject({ exitCode: 0 });
  expect(await operate('trigger', id, '--follow')).toMatchObject({ exitCode: 0 });
  const asReader = { ACTCORE_DATABASE_URL: await urlOf('actcore_reader') };
  expect((await runActcore(['runs', id], { env: asReader })).stdout).toMatch(/ manual +completed /);
  expect((await runActcore(['journal', id, '--stats'], { env: asReader })).stdout).toMatch(/^tester +\S+ \S+ +\d+$/m);
  expect(await runActcore(['export', 'runs', '--to', '-', '--format', 'csv'], { env: asReader })).toMatchObject({
    exitCode: 0,
  });
  const refused = await runActcore(['retire', id, '--reason', 'x'], { env: { ...envOf(runner), ...asReader } });
  expect(refused).toMatchObject({ exitCode: 1 });
  expect(refused.stderr).toMatch(/^error: The history at \S+ does not permit this user to do that\n/);
}, 60_000);

it('who may not make roles is told what it takes', async () => {
  const env = { ACTCORE_DATABASE_URL: await urlOf('actcore_operator') };
  const refused = await runActcore(['migrate', '--roles'], { env });
  expect(refused).toMatchObject({ exitCode: 1 });
  expect(refused.stderr).toMatch(
    /^error: Roles cannot be made by this user: permission denied.*\n {2}It takes a superuser, or/,
  );
});

it('a history that a newer version made is refused by name', async () => {
  await runner.history.query("INSERT INTO actcore.migrations (name) VALUES ('999-from-the-future.sql')");
  const refused = await runActcore(['migrate'], { env: envOf(runner) });
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
  expect(refused.stderr).toBe(
    'error: the history has the migration 999-from-the-future.sql, which this version does not know; use the newer program',
  );
});
