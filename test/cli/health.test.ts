import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { HealthProblem } from '../../history/health.ts';
import { writeRuns } from '../history/support/run-rows.ts';
import { writeDefinition } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { envOf, readActcore, runActcore, writeFolder } from './support/actcore.ts';

const suffix = Math.random().toString(36).slice(2, 8);
const idOf = (name: string) => `test.health-${suffix}-${name}`;
const file = (name: string, every: string) =>
  [
    `activity-definitions/${name}.md`,
    writeDefinition(idOf(name), {
      schedule: `{ every: ${every} }`,
      secrets: '',
      sources: '{ local-timer: { every: 1h } }',
      sweep: `
  request:
    method: POST
    url: \${TARGET_URL}/x`,
    }),
  ] as const;
const folder = writeFolder(Object.fromEntries([file('good', '300d'), file('drifted', '300d'), file('gone', '300d')]));

let runner: Runner;
const actcore = (args: string[], env: Record<string, string> = {}) =>
  runActcore(args, { cwd: folder, env: { ...envOf(runner), ...env } });

interface HealthDocument {
  isHealthy: boolean;
  problems: HealthProblem[];
  lookedAt: Record<string, unknown>;
}

/** The problems as `rule name`. */
async function read(env: Record<string, string> = {}) {
  const { document, exitCode } = await readActcore<HealthDocument>(['health'], { env: { ...envOf(runner), ...env } });
  const problems = document.problems.map(
    ({ rule, subject }) => `${rule} ${subject.replace(`test.health-${suffix}-`, '')}`,
  );
  return { exitCode, problems, document };
}

beforeAll(async () => {
  runner = await startRunner();
  const { exitCode, stderr } = await actcore(['apply', '--allow-uncanaried', '--reason', 'a test']);
  if (exitCode !== 0) throw new Error(stderr);
}, 60_000);

afterAll(async () => {
  for (const name of ['good', 'drifted', 'gone']) {
    await runner.client.schedule
      .getHandle(idOf(name))
      .delete()
      .catch(() => {});
  }
  await runner.close();
});

it('a history that nobody reconciles is a problem, and nothing is broken once it was', async () => {
  expect(await read()).toMatchObject({ exitCode: 1, problems: ['reconciler_silent actcore.reconcile-ticks'] });
  await actcore(['audit', '--fix']);
  const { exitCode, stdout } = await actcore(['health']);
  expect(stdout).toMatch(
    /^nothing is broken\nlooked at 3 enabled definitions, 3 schedules, 0 outside sources, 0 runs under way, the last 60m, a history of \d+ MB since \d{4}-\d\d, kept for ever/,
  );
  expect(exitCode).toBe(0);
}, 60_000);

it('what is broken stands in a line each, the worst first, with the command that shows more', async () => {
  const { client, history } = runner;
  await client.schedule.getHandle(idOf('gone')).delete();
  await client.schedule
    .getHandle(idOf('drifted'))
    .update(({ spec, ...rest }) => ({ ...rest, spec: { ...spec, jitter: '5s' } }));
  await writeRuns(history, { definitionId: idOf('good'), days: 0, count: 3, everySeconds: 1, outcome: "'timed_out'" });
  await history.query(
    `UPDATE actcore.runs SET scheduled_at = now() - interval '1 minute', started_at = now(), finished_at = now(),
       reason = E'too slow\\nand late' WHERE definition_id = $1`,
    [idOf('good')],
  );
  // Since then three ticks of the outside source were due, which has reported before.
  await history.query("UPDATE actcore.definitions SET applied_at = now() - interval '6 hours' WHERE id = $1", [
    idOf('good'),
  ]);
  await history.query(
    `INSERT INTO actcore.run_days (day, definition_id, source, outcome, runs, failures)
     VALUES (actcore.today() - 9, $1, 'local-timer', 'completed', 1, 0)`,
    [idOf('good')],
  );
  expect(await read()).toMatchObject({
    exitCode: 1,
    problems: ['no_schedule gone', 'failing good', 'silent_source good', 'drift drifted'],
  });
  const { stdout } = await actcore(['health', '--period', '2h']);
  const lines = stdout.split('\n');
  expect(lines).toHaveLength(7);
  expect(lines[2]).toMatch(
    /^failing +test\.health\S+ +3 errors, the last: too slow.*and late +actcore errors \S+good --since 2h$/,
  );
  expect(lines[4]).toMatch(/^drift .* changed on the server: cadence\.jitterMs.* actcore show \S+drifted$/);
}, 60_000);

it('a schedule that was paused by hand is not overdue, and one that is on is', async () => {
  const { client, history } = runner;
  writeFileSync(join(folder, ...file('good', '300d')[0].split('/')), file('good', '1m')[1]);
  await actcore(['apply', '--allow-uncanaried', '--reason', 'a test']);
  await client.schedule.getHandle(idOf('good')).pause('the disk is full');
  await history.query("UPDATE actcore.definitions SET applied_at = now() - interval '10 minutes' WHERE id = $1", [
    idOf('good'),
  ]);
  await history.query('DELETE FROM actcore.runs');
  expect((await read()).problems).not.toContain('overdue good');
  await client.schedule.getHandle(idOf('good')).unpause();
  expect((await read()).problems).toContain('overdue good');
}, 60_000);

it('without Temporal the rest is answered, and without the history nothing is', async () => {
  const away = await read({ TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect(away).toMatchObject({ exitCode: 1, document: { lookedAt: { schedules: null } } });
  expect(away.problems).toEqual(['temporal_away temporal', 'overdue good']);
  const { exitCode, stderr, stdout } = await actcore(['health'], {
    ACTCORE_DATABASE_URL: 'postgres://u@127.0.0.1:1/x',
  });
  expect([exitCode, stdout]).toEqual([3, '']);
  expect(stderr).toContain('The history does not answer at 127.0.0.1:1/x');
}, 60_000);

it('a period of nothing is refused', async () => {
  expect(await actcore(['health', '--period', '0m'])).toMatchObject({ exitCode: 1 });
});
