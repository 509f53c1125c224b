import type { Order } from '../workflows/contract.ts';

/** A misfire leaves a row only if the server still starts it, so the window is wider than the grace by this much. */
const windowBeyondGraceMs = 60_000;
/** Under `run_once` one late run is wanted, however long the server was away within a week. */
const runOnceWindowMs = 7 * 86_400_000;
/** How long a run may wait for a worker, or for the history to be back, before the server ends it. */
const patienceMs = 86_400_000;

/** How long after its tick the server may still start a run, in milliseconds; later ones it drops without a trace. */
export function catchupWindowMs({ misfire }: Pick<Order, 'misfire'>): number {
  return misfire.policy === 'run_once' ? runOnceWindowMs : misfire.graceMs + windowBeyondGraceMs;
}

/** How long a workflow may be open before the server ends it, in milliseconds. */
export function executionTimeoutMs({ budget }: Pick<Order, 'budget'>): number {
  return budget.hardTimeoutMs + patienceMs;
}
