import { Context } from '@temporalio/activity';
import type { Info } from '@temporalio/activity';
import { isSkippedAsLate, mayResume } from '../workflows/contract.ts';
import type { Firing, Order, RunReport } from '../workflows/contract.ts';
import { type Account, openAccount } from './account.ts';
import { type Checkpoint, type RunProgress, carriedFailures, readCheckpoint } from './checkpoint.ts';
import { InterruptedError, openDeadline } from './deadline.ts';
import type { Dependencies } from './dependencies.ts';
import { type Ending, reportEnding } from './ending.ts';
import { nameFailure } from './hand-over.ts';
import { awaitAtMost } from './patience.ts';
import { type Pulse, freezeMs, openPulse } from './pulse.ts';
import { explainInterruption } from './reasons.ts';
import { deliverReport, explainMisfire, recordStart } from './record.ts';
import { askStanding, isTakenOver } from './succession.ts';
import { nameTrigger } from './tick.ts';

/** A history that is slow to take the start must not eat the budget: the start may arrive after the end as well. */
const startAllowanceMs = 2_500;

/** What a kind of activity gets to do its work: it says how it ended, or throws the signal's reason. */
export interface RunContext {
  deps: Dependencies;
  order: Order;
  firing: Firing;
  /** When the first worker began the run. */
  startedAt: Date;
  signal: AbortSignal;
  progress: RunProgress;
  account: Account;
  pulse: Pulse;
  /** False where a worker before has begun the run; `earlier` is what it left, which is undefined when nothing arrived. */
  isFirst: boolean;
  earlier?: Checkpoint;
  /** Set by work that another worker can go on with: what that one has to know, beside what the run keeps itself. */
  describeWork?: () => Pick<RunProgress, 'progress' | 'targets'> & Pick<Checkpoint, 'operation' | 'fanOut'>;
}

/**
 * The frame of every run: heartbeats, the hard timeout, the lateness check on this side of the queue, and the row. A
 * run that goes wrong is a report like any other; what is thrown is a defect, or says that another worker goes on.
 */
export async function conductRun(
  deps: Dependencies,
  order: Order,
  fired: Firing,
  work: (context: RunContext) => Promise<Ending>,
): Promise<RunReport> {
  const activity = Context.current();
  const { cancellationSignal, info } = activity;
  const now = deps.now();
  const earlier = readCheckpoint(order, info);
  const startedAt = earlier === undefined ? now : new Date(earlier.startedAt);
  const firing = nameTrigger(order, fired);
  const hardTimeoutAt = startedAt.getTime() + order.budget.hardTimeoutMs;
  const cancellations = deps.cutShort === undefined ? [cancellationSignal] : [cancellationSignal, deps.cutShort];
  const deadline = openDeadline(cancellations, Math.max(0, hardTimeoutAt - now.getTime()));
  const context: RunContext = {
    ...{ deps, order, firing, startedAt, signal: deadline.signal, isFirst: info.attempt <= 1 },
    progress: { stage: 'starting', attempt: 1, elapsedMs: 0 },
    account: earlier === undefined ? openAccount(queueTime(info.scheduledTimestampMs, now)) : resumeAccount(earlier),
    pulse: openPulse(activity, {
      describe: () => describeProgress(context),
      isOwn: async () => (await askStanding(activity)) === 'own',
      abandon: () => deadline.abandon(),
      isDoubtful: mayResume(order) && isDoubtful(info, now),
    }),
    ...(earlier === undefined ? {} : { earlier }),
  };
  context.pulse.begin();
  try {
    const ending = await settle(context, work);
    const times = { startedAt, finishedAt: ending.finishedAt ?? deps.now(), attempt: context.progress.attempt };
    const { account } = context;
    const report = reportEnding(order, firing, ending, { ...times, account, certainty: certaintyOf(deadline.signal) });
    if (report.certainty === 'inferred' && mayResume(order) && (await isTakenOver(activity))) return report;
    return await deliverReport(deps, order, firing, report);
  } catch (error) {
    throw nameFailure(error);
  } finally {
    context.pulse.close();
    deadline.close();
  }
}

async function settle(context: RunContext, work: (context: RunContext) => Promise<Ending>): Promise<Ending> {
  const { deps, order, firing, signal, startedAt, isFirst, pulse } = context;
  if (isFirst && isSkippedAsLate(order, firing, startedAt.getTime())) {
    return explainMisfire(order, firing, startedAt);
  }
  try {
    await pulse.confirm(signal);
    await awaitAtMost(startAllowanceMs, recordStart(deps, order, firing, startedAt));
    return await work(context);
  } catch (error) {
    if (!(error instanceof InterruptedError) || !signal.aborted) throw error;
    return explainInterruption(error.interruption, order.budget.hardTimeoutMs);
  }
}

function describeProgress(context: RunContext): RunProgress {
  const { deps, order, startedAt, account, progress, describeWork } = context;
  const elapsedMs = deps.now().getTime() - startedAt.getTime();
  if (!mayResume(order)) return { ...progress, elapsedMs };
  const { operation, fanOut, ...shown } = describeWork?.() ?? {};
  const checkpoint: Checkpoint = {
    startedAt: startedAt.toISOString(),
    stages: account.stages,
    failedAttempts: account.failedAttempts.slice(0, carriedFailures),
    ...(operation === undefined ? {} : { operation }),
    ...(fanOut === undefined ? {} : { fanOut }),
  };
  return { ...progress, ...shown, elapsedMs, checkpoint };
}

function resumeAccount({ stages, failedAttempts }: Checkpoint): Account {
  return { stages: { ...stages }, failedAttempts: [...failedAttempts], hasSent: true };
}

/** What was handed to a worker while it was frozen may have been given to another one since. */
function isDoubtful({ attempt, currentAttemptScheduledTimestampMs: scheduledMs }: Info, now: Date): boolean {
  return attempt > 1 || now.getTime() - scheduledMs > freezeMs;
}

/** The clocks of server and worker may differ by more than a run has waited. */
function queueTime(scheduledMs: number, now: Date): number {
  return Math.max(0, now.getTime() - scheduledMs);
}

/** A run that the server gave up on cannot outrank what was concluded about it meanwhile. */
function certaintyOf(signal: AbortSignal): RunReport['certainty'] {
  const reason: unknown = signal.reason;
  return reason instanceof InterruptedError && reason.interruption === 'abandoned' ? 'inferred' : 'witnessed';
}
