import { proxyActivities } from '@temporalio/workflow';

/** The least that Temporal can do for a tick: one workflow that calls one activity. */
export async function bareRun(url: string): Promise<number> {
  const { call } = proxyActivities<{ call(url: string): Promise<number> }>({ startToCloseTimeout: '1 minute' });
  return call(url);
}
