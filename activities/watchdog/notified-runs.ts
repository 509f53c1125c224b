import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import type { HandFiring, WatchdogOrder, WatchdogPlan } from '../../workflows/contract.ts';
import { searchAttributes } from '../../workflows/contract.ts';
import { pause } from '../pause.ts';
import { listenerReasons, sayError } from './listener-reasons.ts';
import { type WatchSchedule, observeWatch } from './watch-schedule.ts';

/** What it takes to fire a definition on notifications. */
export interface NotifiedRunsOptions {
  client: Client;
  definitionId: string;
  listen: NonNullable<WatchdogPlan['listen']>;
  warn: (message: string) => void;
  /** Gets what the schedule runs by now; undefined where there is nothing to fire any more. */
  onSchedule: (order: WatchdogOrder | undefined) => void;
  /** Ends it. */
  signal: AbortSignal;
}

/** The runs that notifications bring about, never two of them at a time. */
export interface NotifiedRuns {
  /** Has the definition fired soon, once for all the notifications until then. */
  notify(): void;
  /** Resolves when nothing is under way any more; the signal has to be aborted. */
  end(): Promise<void>;
}

interface RunningWorkflow {
  workflowId: string;
  runId: string;
}

/** A tick that is nearer than this goes first. */
const tickAheadMs = 300;
const firstBackoffMs = 500;
const longestBackoffMs = 30_000;

/** Opens them; nothing is fired before the first notification. */
export function openNotifiedRuns(options: NotifiedRunsOptions): NotifiedRuns {
  const { client, definitionId, listen, warn, onSchedule, signal } = options;
  const state: { isPending: boolean; serving?: Promise<void> | undefined; last?: RunningWorkflow | undefined } = {
    isPending: false,
  };

  const serve = async () => {
    while (state.isPending && !signal.aborted) {
      await pause(listen.debounceMs, signal);
      await fireAtLast();
    }
  };

  /** A server that is away is asked until it is there: the notification is not lost. */
  const fireAtLast = async () => {
    const workflowId = `${definitionId}-notify-${new Date().toISOString()}`;
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(2 * backoffMs, longestBackoffMs)) {
      try {
        return await client.withAbortSignal(signal, () => fireInTurn(workflowId));
      } catch (error) {
        signal.throwIfAborted();
        warn(listenerReasons.notFired(sayError(error)));
        await pause(backoffMs, signal);
      }
    }
  };

  const fireInTurn = async (workflowId: string) => {
    if (state.last !== undefined) await awaitEnd(client, state.last);
    state.last = undefined;
    const watch = await awaitTurn(client, definitionId, signal);
    // All that was told until now is seen by the run that starts now.
    state.isPending = false;
    if (watch?.isPaused === false) {
      const firing: HandFiring = { trigger: 'notify', actor: `channel ${listen.channel}` };
      state.last = await fire(client, watch, workflowId, firing);
    }
    if (!signal.aborted) onSchedule(watch?.order);
  };

  return {
    notify() {
      state.isPending = true;
      state.serving ??= serve()
        .catch((error: unknown) => {
          if (!signal.aborted) warn(listenerReasons.notFired(sayError(error)));
        })
        .finally(() => (state.serving = undefined));
    },
    end: async () => state.serving,
  };
}

/** Waits until no run of the schedule is going or about to: two at once would skip one for its lock. */
async function awaitTurn(client: Client, definitionId: string, signal: AbortSignal) {
  const ended = new Set<string>();
  let hasLetPass = false;
  for (;;) {
    const watch = await observeWatch(client, definitionId);
    if (watch === undefined || watch.isPaused) return watch;
    const going = watch.running.filter(({ runId }) => !ended.has(runId));
    for (const run of going) {
      await awaitEnd(client, run);
      ended.add(run.runId);
    }
    const aheadMs = (watch.nextTickAt?.getTime() ?? Infinity) - Date.now();
    if (!hasLetPass && aheadMs < tickAheadMs) {
      hasLetPass = true;
      await pause(Math.max(0, aheadMs) + tickAheadMs, signal);
    } else if (going.length === 0) {
      return watch;
    }
  }
}

async function awaitEnd(client: Client, { workflowId, runId }: RunningWorkflow): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId, runId).result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError || error instanceof WorkflowNotFoundError)) throw error;
  }
}

/** Starts what the schedule would, under an id by which a second try is known as such. */
async function fire(
  client: Client,
  { action, order }: WatchSchedule,
  workflowId: string,
  firing: HandFiring,
): Promise<RunningWorkflow | undefined> {
  const { taskQueue, workflowExecutionTimeout, staticSummary, staticDetails, typedSearchAttributes } = action;
  const attributes = Array.isArray(typedSearchAttributes)
    ? typedSearchAttributes
    : (typedSearchAttributes?.getAll() ?? []);
  const own = [
    { key: defineSearchAttributeKey(searchAttributes.trigger, SearchAttributeType.KEYWORD), value: firing.trigger },
    { key: defineSearchAttributeKey(searchAttributes.actor, SearchAttributeType.KEYWORD), value: firing.actor },
  ];
  const kept = attributes.filter(({ key }) => own.every(({ key: { name } }) => name !== key.name));
  try {
    const started = await client.workflow.start(action.workflowType, {
      ...{ workflowId, taskQueue, args: [order, firing], typedSearchAttributes: [...kept, ...own] },
      ...(workflowExecutionTimeout === undefined ? {} : { workflowExecutionTimeout }),
      ...(staticSummary === undefined ? {} : { staticSummary }),
      ...(staticDetails === undefined ? {} : { staticDetails }),
    });
    return { workflowId, runId: started.firstExecutionRunId };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return undefined;
  }
}
