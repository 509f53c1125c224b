import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { createLedger } from '../history/ledger.ts';
import type { Ledger } from '../history/ledger.ts';
import { findRowsOf } from '../history/tick-rows.ts';
import { forEachAtOnce } from '../schedules/each.ts';
import { listExecutions, readRetentionMs } from './executions.ts';
import type { Execution } from './executions.ts';
import { readEvidence } from './evidence.ts';
import { reasons } from './reasons.ts';

/** What a rebuild brought back. */
export interface Rebuilt {
  executions: number;
  written: number;
  /** They had their rows. */
  present: number;
  /** They are going, and write their rows themselves when they end. */
  open: number;
  /** Assessment failures that were counted and are not listed any more. */
  lostFailures: number;
  unreadable: { workflowId: string; known: string }[];
  /** How long the server keeps what has ended; what is older is not there to be brought back. */
  retentionMs: number;
}

/** How many executions are looked up in the history at once. */
const batchSize = 500;
/** A run may have been due before it began. */
const longestWaitMs = 8 * 86_400_000;

/**
 * Writes the rows of all executions of a task queue since then that the history does not have. Repeated, it writes what
 * is still missing.
 */
export async function rebuildRuns(
  client: Client,
  pool: pg.Pool,
  { since, taskQueue, onStep }: { since: Date; taskQueue: string; onStep: (rebuilt: Rebuilt) => void },
): Promise<Rebuilt> {
  const retentionMs = await readRetentionMs(client);
  const total: Rebuilt = {
    ...{ executions: 0, written: 0, present: 0, open: 0, lostFailures: 0, unreadable: [], retentionMs },
  };
  const ledger = createLedger(pool);
  const earliest = new Date(since.getTime() - longestWaitMs);
  let batch: Execution[] = [];
  const flush = async () => {
    const present = await findRowsOf(
      pool,
      batch.map(({ workflowId }) => workflowId),
      earliest,
    );
    const absent = batch.filter(({ workflowId }) => !present.has(workflowId));
    total.executions += batch.length;
    total.present += batch.length - absent.length;
    await forEachAtOnce(absent, async (execution) => {
      await bringBack(client, ledger, execution, total);
      onStep(total);
    });
    batch = [];
  };
  for await (const execution of listExecutions(client, since, { taskQueue })) {
    batch.push(execution);
    if (batch.length === batchSize) await flush();
  }
  await flush();
  return total;
}

async function bringBack(
  client: Client,
  ledger: Ledger,
  { workflowId, runId, closeMs }: Execution,
  total: Rebuilt,
): Promise<void> {
  const evidence = closeMs === undefined ? 'open' : await readEvidence(client, workflowId, runId);
  if (evidence === 'open') total.open += 1;
  else if (typeof evidence === 'string') total.unreadable.push({ workflowId, known: reasons[evidence] });
  else {
    const { order, firing, report } = evidence;
    await ledger.recordEnd(order, firing, { ...report, recorded: false });
    total.written += 1;
    total.lostFailures += report.assessmentFailureCount - report.assessmentFailures.length;
  }
}
