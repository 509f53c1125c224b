import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { Ledger } from '../history/ledger.ts';
import { ownSource } from '../workflows/contract.ts';
import type { Outcome } from '../workflows/contract.ts';
import { makeReport, readEvidence } from './evidence.ts';
import type { Difference, Remedy } from './judge.ts';
import { reasons } from './reasons.ts';

/** What became of a difference: the row that was written says this, it is left for later, or nothing can be done. */
export type Mended = { outcome: Outcome; reason: string } | { later: string } | { stuck: string };

/** Puts one difference right through the ledger, whose rule keeps what knows better. */
export async function mendDifference(client: Client, ledger: Ledger, { remedy, known }: Difference): Promise<Mended> {
  switch (remedy.kind) {
    case 'none':
      return { stuck: known };
    case 'recover':
      return recoverRun(client, ledger, remedy);
    case 'conclude':
      return concludeTick(client, ledger, remedy);
  }
}

type Recover = Extract<Remedy, { kind: 'recover' }>;

async function recoverRun(client: Client, ledger: Ledger, { workflowId, runId, fallback }: Recover): Promise<Mended> {
  const evidence = await readEvidence(client, workflowId, runId);
  if (evidence === 'open') return { later: 'the run is still going' };
  if (typeof evidence === 'object') {
    const { order, firing, report } = evidence;
    const { outcome, reason } = await ledger.recordEnd(order, firing, { ...report, recorded: false });
    return { outcome, reason };
  }
  if (evidence === 'unreadable' || fallback === undefined) return { stuck: reasons[evidence] };
  const { order, firing } = fallback;
  const startedAt = new Date(fallback.startedAt);
  const end = { outcome: 'automation_error', reason: reasons.unknownEnd } as const;
  const times = { startedAt, finishedAt: startedAt, attempt: 1, certainty: 'inferred' } as const;
  const { outcome, reason } = await ledger.recordEnd(order, firing, makeReport(order, firing, end, times));
  return { outcome, reason };
}

type Conclude = Extract<Remedy, { kind: 'conclude' }>;

async function concludeTick(client: Client, ledger: Ledger, remedy: Conclude): Promise<Mended> {
  const { order, firing, outcome, reason } = remedy;
  const isOwnMiss = outcome === 'missed' && firing.source === ownSource;
  if (isOwnMiss && (await hasExecution(client, order.definition.id, firing.scheduledAt))) {
    return { later: 'its execution is there, and visibility does not show it yet' };
  }
  const at = new Date(firing.scheduledAt);
  const certainty = 'concluded';
  const report = makeReport(
    order,
    firing,
    { outcome, reason },
    { startedAt: at, finishedAt: at, attempt: 0, certainty },
  );
  const isWritten = await ledger.recordConclusion(order, firing, { ...report, certainty });
  return isWritten ? { outcome, reason } : { later: 'its row has come meanwhile' };
}

/** Asks for the execution of a tick by its id, which is consistent where visibility lags behind. */
async function hasExecution(client: Client, scheduleId: string, scheduledAt: string): Promise<boolean> {
  const workflowId = `${scheduleId}-${scheduledAt.slice(0, 19)}Z`;
  try {
    await client.workflow.getHandle(workflowId).describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
