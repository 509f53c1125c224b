import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { runIdOf } from '../history/run-id.ts';
import { ownSource, workflowType } from '../workflows/contract.ts';
import type { HandFiring, Order, RunReport } from '../workflows/contract.ts';
import type { activityRun } from '../workflows/activity-run.ts';
import { runOptions } from '../schedules/desired.ts';
import type { Output } from './output.ts';
import { Refusal } from './refusal.ts';
import { createProgressPrinter, formatProgress, readProgress } from './run-progress.ts';
import type { Settings } from './settings.ts';

/** A run that was fired by hand. */
export interface FiredRun {
  workflowId: string;
  runId: string;
  /** Id of the row in the history, from the moment of the firing on. */
  rowId: string;
  handle: WorkflowHandle<typeof activityRun>;
}

/** Starts a run now; refuses where no worker would take it. */
export async function fireByHand(
  client: Client,
  settings: Settings,
  order: Order,
  firing: HandFiring,
  source: { runbook: string; file: string },
): Promise<FiredRun> {
  await requireWorker(client, settings);
  const handle = await client.workflow.start<typeof activityRun>(workflowType, {
    ...runOptions({ order, ...source }, firing.trigger, firing.actor),
    taskQueue: settings.taskQueue,
    workflowId: `${order.definition.id}-${firing.trigger}-${new Date().toISOString()}`,
    args: [order, firing],
  });
  const { workflowId, firstExecutionRunId: runId } = handle;
  const scheduledAt = new Date().toISOString();
  const named = { source: ownSource, ...firing, scheduledAt, workflowId, workflowRunId: runId };
  return { workflowId, runId, rowId: runIdOf(order.definition.uuid, named), handle };
}

/** TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY of Temporal's API. */
const activityQueueType = 2;
/**
 * The server lists a poller for five minutes after it is gone, while a living one asks anew every minute; the other
 * minute is for clocks that differ.
 */
const pollMemoryMs = 120_000;

/** A worker that has just begun is listed only when its first question has come. */
const firstPollMs = 5_000;
const askEveryMs = 250;

async function requireWorker(client: Client, settings: Settings): Promise<void> {
  const { taskQueue } = settings;
  const deadline = Date.now() + firstPollMs;
  while (Date.now() < deadline) {
    if (await isPolled(client, settings)) return;
    await sleep(askEveryMs);
  }
  throw new Refusal(`No worker polls the task queue ${taskQueue}`, 'Start one with: actcore worker');
}

async function isPolled(client: Client, { namespace, taskQueue }: Settings): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: activityQueueType,
  });
  const since = Date.now() - pollMemoryMs;
  return pollers?.some(({ lastAccessTime }) => (lastAccessTime?.seconds?.toNumber() ?? 0) * 1_000 >= since) === true;
}

/** Where a person sees a run; undefined where no Temporal UI is known. */
export function linkRun(settings: Settings, run: Pick<FiredRun, 'workflowId' | 'runId'>): string | undefined {
  if (settings.uiUrl === undefined) return undefined;
  const path = [settings.namespace, 'workflows', run.workflowId, run.runId, 'history']
    .map(encodeURIComponent)
    .join('/');
  return `${settings.uiUrl}/namespaces/${path}`;
}

/** How a followed run ended: with a report, or without one (terminated, or timed out on the server). */
export type Followed = { report: RunReport } | { lost: string };

/** A run that can be followed, whoever fired it. */
export type FollowableRun = Pick<FiredRun, 'workflowId' | 'handle'>;

/**
 * Waits for a run that began at `startedAtMs`, showing its heartbeats. Throws the signal's reason when the operator leaves;
 * the run goes on, and this says so.
 */
export async function followRun(
  { client, output, signal }: { client: Client; output: Output; signal: AbortSignal },
  run: FollowableRun,
  startedAtMs = Date.now(),
): Promise<Followed> {
  const following = new AbortController();
  const print = createProgressPrinter(output);
  const showProgress = async () => {
    const progress = await readProgress(client, run.workflowId);
    if (progress === undefined || following.signal.aborted) return;
    print(formatProgress(progress, Date.now() - startedAtMs));
  };
  const timer = setInterval(() => void showProgress(), 1_000);
  try {
    return await Promise.race([obtainReport(run), rejectOnAbort(signal)]);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) {
      output.note(
        `not followed any more; the run goes on. Stop it with: temporal workflow cancel -w ${run.workflowId}`,
      );
    }
    throw error;
  } finally {
    following.abort();
    clearInterval(timer);
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function obtainReport(run: FollowableRun): Promise<Followed> {
  try {
    return { report: await run.handle.result() };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const cause = error.cause;
    // `on_failure: fail` closes the workflow as failed, with the report in the failure's details.
    const details = cause !== undefined && 'details' in cause ? (cause.details as unknown[] | undefined) : undefined;
    const report = details?.[0] as RunReport | undefined;
    return report?.outcome === undefined ? { lost: cause?.message ?? error.message } : { report };
  }
}
