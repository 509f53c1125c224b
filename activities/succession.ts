import type { Context } from '@temporalio/activity';
import { type Order, mayResume } from '../workflows/contract.ts';
import { awaitAtMost } from './patience.ts';

const askAllowanceMs = 2_000;

/**
 * Whether another worker goes on with a run that the server no longer expects of this one: then the row is that
 * worker's to write. It is not where the workflow has ended.
 */
export async function isTakenOver(activity: Context, order: Order): Promise<boolean> {
  const execution = activity.info.workflowExecution;
  if (!mayResume(order) || execution === undefined) return false;
  const ask = async () => {
    const { status } = await activity.client.workflow.getHandle(execution.workflowId, execution.runId).describe();
    return status.name === 'RUNNING';
  };
  return (
    (await awaitAtMost(
      askAllowanceMs,
      ask().catch(() => false),
    )) ?? false
  );
}
