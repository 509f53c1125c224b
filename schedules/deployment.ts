import type { Connection } from '@temporalio/client';
import { readServerFault } from './server-fault.ts';

/** A version of a worker deployment that new runs are to go to; `buildId` is absent for the workers that have no version. */
export interface WantedVersion {
  namespace: string;
  name: string;
  buildId?: string;
  /** Who says so. */
  identity: string;
}

/** What became of it: the build that was current before (undefined: workers without a version), or why it cannot be yet. */
export type VersionChange = { previous: string | undefined } | { notYet: string };

/** Not found, as long as no worker of it has polled; a precondition, where one of its task queues is not polled. */
const notYetCodes = new Set([5, 9]);

/** Makes a version of a worker deployment the current one; may be repeated. */
export async function setCurrentVersion(connection: Connection, wanted: WantedVersion): Promise<VersionChange> {
  const { namespace, name: deploymentName, buildId = '', identity } = wanted;
  try {
    const { previousDeploymentVersion } = await connection.workflowService.setWorkerDeploymentCurrentVersion({
      ...{ namespace, deploymentName, buildId, identity },
    });
    return { previous: previousDeploymentVersion?.buildId || undefined };
  } catch (error) {
    const fault = readServerFault(error);
    if (fault === undefined || !notYetCodes.has(fault.code)) throw error;
    return { notYet: fault.message };
  }
}
