import { ScheduleNotFoundError } from '@temporalio/client';
import type { Client, ScheduleDescription } from '@temporalio/client';
import type { Cadence, Order } from '../workflows/contract.ts';
import { digestMemo, enabledMemo, ownerMemo } from './desired.ts';
import { decompileSpec } from './spec.ts';

/** A schedule as the server has it now. */
export interface ObservedSchedule {
  id: string;
  /** Undefined when the schedule is not ours. */
  digest: string | undefined;
  cadence: Cadence;
  order: Order | undefined;
  /** Of the definition that was applied, as far as the server's limit let it through. */
  runbook: string;
  /** What the definition that was applied says; undefined when the schedule is not ours. */
  enabled: boolean | undefined;
  taskQueue: string;
  paused: boolean;
  note: string | undefined;
  /** ISO; at most the next ten. */
  nextTicks: string[];
  /** The workflow ids of runs that are going now. */
  running: string[];
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
  const digest = action.memo?.[digestMemo];
  const isOurs = typeof digest === 'string';
  return {
    id: description.scheduleId,
    digest: isOurs ? digest : undefined,
    cadence: decompileSpec(description.spec),
    order: isOurs ? (action.args?.[0] as Order | undefined) : undefined,
    runbook: action.staticDetails ?? '',
    enabled: isOurs ? action.memo?.[enabledMemo] !== false : undefined,
    taskQueue: action.taskQueue,
    paused: state.paused,
    note: state.note === '' ? undefined : state.note,
    nextTicks: info.nextActionTimes.map((time) => time.toISOString()),
    running: info.runningActions.map((run) => run.workflow.workflowId),
  };
}

/** The ids of all schedules of ours in the namespace, sorted. The server's listing lags a second or so behind. */
export async function listScheduleIds(client: Client): Promise<string[]> {
  const ids: string[] = [];
  for await (const summary of client.schedule.list()) {
    if (summary.memo?.[ownerMemo] === true) ids.push(summary.scheduleId);
  }
  return ids.sort();
}
