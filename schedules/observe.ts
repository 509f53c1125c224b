import { ScheduleNotFoundError } from '@temporalio/client';
import type { Client, ScheduleDescription } from '@temporalio/client';
import type { Cadence, Order } from '../workflows/contract.ts';
import { decodeContent } from './content.ts';
import type { ScheduleContent } from './content.ts';
import { digestMemo, enabledMemo, ownerMemo } from './desired.ts';
import { decompileSpec } from './spec.ts';

/** A schedule as the server has it now. */
export interface ObservedSchedule {
  id: string;
  /** Whether it was made by us: said by the schedule's own memo, which nobody can change afterwards. */
  isOurs: boolean;
  /** Undefined where the schedule is not ours, or somebody replaced it with something else. */
  digest: string | undefined;
  cadence: Cadence;
  /** All of it on the normal form, for comparing. */
  content: ScheduleContent;
  order: Order | undefined;
  /** Of the definition that was applied, as far as the server's limit let it through. */
  runbook: string;
  /** What the definition that was applied says; undefined with the digest. */
  enabled: boolean | undefined;
  taskQueue: string;
  paused: boolean;
  note: string | undefined;
  /** ISO; at most the next ten. */
  nextTicks: string[];
  /** The workflow ids of runs that are going now. */
  running: string[];
  /** ISO: when it was made, or changed last by more than a pause. */
  changedAt: string;
  /** The server's own counters: ticks that came later than the catch-up window, and those skipped for overlap. */
  missedCatchup: number;
  skippedOverlap: number;
}

/** Asks the server about one schedule; undefined where it has none of this id. Always by describe: list lags behind. */
export async function observeSchedule(client: Client, id: string): Promise<ObservedSchedule | undefined> {
  try {
    return readDescription(await client.schedule.getHandle(id).describe());
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** Reads what the server says of a schedule. */
export function readDescription(description: ScheduleDescription): ObservedSchedule {
  const { action, info, state } = description;
  const stored = action.memo?.[digestMemo];
  const digest = typeof stored === 'string' ? stored : undefined;
  const isOurs = digest !== undefined || description.memo?.[ownerMemo] === true;
  return {
    id: description.scheduleId,
    isOurs,
    digest,
    cadence: decompileSpec(description.spec),
    content: decodeContent(description, [digestMemo, enabledMemo]),
    order: isOurs ? readOrder(action.args?.[0]) : undefined,
    runbook: action.staticDetails ?? '',
    enabled: digest !== undefined ? action.memo?.[enabledMemo] !== false : undefined,
    taskQueue: action.taskQueue,
    paused: state.paused,
    note: state.note === '' ? undefined : state.note,
    nextTicks: info.nextActionTimes.map((time) => time.toISOString()),
    running: info.runningActions.map((run) => run.workflow.workflowId),
    changedAt: (info.lastUpdatedAt ?? info.createdAt).toISOString(),
    missedCatchup: info.numActionsMissedCatchupWindow,
    skippedOverlap: info.numActionsSkippedOverlap,
  };
}

/** Somebody may have put other arguments there. */
function readOrder(value: unknown): Order | undefined {
  const order = value as Partial<Order> | null | undefined;
  return order?.format === 1 && order.definition !== undefined ? (order as Order) : undefined;
}
