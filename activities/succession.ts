import type { Context } from '@temporalio/activity';

/**
 * From whom the server expects the end of a run: from this attempt, from another one or the workflow itself, or, where the
 * workflow has ended, from nobody.
 */
type Standing = 'own' | 'taken' | 'gone';

const askAllowanceMs = 2_000;

/** Asks the server. Fails where it cannot be asked. */
export async function askStanding({ client, info }: Context): Promise<Standing> {
  const { workflowExecution: execution, activityId, attempt } = info;
  if (execution === undefined) return 'gone';
  const handle = client.workflow.getHandle(execution.workflowId, execution.runId);
  // Of itself the client gives up with the activity, which is when this is asked.
  const limit = AbortSignal.timeout(askAllowanceMs);
  const { status, raw } = await client.withAbortSignal(limit, () => handle.describe());
  if (status.name !== 'RUNNING') return 'gone';
  const pending = raw.pendingActivities?.find((candidate) => candidate.activityId === activityId);
  return pending?.attempt === attempt ? 'own' : 'taken';
}

/** Whether the row of a run that was given up is someone else's to write. */
export async function isTakenOver(activity: Context): Promise<boolean> {
  return (await askStanding(activity).catch(() => 'gone')) === 'taken';
}
