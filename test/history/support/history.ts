import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { openHistory } from '../../../history/database.ts';
import { migrate } from '../../../history/migrate.ts';
import type { Firing, Order, RunReport } from '../../../workflows/contract.ts';
import { createTestDatabase } from '../../support/database.ts';
import { defineSweep } from '../../support/definitions.ts';

/** A migrated history of one test file's own. */
export interface TestHistory {
  url: string;
  pool: pg.Pool;
  close: () => Promise<void>;
}

/** Opens such a history. */
export async function openTestHistory(): Promise<TestHistory> {
  const database = await createTestDatabase();
  const pool = openHistory(database.url);
  await migrate(pool);
  const close = async () => {
    await pool.end();
    await database.drop();
  };
  return { url: database.url, pool, close };
}

/** A compiled definition that no other test uses. */
export function makeOrder(): Order {
  return defineSweep(`test.history-${randomUUID().slice(0, 8)}`).order;
}

/** A tick of the schedule. */
export function makeTick(changes: Partial<Firing> = {}): Firing {
  return {
    source: 'activity-core',
    trigger: 'schedule',
    actor: 'schedule',
    scheduledAt: '2026-03-01T00:15:00.000Z',
    workflowId: 'workflow',
    workflowRunId: '0b2f7a34-5a51-4a35-8a2c-3f3f7a7b1a10',
    ...changes,
  };
}

/** The report of a run that went well. */
export function makeReport(changes: Partial<RunReport> = {}): RunReport {
  const failures = changes.assessmentFailures ?? [];
  return {
    runId: '',
    trigger: 'schedule',
    outcome: 'completed',
    assessment: failures.length > 0 ? 'failed' : 'passed',
    assessmentFailureCount: failures.length,
    assessmentFailures: failures,
    exitCode: 0,
    reason: 'the target answered 200',
    startedAt: '2026-03-01T00:15:01.000Z',
    finishedAt: '2026-03-01T00:15:02.000Z',
    latenessMs: 1_000,
    attempt: 1,
    certainty: 'witnessed',
    recorded: false,
    ...changes,
  };
}
