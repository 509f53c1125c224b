import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { EachPlan } from '../workflows/contract.ts';
import { openAnnouncer } from './announcer.ts';
import { type Stop, concludeFanOut } from './conclusion.ts';
import { InterruptedError } from './deadline.ts';
import type { Ending } from './ending.ts';
import type { EndedTarget, FanOut } from './fan-out.ts';
import { openCheckpoints } from './fan-out-checkpoint.ts';
import { describeProgress, describeTally, fanOutReasons } from './fan-out-reasons.ts';
import { HandOverError } from './hand-over.ts';
import { callListed } from './listed-target.ts';
import { runPool } from './pool.ts';
import { fixHeaders } from './request.ts';
import { takeUpFanOut } from './resume.ts';
import type { Sweep } from './sweep.ts';
import { type Target, TargetListError } from './target-list.ts';

const settleAllowanceMs = 5_000;
const handOverAllowanceMs = 2_000;
/** Results beyond what the writer's queue holds would be dropped; those of targets that were not reached come all at once. */
const queueRoom = 512;
const unreachedAllowanceMs = 5_000;

/**
 * The sweep of a list: one request for each target, so many at a time, under one budget. The heartbeat holds what has
 * ended, so that another worker goes on where this one stopped and asks no target again that has ended.
 */
export async function sweepEach(sweep: Sweep, each: EachPlan): Promise<Ending> {
  const { context, order } = sweep;
  const { progress, deps } = context;
  const run = { runId: sweep.scope.idempotencyKey, scheduledAt: context.firing.scheduledAt };
  // Not a spread: V8 is slow at those that add keys, and this is done for every target.
  const offer = (result: EndedTarget) => deps.details.offer(Object.assign({}, run, result));
  let fanOut: FanOut;
  try {
    progress.stage = 'listing the targets';
    fanOut = await takeUpFanOut(sweep, each, offer);
  } catch (error) {
    if (!(error instanceof TargetListError)) throw error;
    return { outcome: 'automation_error', reason: error.message };
  }
  const describeCheckpoint = openCheckpoints(fanOut, Array.isArray(each.targets));
  context.describeWork = () => {
    const targets = fanOut.tally();
    return { progress: describeProgress(targets), targets, fanOut: describeCheckpoint() };
  };
  const activity = Context.current();
  progress.stage = 'calling the targets';
  progress.attempt = activity.info.attempt;
  context.pulse.touch();
  const announcer = openAnnouncer(activity, order.budget.hardTimeoutMs, () => describeTally(fanOut.tally()));
  try {
    await callAll(sweep, each, fanOut, offer);
  } catch (error) {
    await deps.details.settle(sweep.scope.idempotencyKey, handOverAllowanceMs);
    throw error;
  } finally {
    await announcer.close();
  }
  return finish(sweep, each, fanOut, offer);
}

async function callAll(
  sweep: Sweep,
  each: EachPlan,
  fanOut: FanOut,
  offer: (result: EndedTarget) => void,
): Promise<void> {
  const { context, caller } = sweep;
  const open = fanOut.targets.filter(({ ordinal }) => !fanOut.ended.has(ordinal));
  const headers = fixHeaders(caller.plan.request, sweep.scope);
  const scope = headers === undefined ? sweep.scope : { ...sweep.scope, headers };
  const onEnded = (result: EndedTarget) => {
    offer(result);
    context.pulse.touch();
  };
  const calling = { ...sweep, scope, onEnded };
  const mayStart = () => context.deps.leaving?.aborted !== true && context.deps.now().getTime() <= caller.startsUntilMs;
  await runPool(open, each.concurrency, { signal: context.signal, mayStart }, (target, signal) =>
    callListed(calling, each, fanOut, target, signal),
  );
}

/** Says of the targets that are left why nothing became of them, waits for the rows, and judges the whole. */
async function finish(
  sweep: Sweep,
  each: EachPlan,
  fanOut: FanOut,
  offer: (result: EndedTarget) => void,
): Promise<Ending> {
  const { context, order } = sweep;
  const { deps, signal } = context;
  const finishedAt = deps.now();
  const interruption = signal.reason instanceof InterruptedError ? signal.reason.interruption : undefined;
  const settle = (atMostMs: number) => deps.details.settle(sweep.scope.idempotencyKey, atMostMs);
  if (interruption === 'abandoned') {
    await settle(handOverAllowanceMs);
    throw signal.reason;
  }
  const open = fanOut.targets.filter(({ ordinal }) => !fanOut.ended.has(ordinal));
  const isLeaving = interruption === 'worker_shutdown' || deps.leaving?.aborted === true;
  if (isLeaving && open.length > 0) {
    await settle(handOverAllowanceMs);
    throw new HandOverError();
  }
  const stop = interruption === 'worker_shutdown' ? undefined : interruption;
  await offerUnreached(sweep, open, stop, offer);
  const { dropped } = await settle(settleAllowanceMs);
  return { ...concludeFanOut(order, each, fanOut, stop), finishedAt, detailsDropped: dropped };
}

async function offerUnreached(
  { context, order }: Sweep,
  open: Target[],
  stop: Stop,
  offer: (result: EndedTarget) => void,
): Promise<void> {
  const { details, now } = context.deps;
  const untilMs = now().getTime() + unreachedAllowanceMs;
  const common = { outcome: 'not_reached', assessment: 'none', assessmentFailureCount: 0, attempt: 0 } as const;
  const reason = explainUnreached(order, stop);
  for (const { ordinal, key: target } of open) {
    while (details.metrics().actcore_ledger_queue_depth >= queueRoom && now().getTime() < untilMs) await sleep(5);
    offer({ ...common, ordinal, target, reason });
  }
}

function explainUnreached({ budget }: Sweep['order'], stop: Stop): string {
  if (stop === 'cancelled') return fanOutReasons.cancelledBefore;
  if (stop === 'hard_timeout') return fanOutReasons.hardTimeoutBefore(budget.hardTimeoutMs);
  return fanOutReasons.budgetSpent(budget.maxSeconds);
}
