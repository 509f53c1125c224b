import { ScheduleNotFoundError } from '@temporalio/client';
import type { Client, ScheduleDescription } from '@temporalio/client';
import type { Order, WatchdogOrder } from '../../workflows/contract.ts';

/** The schedule of a watchdog, as far as whoever fires it out of turn has to know it. */
export interface WatchSchedule {
  isPaused: boolean;
  order: WatchdogOrder;
  action: ScheduleDescription['action'];
  /** The runs of the schedule that are going, as far as the server has noticed. */
  running: { workflowId: string; runId: string }[];
  nextTickAt: Date | undefined;
}

/** Asks the server for it; undefined where it is not there, or no longer runs a watchdog that listens. */
export async function observeWatch(client: Client, definitionId: string): Promise<WatchSchedule | undefined> {
  try {
    const { action, info, state } = await client.schedule.getHandle(definitionId).describe();
    const order = action.args?.[0] as Order | undefined;
    if (order?.kind !== 'watchdog' || order.watchdog.listen === undefined) return undefined;
    const running = info.runningActions.map(({ workflow }) => ({
      workflowId: workflow.workflowId,
      runId: workflow.firstExecutionRunId,
    }));
    return { isPaused: state.paused, order, action, running, nextTickAt: info.nextActionTimes[0] };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
