import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ActivityCancellationType,
  defineSignal,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { isSkippedAsLate, mayResume, progressSignal } from './contract.ts';
import type { Firing, HandFiring, InferredEnd, Order, RunReport } from './contract.ts';
import { concludeEnd, pausesSchedule } from './failure.ts';
import { describeOutcome, readFiring } from './firing.ts';

/** How long after its hard timeout an activity may still be writing its row, and how long without a heartbeat it lives. */
const recordingAllowanceMs = 20_000;
const heartbeatTimeoutMs = 15_000;
/** A fan-out has a row for each target to see off as well. */
const resumableAllowanceMs = 40_000;
/** How many workers in all may go on with a run; what it may take counts from the first. */
const mostWorkers = 20;

const handOverPolicy = { initialInterval: '1 second', backoffCoefficient: 1, maximumAttempts: mostWorkers } as const;

const { recordOutcome, pauseSchedule } = proxyActivities<Activities>({
  startToCloseTimeout: '15 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/** One firing of one definition, from the tick to the row. The result is what the row says. */
export async function activityRun(order: Order, byHand?: HandFiring): Promise<RunReport> {
  const startedAt = new Date().toISOString();
  const firing = readFiring(workflowInfo(), byHand);
  const report = await obtainReport(order, firing, startedAt);
  upsertSearchAttributes(describeOutcome(report));
  setCurrentDetails(`**${report.outcome}** (assessment: ${report.assessment}): ${report.reason}`);
  if (pausesSchedule(order, report)) {
    await pauseSchedule(
      order.definition.id,
      `actcore: run ${report.runId} ended as ${report.outcome}: ${report.reason}`,
    );
  }
  return close(order, report);
}

async function obtainReport(order: Order, firing: Firing, startedAt: string): Promise<RunReport> {
  const record = (end: InferredEnd) =>
    CancellationScope.nonCancellable(() => recordOutcome(order, firing, end, startedAt));
  if (isSkippedAsLate(order, firing, Date.parse(startedAt))) return record({ kind: 'misfire' });
  setCurrentDetails(`waiting for a worker, or at work since ${startedAt}`);
  const isResumable = mayResume(order);
  if (isResumable || order.kind === 'watchdog') setHandler(defineSignal<[string]>(progressSignal), setCurrentDetails);
  const { sweep, watchdog } = proxyActivities<Activities>({
    startToCloseTimeout: order.budget.hardTimeoutMs + (isResumable ? resumableAllowanceMs : recordingAllowanceMs),
    heartbeatTimeout: heartbeatTimeoutMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: isResumable ? handOverPolicy : { maximumAttempts: 1 },
  });
  try {
    const report = await (order.kind === 'watchdog' ? watchdog : sweep)(order, firing);
    return report.recorded ? report : await record({ kind: 'unrecorded', report });
  } catch (error) {
    return record(concludeEnd(error));
  }
}

/** Closes the workflow so that its status in the Temporal UI agrees with the row and the definition's `on_failure`. */
function close(order: Order, report: RunReport): RunReport {
  if (report.outcome === 'cancelled' && CancellationScope.current().consideredCancelled) {
    throw new CancelledFailure(report.reason);
  }
  if (order.onFailure === 'fail' && report.exitCode !== 0) {
    throw ApplicationFailure.nonRetryable(report.reason, report.outcome, report);
  }
  return report;
}
