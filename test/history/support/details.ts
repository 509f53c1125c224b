import type { TargetResult } from '../../../history/results.ts';

/** The result of a target that went well. */
export function makeResult(runId: string, ordinal: number, changes: Partial<TargetResult> = {}): TargetResult {
  return {
    runId,
    scheduledAt: '2026-03-01T00:15:00.000Z',
    ordinal,
    target: `repo-${ordinal}`,
    outcome: 'completed',
    assessment: 'passed',
    assessmentFailureCount: 0,
    reason: 'the target answered 200',
    status: 200,
    attempt: 1,
    idempotencyKey: `${runId}-${ordinal}`,
    startedAt: '2026-03-01T00:15:01.000Z',
    finishedAt: '2026-03-01T00:15:02.000Z',
    ...changes,
  };
}
