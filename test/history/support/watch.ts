import { randomUUID } from 'node:crypto';
import type { CheckObservation, WatchRun } from '../../../history/watch-ledger.ts';
import type { ActionRecord, CheckReport, Decision } from '../../../workflows/contract.ts';

/** A run of a watchdog that no other test uses; `minute` is its tick within an hour. */
export function makeRun(minute = 0, changes: Partial<WatchRun> = {}): WatchRun {
  return {
    definitionId: 'test.watchdog',
    definitionUuid: randomUUID(),
    runId: randomUUID(),
    scheduledAt: new Date(Date.UTC(2026, 2, 1, 0, minute)).toISOString(),
    trigger: 'schedule',
    ...changes,
  };
}

/** The next run of the same definition. */
export function followUp(run: WatchRun, minutes = 1): WatchRun {
  const scheduledAt = new Date(Date.parse(run.scheduledAt) + minutes * 60_000).toISOString();
  return { ...run, runId: randomUUID(), scheduledAt };
}

const decision: Decision = {
  ...{ check: 'stale', mode: 'auto', parameters: { hours: 3 }, threshold: 3, dry_run: false, reason: 'three hours' },
};

/** A triplet of a cured finding of the check `stale`. */
export function makeAction(findingKey: string, changes: Partial<ActionRecord> = {}): ActionRecord {
  return {
    id: randomUUID(),
    checkName: 'stale',
    findingKey,
    action: 'mark as stale',
    mode: 'auto',
    outcome: 'cured',
    before: '{"id":1,"amount":12345678901234567890.10}',
    after: '{"id":1,"amount":12345678901234567890.20}',
    decision: JSON.stringify(decision),
    at: '2026-03-01T00:00:01.000Z',
    ...changes,
  };
}

/** What a check did that found nothing. */
export function makeCheckReport(changes: Partial<CheckReport> = {}): CheckReport {
  return {
    ...{ name: 'stale', mode: 'auto', contractHash: 'contract', findings: 0, hasMore: false, cured: 0, sent: 0 },
    ...{ simulated: 0, proposed: 0, failed: 0, left: 0, tookMs: 1.5 },
    ...changes,
  };
}

/** What a check saw: findings by key, or with what became of them. */
export function makeObservation(
  findings: (string | Omit<CheckObservation['findings'][number], 'row'>)[],
  {
    isComplete = true,
    quarantineAfter = 3,
    ...report
  }: Partial<CheckReport> & { isComplete?: boolean; quarantineAfter?: number } = {},
): CheckObservation {
  const seen = findings.map((one) => (typeof one === 'string' ? { key: one } : one));
  return {
    report: makeCheckReport({ findings: seen.length, ...report }),
    ...{ quarantineAfter, isComplete },
    findings: seen.map((one) => ({ ...one, row: `{"key":${one.key}}` })),
  };
}
