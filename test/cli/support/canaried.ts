import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { compilePaths } from '../../../cli/definition-files.ts';
import { createLedger } from '../../../history/ledger.ts';
import type { Firing, Outcome } from '../../../workflows/contract.ts';
import { makeReport, makeTick } from '../../history/support/history.ts';

/** Writes the row of a canary of every definition in the folder, as it is now. */
export async function vouchFor(history: pg.Pool, folder: string, outcome: Outcome = 'completed'): Promise<void> {
  const { definitions } = await compilePaths([folder]);
  const scheduledAt = new Date().toISOString();
  const firing: Firing = makeTick({ trigger: 'canary', workflowRunId: randomUUID(), scheduledAt });
  const report = makeReport({ outcome, trigger: 'canary', exitCode: outcome === 'completed' ? 0 : 1 });
  for (const { order } of definitions) await createLedger(history).recordEnd(order, firing, report);
}
