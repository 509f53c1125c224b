import { log } from '@temporalio/activity';
import type { Firing, InferredEnd, Order, RunReport } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { type Ending, reportEnding } from './ending.ts';
import { awaitAtMost } from './patience.ts';
import { reasons } from './reasons.ts';
import { fitReport, summarizeReport } from './report-size.ts';
import { nameTrigger } from './tick.ts';

/** A history that is this slow is left to the workflow: the activity has a time of its own to end by. */
const endAllowanceMs = 10_000;

/** Makes the row of a run that starts. A history that is away does not stop the run. */
export async function recordStart(deps: Dependencies, order: Order, firing: Firing, startedAt: Date): Promise<void> {
  try {
    await deps.ledger.recordStart(order, firing, { startedAt: startedAt.toISOString(), attempt: 1 });
  } catch (error) {
    log.warn('The start of the run was not recorded; its end will be', { error });
  }
}

/**
 * Writes the row of an ended run and returns what the workflow needs of it. Where the history is away the whole report
 * goes to the workflow, which writes it later.
 */
export async function deliverReport(
  deps: Dependencies,
  order: Order,
  firing: Firing,
  report: RunReport,
): Promise<RunReport> {
  try {
    const recorded = await awaitAtMost(endAllowanceMs, deps.ledger.recordEnd(order, firing, report));
    if (recorded !== undefined) return summarizeReport(recorded);
    log.warn('The history is too slow to record the end of the run; the workflow will record it');
  } catch (error) {
    log.warn('The end of the run was not recorded; the workflow will record it', { error });
  }
  return fitReport(report);
}

/**
 * Writes the row of a run whose activity could not: Temporal repeats it until the history is back. Throws what the
 * history throws.
 */
export async function recordInferredEnd(
  deps: Dependencies,
  order: Order,
  fired: Firing,
  end: InferredEnd,
  startedAt: string,
): Promise<RunReport> {
  const firing = nameTrigger(order, fired);
  if (end.kind === 'unrecorded') return summarizeReport(await deps.ledger.recordEnd(order, firing, end.report));
  const times = { startedAt: new Date(startedAt), finishedAt: deps.now() };
  const ending = explainEnd(order, firing, end, times.startedAt);
  const certainty = end.kind === 'misfire' ? 'witnessed' : 'inferred';
  const report = reportEnding(order, firing, ending, { ...times, attempt: 1, certainty });
  return summarizeReport(await deps.ledger.recordEnd(order, firing, report));
}

function explainEnd(
  order: Order,
  firing: Firing,
  end: Exclude<InferredEnd, { kind: 'unrecorded' }>,
  startedAt: Date,
): Ending {
  switch (end.kind) {
    case 'misfire':
      return explainMisfire(order, firing, startedAt);
    case 'worker_lost':
      return { outcome: 'automation_error', reason: reasons.workerLost };
    case 'timed_out':
      return { outcome: 'timed_out', reason: reasons.activityTimedOut };
    case 'cancelled':
      return { outcome: 'cancelled', reason: reasons.cancelledBeforeStart };
    case 'activity_failed':
      return { outcome: 'automation_error', reason: reasons.activityFailed(end.message) };
  }
}

/** How a run ends that starts too late. */
export function explainMisfire(order: Order, firing: Firing, startedAt: Date): Ending {
  const latenessMs = startedAt.getTime() - Date.parse(firing.scheduledAt);
  return { outcome: 'misfire_skipped', reason: reasons.misfire(latenessMs, order.misfire.graceMs) };
}
