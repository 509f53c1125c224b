import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import type { SearchAttributePair } from '@temporalio/common';
import type { WorkflowInfo } from '@temporalio/workflow';
import { ownSource, searchAttributes } from './contract.ts';
import type { Firing, HandFiring, RunReport } from './contract.ts';

const scheduledStartTime = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/** What fired this run. A schedule leaves the tick in a search attribute; a firing by hand says so itself. */
export function readFiring(info: WorkflowInfo, byHand: HandFiring | undefined): Firing {
  const tick = info.typedSearchAttributes.get(scheduledStartTime);
  return {
    source: ownSource,
    trigger: byHand?.trigger ?? 'schedule',
    actor: byHand?.actor ?? 'schedule',
    scheduledAt: (tick ?? info.startTime).toISOString(),
    workflowId: info.workflowId,
    workflowRunId: info.firstExecutionRunId,
    ...(byHand?.dryRun === true ? { dryRun: true } : {}),
  };
}

/** The search attributes that only the end of a run can fill. */
export function describeOutcome(report: RunReport): SearchAttributePair[] {
  return [
    { key: defineSearchAttributeKey(searchAttributes.outcome, SearchAttributeType.KEYWORD), value: report.outcome },
    { key: defineSearchAttributeKey(searchAttributes.trigger, SearchAttributeType.KEYWORD), value: report.trigger },
  ];
}
