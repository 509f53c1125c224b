import { formatDuration } from '../compiler/duration.ts';

/**
 * What becomes of a tick. `ran` within the grace and `late_run` after it did the work; `dropped` ticks the server never
 * starts; `given_up` runs waited so long for a worker that the server ended them.
 */
export const fates = [
  'ran',
  'late_run',
  'overlap_skipped',
  'misfire_skipped',
  'dropped',
  'timed_out',
  'cancelled',
  'given_up',
] as const;

export type Fate = (typeof fates)[number];

/** One tick and what became of it; times are epoch milliseconds, and absent where nothing was started or ended. */
export interface SimulatedTick {
  tickMs: number;
  fate: Fate;
  /** When a worker took it up. */
  startedMs?: number;
  endedMs?: number;
  /** A sentence; empty where a run did its work on time. */
  reason: string;
}

/** Every sentence that says why a tick fared as it did; durations are milliseconds. */
export const reasons = {
  lateWithinGrace: (latenessMs: number, graceMs: number) =>
    `started ${show(latenessMs)} after its tick, within the grace of ${show(graceMs)}`,
  lateRun: (latenessMs: number, graceMs: number) =>
    `started ${show(latenessMs)} after its tick, beyond the grace of ${show(graceMs)}: the one late run of run_once`,
  misfire: (latenessMs: number, graceMs: number) =>
    `would have started ${show(latenessMs)} after its tick; the grace is ${show(graceMs)}`,
  dropped: (latenessMs: number, windowMs: number) =>
    `the server was back ${show(latenessMs)} after the tick, beyond its catch-up window of ${show(windowMs)}: no row of a run`,
  bufferFull: (size: number) => `the server catches up on ${size} ticks at once and drops the others: no row of a run`,
  overlap: (other: string) => `the run of ${other} was still open`,
  timedOut: (hardTimeoutMs: number) => `the request is aborted at the hard timeout of ${show(hardTimeoutMs)}`,
  abandoned:
    'it was at work when the server went away, which gives it up when it is back unless a heartbeat comes first',
  workerStopped: (graceMs: number) =>
    `the worker was stopped while it was at work, and gives a run ${show(graceMs)} to end`,
  givenUp: (timeoutMs: number) => `no worker took it up within ${show(timeoutMs)}, after which the server ends a run`,
} as const;

function show(durationMs: number): string {
  return formatDuration(durationMs);
}
