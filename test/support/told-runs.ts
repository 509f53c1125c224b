import type pg from 'pg';
import type { Definition } from '../../compiler/definition.ts';
import { createLedger } from '../../history/ledger.ts';
import { ownSource } from '../../workflows/contract.ts';
import type { AssessmentFailure, Outcome } from '../../workflows/contract.ts';
import { makeReport, makeTick } from '../history/support/history.ts';

/** A run as a source told of it; times in milliseconds after its tick. */
export interface ToldRun {
  outcome: Outcome | 'running';
  afterMs?: number;
  tookMs?: number;
  failures?: AssessmentFailure[];
  flags?: string[];
}

/** Writes the row of a tick, by the ledger and by what the ledger does not write yet. */
export async function tellRun(
  history: pg.Pool,
  { order }: Definition,
  source: string,
  tickMs: number,
  { outcome, afterMs = 0, tookMs = 2_000, failures = [], flags = [] }: ToldRun,
): Promise<void> {
  const isOwn = source === ownSource;
  const trigger = isOwn ? 'schedule' : 'external';
  const scheduledAt = new Date(tickMs).toISOString();
  const workflowId = isOwn ? `${order.definition.id}-${scheduledAt.slice(0, 19)}Z` : '';
  const firing = makeTick({ source, trigger, actor: source, scheduledAt, workflowId });
  const startedAt = new Date(tickMs + afterMs).toISOString();
  const ledger = createLedger(history);
  if (outcome === 'running') {
    await ledger.recordStart(order, firing, { startedAt, attempt: 1 });
    return;
  }
  const finishedAt = new Date(tickMs + afterMs + tookMs).toISOString();
  const report = makeReport({ trigger, outcome, startedAt, finishedAt, assessmentFailures: failures });
  const { runId: _runId, ...rest } = report;
  await ledger.recordEnd(order, firing, { ...rest, runId: '', response: { status: 200, json: '{}' } });
  if (flags.length === 0) return;
  await history.query(
    'UPDATE actcore.runs SET flags = $1 WHERE definition_uuid = $2 AND source = $3 AND scheduled_at = $4',
    [flags, order.definition.uuid, source, scheduledAt],
  );
}
