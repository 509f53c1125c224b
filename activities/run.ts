import { Context } from '@temporalio/activity';
import { isSkippedAsLate } from '../workflows/contract.ts';
import type { Firing, Order, RunReport } from '../workflows/contract.ts';
import { InterruptedError, openDeadline } from './deadline.ts';
import type { Dependencies } from './dependencies.ts';
import { type Ending, reportEnding } from './ending.ts';
import { awaitAtMost } from './patience.ts';
import { explainInterruption } from './reasons.ts';
import { deliverReport, explainMisfire, recordStart } from './record.ts';
import { nameTrigger } from './tick.ts';

const heartbeatEveryMs = 2_000;

/** A history that is slow to take the start must not eat the budget: the start may arrive after the end as well. */
const startAllowanceMs = 2_500;

/** Progress as the heartbeat carries it, for the Temporal UI and for whoever follows the run. */
export interface RunProgress {
  stage: string;
  attempt: number;
  elapsedMs: number;
}

/** What a kind of activity gets to do its work: it says how it ended, or throws the signal's reason. */
export interface RunContext {
  deps: Dependencies;
  order: Order;
  firing: Firing;
  signal: AbortSignal;
  progress: RunProgress;
}

/**
 * The frame of every run: heartbeats, the hard timeout, the lateness check on this side of the queue, and the row. A
 * run that goes wrong is a report like any other; what is thrown is a defect.
 */
export async function conductRun(
  deps: Dependencies,
  order: Order,
  fired: Firing,
  work: (context: RunContext) => Promise<Ending>,
): Promise<RunReport> {
  const activity = Context.current();
  const startedAt = deps.now();
  const firing = nameTrigger(order, fired);
  const progress: RunProgress = { stage: 'starting', attempt: 1, elapsedMs: 0 };
  const beat = () => activity.heartbeat({ ...progress, elapsedMs: deps.now().getTime() - startedAt.getTime() });
  beat();
  const heartbeats = setInterval(beat, heartbeatEveryMs);
  const deadline = openDeadline(activity.cancellationSignal, order.budget.hardTimeoutMs);
  try {
    const ending = await settle({ deps, order, firing, signal: deadline.signal, progress }, startedAt, work);
    const times = { startedAt, finishedAt: deps.now(), attempt: progress.attempt };
    const report = reportEnding(order, firing, ending, { ...times, certainty: certaintyOf(deadline.signal) });
    return await deliverReport(deps, order, firing, report);
  } finally {
    clearInterval(heartbeats);
    deadline.close();
  }
}

async function settle(
  context: RunContext,
  startedAt: Date,
  work: (context: RunContext) => Promise<Ending>,
): Promise<Ending> {
  const { deps, order, firing, signal } = context;
  if (isSkippedAsLate(order, firing, startedAt.getTime())) return explainMisfire(order, firing, startedAt);
  await awaitAtMost(startAllowanceMs, recordStart(deps, order, firing, startedAt));
  try {
    return await work(context);
  } catch (error) {
    if (!(error instanceof InterruptedError) || !signal.aborted) throw error;
    return explainInterruption(error.interruption, order.budget.hardTimeoutMs);
  }
}

/** A run that the server gave up on cannot outrank what was concluded about it meanwhile. */
function certaintyOf(signal: AbortSignal): RunReport['certainty'] {
  const reason: unknown = signal.reason;
  return reason instanceof InterruptedError && reason.interruption === 'abandoned' ? 'inferred' : 'witnessed';
}
