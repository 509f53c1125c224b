import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { openHistory } from '../../history/database.ts';
import { listErrors } from '../../history/errors.ts';
import { migrate } from '../../history/migrate.ts';
import { findRun } from '../../history/queries.ts';
import { createTestDatabase } from '../support/database.ts';

/** The statement by which workers wrote the end of a run when the newest migration was 003, to the letter. */
const endOfRun = `
  WITH written AS (
    INSERT INTO actcore.runs AS run (id, scheduled_at, definition_id, definition_uuid, kind, source, trigger, actor, revision,
      contract_hash, workflow_id, workflow_run_id, standing, outcome, assessment, assessment_failure_count, exit_code, reason,
      attempt, started_at, finished_at, response_status, response, stages, targets, too_short, details_dropped)
    VALUES ($1, $2, $3, $4, 'sweep', 'activity-core', 'schedule', 'schedule', 'r', 'c', 'w', 'x', $5, 'automation_error',
      'none', 0, 1, 'old', 1, $2, $2, NULL, NULL, NULL, NULL, false, 0)
    ON CONFLICT (id, scheduled_at) DO UPDATE SET standing = excluded.standing, reason = excluded.reason, recorded_at = now()
      WHERE run.standing < excluded.standing
    RETURNING id, scheduled_at)
  SELECT actcore.replace_assessments(id, scheduled_at, $6::text[], $7::text[], $8::text[]),
    actcore.replace_errors(id, scheduled_at, $3, $9::json)
  FROM written`;

it('workers of an older version go on writing while the history is migrated, and afterwards', async () => {
  const database = await createTestDatabase();
  const [pool, other] = [openHistory(database.url), openHistory(database.url)];
  const definitionId = 'test.old';
  const written: string[] = [];
  const writeOldWay = async () => {
    const runId = randomUUID();
    const at = new Date().toISOString();
    const failed = JSON.stringify([{ attempt: 1, at, error: 'refused', rescued: false }]);
    for (const standing of [1, 2]) {
      await pool.query(endOfRun, [
        runId,
        at,
        definitionId,
        randomUUID(),
        standing,
        ['a'],
        ['C-05'],
        ['differs'],
        failed,
      ]);
    }
    written.push(runId);
  };
  try {
    await pool.query('CREATE SCHEMA actcore');
    await pool.query('CREATE TABLE actcore.migrations (name text PRIMARY KEY, applied_at timestamptz DEFAULT now())');
    for (const name of ['001-runs.sql', '002-definitions.sql', '003-details.sql']) {
      await pool.query(await readFile(new URL(`../../history/migrations/${name}`, import.meta.url), 'utf8'));
      await pool.query('INSERT INTO actcore.migrations (name) VALUES ($1)', [name]);
    }
    const ended = new AbortController();
    const migrating = migrate(other).finally(() => ended.abort());
    const writers = [1, 2, 3].map(async () => {
      do await writeOldWay();
      while (!ended.signal.aborted);
    });
    await Promise.all([migrating, ...writers]);
    await writeOldWay();
    const errors = await listErrors(other, { definitionId, limit: 10_000 });
    expect(new Set(errors.map(({ runId }) => runId))).toEqual(new Set(written));
    expect(errors[0]).toMatchObject({ operation: 'sweep', error: 'refused' });
    const run = await findRun(other, written.at(-1)!);
    expect(run).toMatchObject({ certainty: 'witnessed', assessmentFailures: [{ target: 'a' }], failedAttempts: [{}] });
  } finally {
    await pool.end();
    await other.end();
    await database.drop();
  }
});
