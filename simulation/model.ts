import { catchupWindowMs, executionTimeoutMs } from '../compiler/server-limits.ts';
import { isMisfire } from '../workflows/contract.ts';
import type { Order } from '../workflows/contract.ts';
import { reasons } from './fate.ts';
import type { SimulatedTick } from './fate.ts';
import { awaitPresence, findInterruption, findOutage, mergeOutages } from './outages.ts';
import type { Outage } from './outages.ts';

/** What is assumed of the world outside the definition. */
export interface Scenario {
  outages: readonly Outage[];
  /** How long the target takes to answer, in milliseconds. */
  runtimeMs: number;
  /** How a tick is named in a reason; epoch milliseconds. */
  nameTick: (tickMs: number) => string;
}

/** A tick that was started; its workflow is open until `closedMs`, and until then others overlap with it. */
interface Run extends SimulatedTick {
  closedMs: number;
}

interface State extends Scenario {
  order: Order;
  lastRun?: Run;
}

/** Of one outage the server catches up on no more ticks than this (`MaxBufferSize` of its scheduler). */
const serverBufferSize = 1_000;
/** An activity whose heartbeats stop for longer is lost to the server. */
const heartbeatTimeoutMs = 15_000;
/** What a worker that is stopped gives its runs to end. */
const shutdownGraceMs = 3_000;

/**
 * Plays ticks (rising, epoch milliseconds) through the schedule, the workflow and the activity of an order, on a clock of
 * its own. Nothing takes time but the outages and the runs; nothing runs before the first tick.
 */
export function simulateTicks(order: Order, ticksMs: readonly number[], scenario: Scenario): SimulatedTick[] {
  const outages = mergeOutages(scenario.outages);
  const state: State = { ...scenario, order, outages };
  const simulated: SimulatedTick[] = [];
  for (let index = 0; index < ticksMs.length;) {
    const tick = ticksMs[index] ?? 0;
    const outage = findOutage(outages, 'server', tick);
    const end = outage === undefined ? index + 1 : countUntil(ticksMs, index, outage.toMs);
    simulated.push(...processBatch(state, ticksMs.slice(index, end), outage?.toMs ?? tick));
    index = end;
  }
  return simulated;
}

/** A server that is back looks at all that it missed at once, a tick of that very moment included. */
function countUntil(ticksMs: readonly number[], from: number, untilMs: number): number {
  let end = from;
  while ((ticksMs[end] ?? Infinity) <= untilMs) end += 1;
  return end;
}

/** What the server does with the ticks that it sees at one moment: drops, starts at most one, and skips the rest. */
function processBatch(state: State, ticksMs: readonly number[], nowMs: number): SimulatedTick[] {
  const windowMs = catchupWindowMs(state.order);
  const { lastRun, nameTick } = state;
  let holder = lastRun !== undefined && lastRun.closedMs >= nowMs ? lastRun : undefined;
  let buffered = 0;
  return ticksMs.map((tickMs) => {
    if (nowMs - tickMs > windowMs) {
      return { tickMs, fate: 'dropped', reason: reasons.dropped(nowMs - tickMs, windowMs) };
    }
    buffered += 1;
    if (buffered > serverBufferSize) return { tickMs, fate: 'dropped', reason: reasons.bufferFull(serverBufferSize) };
    if (holder !== undefined) {
      return { tickMs, fate: 'overlap_skipped', reason: reasons.overlap(nameTick(holder.tickMs)) };
    }
    const { closedMs, ...started } = (holder = startRun(state, tickMs, nowMs));
    return started;
  });
}

function startRun(state: State, tickMs: number, nowMs: number): Run {
  const run = conductRun(state, tickMs, nowMs);
  state.lastRun = run;
  return run;
}

/** A workflow that the server started at `nowMs`, from there to its close. */
function conductRun({ order, outages, runtimeMs }: State, tickMs: number, nowMs: number): Run {
  const { misfire, budget } = order;
  const startedMs = awaitPresence(outages, ['worker', 'server'], nowMs);
  const timeoutMs = executionTimeoutMs(order);
  if (startedMs - nowMs >= timeoutMs) {
    return { tickMs, fate: 'given_up', reason: reasons.givenUp(timeoutMs), closedMs: nowMs + timeoutMs };
  }
  const latenessMs = startedMs - tickMs;
  const isLate = isMisfire(order, new Date(tickMs).toISOString(), startedMs);
  if (isLate && misfire.policy === 'skip') {
    return {
      tickMs,
      fate: 'misfire_skipped',
      reason: reasons.misfire(latenessMs, misfire.graceMs),
      closedMs: startedMs,
    };
  }
  const begun = { tickMs, startedMs };
  const interruption = interruptRun(outages, startedMs, startedMs + Math.min(runtimeMs, budget.hardTimeoutMs));
  if (interruption !== undefined) return { ...begun, ...interruption };
  const isTimeout = runtimeMs > budget.hardTimeoutMs;
  const endedMs = startedMs + Math.min(runtimeMs, budget.hardTimeoutMs);
  const closedMs = awaitPresence(outages, ['worker', 'server'], endedMs);
  if (isTimeout) {
    return { ...begun, endedMs, closedMs, fate: 'timed_out', reason: reasons.timedOut(budget.hardTimeoutMs) };
  }
  const reason =
    latenessMs === 0 ? '' : (isLate ? reasons.lateRun : reasons.lateWithinGrace)(latenessMs, misfire.graceMs);
  return { ...begun, endedMs, closedMs, fate: isLate ? 'late_run' : 'ran', reason };
}

/** What an outage that begins while a run is at work makes of it; undefined where the run ends by itself all the same. */
function interruptRun(
  outages: readonly Outage[],
  startedMs: number,
  endMs: number,
): Pick<Run, 'fate' | 'endedMs' | 'reason' | 'closedMs'> | undefined {
  const stop = findInterruption(outages, 'worker', startedMs, endMs - shutdownGraceMs);
  const lost = findInterruption(outages, 'server', startedMs, endMs);
  const isLost = lost !== undefined && lost.toMs < endMs && lost.toMs - lost.fromMs > heartbeatTimeoutMs;
  if (isLost && (stop === undefined || lost.fromMs < stop.fromMs)) {
    const closedMs = awaitPresence(outages, ['worker', 'server'], lost.toMs);
    return { fate: 'cancelled', endedMs: lost.toMs, closedMs, reason: reasons.abandoned };
  }
  if (stop === undefined) return undefined;
  const endedMs = stop.fromMs + shutdownGraceMs;
  const closedMs = awaitPresence(outages, ['worker', 'server'], endedMs);
  return { fate: 'cancelled', endedMs, closedMs, reason: reasons.workerStopped(shutdownGraceMs) };
}
