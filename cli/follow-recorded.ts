import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { RunDetail } from '../history/queries.ts';
import { ownSource } from '../workflows/contract.ts';
import type { activityRun } from '../workflows/activity-run.ts';
import type { Session } from './command.ts';
import { followRun } from './firing.ts';
import type { Followed } from './firing.ts';
import { Refusal } from './refusal.ts';
import { withTemporal } from './temporal-service.ts';

/** Follows a run that the history knows as going, to its end. Refuses where Temporal does not drive or know it. */
export async function followRecorded({ settings, output, signal }: Session, run: RunDetail): Promise<Followed> {
  if (run.source !== ownSource) {
    throw new Refusal(`Run ${run.id} is driven by ${run.source} and cannot be followed`, 'Ask again later.');
  }
  const follow = async (client: Client) => {
    const handle = client.workflow.getHandle<typeof activityRun>(run.workflowId, run.workflowRunId);
    const followed = { workflowId: run.workflowId, handle };
    return followRun({ client, output, signal }, followed, Date.parse(run.startedAt));
  };
  try {
    return await withTemporal(settings, follow);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new Refusal(
      `Temporal at ${settings.temporalAddress} does not know run ${run.id}, which the history has as running`,
      'It may be another server, or one that has forgotten the run.',
    );
  }
}
