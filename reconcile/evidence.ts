import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import { nameTrigger } from '../activities/tick.ts';
import { runIdOf } from '../history/run-id.ts';
import { readServerFault } from '../schedules/server-fault.ts';
import { exitCodeOf, ownSource } from '../workflows/contract.ts';
import type { Firing, HandFiring, Order, Outcome, RunReport } from '../workflows/contract.ts';
import { reasons } from './reasons.ts';

/** What an execution still tells of a run that has ended. */
export interface Evidence {
  order: Order;
  firing: Firing;
  report: RunReport;
}

/** Why there is none: it is still open, its execution is gone, or it is not one of ours. */
export type NoEvidence = 'open' | 'gone' | 'unreadable';

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;
type HistoryEvent = NonNullable<History['events']>[number];

/**
 * Reads from the history of a workflow how its run ended: the last report that an activity gave, or that stands in its
 * result; else what the way it closed says. Without `runId` of the newest execution of that id.
 */
export async function readEvidence(client: Client, workflowId: string, runId?: string): Promise<Evidence | NoEvidence> {
  const events = await fetchEvents(client, workflowId, runId);
  const [begin] = events;
  const end = events.at(-1);
  if (begin === undefined || end === undefined) return 'gone';
  const started = readStart(begin, workflowId);
  if (started === undefined) return 'unreadable';
  const closed = explainClose(end);
  if (closed === undefined) return 'open';
  const told = events.flatMap(readReports).at(-1);
  const firing = nameTrigger(started.order, started.firing);
  if (told !== undefined) return { ...started, firing: { ...firing, trigger: told.trigger }, report: told };
  return { ...started, firing, report: concludeClose({ ...started, firing }, closed, timeOf(begin), timeOf(end)) };
}

/** Of gRPC. */
const notFound = 5;

async function fetchEvents(client: Client, workflowId: string, runId: string | undefined): Promise<HistoryEvent[]> {
  try {
    return (await client.workflow.getHandle(workflowId, runId).fetchHistory()).events ?? [];
  } catch (error) {
    if (readServerFault(error)?.code === notFound) return [];
    throw error;
  }
}

function readStart(begin: HistoryEvent, workflowId: string): { order: Order; firing: Firing } | undefined {
  const started = begin.workflowExecutionStartedEventAttributes;
  const [order, byHand] = readPayloads(started?.input?.payloads) as [Partial<Order>?, HandFiring?];
  if (order?.format !== 1 || order.definition === undefined) return undefined;
  const tick = started?.searchAttributes?.indexedFields?.['TemporalScheduledStartTime'];
  const scheduledAt = tick === undefined ? timeOf(begin) : new Date(String(readPayload(tick)));
  const firing: Firing = {
    source: ownSource,
    trigger: byHand?.trigger ?? 'schedule',
    actor: byHand?.actor ?? 'schedule',
    scheduledAt: scheduledAt.toISOString(),
    workflowId,
    workflowRunId: started?.firstExecutionRunId ?? '',
    ...(byHand?.dryRun === true ? { dryRun: true } : {}),
  };
  return { order: order as Order, firing };
}

/** Reports of runs among what an event carries. */
function readReports(event: HistoryEvent): RunReport[] {
  const payloads = [
    ...(event.activityTaskCompletedEventAttributes?.result?.payloads ?? []),
    ...(event.workflowExecutionCompletedEventAttributes?.result?.payloads ?? []),
    ...(event.workflowExecutionFailedEventAttributes?.failure?.applicationFailureInfo?.details?.payloads ?? []),
  ];
  return readPayloads(payloads).flatMap((value) => {
    const report = value as Partial<RunReport> | null | undefined;
    const isReport = typeof report?.runId === 'string' && report.outcome !== undefined && report.reason !== undefined;
    return isReport ? [report as RunReport] : [];
  });
}

interface Close {
  outcome: Outcome;
  reason: string;
}

/** What the last event of an execution says where nobody reported; undefined where it is still open. */
function explainClose(end: HistoryEvent): Close | undefined {
  const terminated = end.workflowExecutionTerminatedEventAttributes;
  const failed = end.workflowExecutionFailedEventAttributes;
  if (terminated) return { outcome: 'cancelled', reason: reasons.terminated(terminated.reason ?? '') };
  if (failed) return { outcome: 'automation_error', reason: reasons.failed(failed.failure?.message ?? '') };
  if (end.workflowExecutionTimedOutEventAttributes) return { outcome: 'timed_out', reason: reasons.timedOut };
  if (end.workflowExecutionCanceledEventAttributes) return { outcome: 'cancelled', reason: reasons.cancelled };
  if (end.workflowExecutionCompletedEventAttributes) return { outcome: 'automation_error', reason: reasons.failed('') };
  return undefined;
}

function concludeClose(
  { order, firing }: Pick<Evidence, 'order' | 'firing'>,
  close: Close,
  startedAt: Date,
  finishedAt: Date,
): RunReport {
  return makeReport(order, firing, close, { startedAt, finishedAt, attempt: 1, certainty: 'inferred' });
}

/** A report of a run that nobody reported. */
export function makeReport(
  order: Order,
  firing: Firing,
  { outcome, reason }: Close,
  times: Pick<RunReport, 'attempt' | 'certainty'> & { startedAt: Date; finishedAt: Date },
): RunReport {
  const { startedAt, finishedAt, attempt, certainty } = times;
  return {
    ...{ runId: runIdOf(order.definition.uuid, firing), trigger: firing.trigger, outcome, reason, attempt, certainty },
    ...{ assessment: 'none', assessmentFailureCount: 0, assessmentFailures: [], exitCode: exitCodeOf(outcome) },
    ...{ startedAt: startedAt.toISOString(), finishedAt: finishedAt.toISOString() },
    latenessMs: startedAt.getTime() - Date.parse(firing.scheduledAt),
    recorded: false,
  };
}

function timeOf({ eventTime }: HistoryEvent): Date {
  return new Date(Number(eventTime?.seconds ?? 0) * 1_000 + (eventTime?.nanos ?? 0) / 1_000_000);
}

function readPayloads(payloads: Payload[] | null | undefined): unknown[] {
  return (payloads ?? []).map(readPayload);
}

function readPayload(payload: Payload): unknown {
  return defaultPayloadConverter.fromPayload(payload);
}
