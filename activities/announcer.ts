import type { Context } from '@temporalio/activity';
import { progressSignal } from '../workflows/contract.ts';
import { awaitAtMost } from './patience.ts';

/** A signal costs four events of the run's history: this often at most, and this many in all. */
const leastEveryMs = 10_000;
const mostAnnouncements = 100;
const lastAllowanceMs = 1_000;

/** Tells the workflow of a long fan-out now and then how far it is, for the Temporal UI to show. */
export function openAnnouncer(
  activity: Context,
  hardTimeoutMs: number,
  describe: () => string,
): { close(): Promise<void> } {
  let underWay: Promise<void> = Promise.resolve();
  const announce = async () => {
    const { workflowExecution } = activity.info;
    if (workflowExecution === undefined) return;
    const { workflowId, runId } = workflowExecution;
    await activity.client.workflow.getHandle(workflowId, runId).signal(progressSignal, describe());
  };
  const everyMs = Math.max(leastEveryMs, hardTimeoutMs / mostAnnouncements);
  // A run goes on whether anybody hears of it or not.
  const timer = setInterval(() => {
    underWay = announce().catch(() => {});
  }, everyMs);
  return {
    async close() {
      clearInterval(timer);
      await awaitAtMost(lastAllowanceMs, underWay);
    },
  };
}
