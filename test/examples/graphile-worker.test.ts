import { Logger, makeWorkerUtils, runOnce } from 'graphile-worker';
import type { WorkerUtils } from 'graphile-worker';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { compileWatchdog, openCheckStage, replaceIn } from './support/run-checks.ts';
import type { CheckStage } from './support/run-checks.ts';

const file = 'examples/definitions/graphile-worker.dead-jobs.md';
const logger = new Logger(() => () => {});

let database: TestDatabase;
let pgPool: pg.Pool;
let queue: WorkerUtils;
let stage: CheckStage;
beforeAll(async () => {
  stage = await openCheckStage();
  database = await createTestDatabase();
  pgPool = new pg.Pool({ connectionString: database.url, max: 3 });
  pgPool.on('error', () => {});
  pgPool.on('connect', (client) => void client.on('error', () => {}));
  queue = await makeWorkerUtils({ pgPool, logger });
  await queue.migrate();
});
afterAll(async () => {
  await queue.release();
  await pgPool.end();
  await database.drop();
  await stage.close();
});

const run = async (change?: (text: string) => string) => {
  const order = await compileWatchdog(file, change);
  return (await stage.runChecks(order, { JOBS_DATABASE_URL: database.url }))['dead_job'];
};

it('finds a job that a worker has given up, and in auto gives it one attempt more', async () => {
  let broken = true;
  const taskList = {
    deliver: () => {
      if (broken) throw new Error('the printer is on fire');
    },
  };
  const { id } = await queue.addJob('deliver', { parcel: 7 }, { maxAttempts: 1 });
  expect(await run()).toMatchObject({ findings: 0 });
  await runOnce({ pgPool, logger, taskList });
  expect(await run()).toMatchObject({ mode: 'dry_run', findings: 1, proposed: 1 });
  const jobs = async () =>
    (await pgPool.query('select id, attempts, max_attempts, last_error from graphile_worker.jobs')).rows;
  expect(await jobs()).toMatchObject([{ id, attempts: 1, max_attempts: 1, last_error: 'the printer is on fire' }]);
  expect(await run((text) => replaceIn(text, 'spared_tasks: []', 'spared_tasks: [deliver]'))).toMatchObject({
    findings: 0,
  });

  const acting = (text: string) => replaceIn(text, 'mode: dry_run', 'mode: auto');
  expect(await run(acting)).toMatchObject({ mode: 'auto', findings: 1, cured: 1 });
  expect(await jobs()).toMatchObject([{ id, attempts: 0, max_attempts: 1 }]);
  expect(await run(acting)).toMatchObject({ findings: 0 });
  broken = false;
  await runOnce({ pgPool, logger, taskList });
  // It may return a little before what it did is committed.
  await expect.poll(jobs, { timeout: 10_000 }).toEqual([]);
});
