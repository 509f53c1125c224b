import type { Info } from '@temporalio/activity';
import { type Order, mayResume } from '../workflows/contract.ts';
import type { FailedAttempt, StageTimes, TargetTally } from '../workflows/contract.ts';
import type { FanOutCheckpoint } from './fan-out-checkpoint.ts';
import type { Operation } from './operation.ts';

/** What a worker leaves in its heartbeat, so that another can go on with the run. */
export interface Checkpoint {
  /** ISO: when the first worker began, from which every limit counts. */
  startedAt: string;
  stages: StageTimes;
  failedAttempts: FailedAttempt[];
  /** What the target has accepted; its URL sealed. */
  operation?: Operation;
  fanOut?: FanOutCheckpoint;
}

/** What a heartbeat carries, for the Temporal UI, for whoever follows the run, and for the worker that may come after. */
export interface RunProgress {
  stage: string;
  attempt: number;
  elapsedMs: number;
  /** How far a fan-out is: "120 of 200 targets, 3 failed". */
  progress?: string;
  targets?: TargetTally;
  /** Of orders that may be resumed. */
  checkpoint?: Checkpoint;
}

/** How many failed attempts a heartbeat carries on. */
export const carriedFailures = 100;

/** What the worker before left; undefined where this is the first, or nothing of it arrived. */
export function readCheckpoint(order: Order, info: Info): Checkpoint | undefined {
  if (info.attempt <= 1 || !mayResume(order)) return undefined;
  return (info.heartbeatDetails as RunProgress | undefined)?.checkpoint;
}
