import type { ProcessIdentity } from '../dev/process-identity.ts';
import type { Flag } from '../history/flags.ts';
import type { RowOrder } from '../history/ledger.ts';
import type { AssessmentFailure, Outcome } from '../workflows/contract.ts';

/** One execution as it is kept on disk until the history has it. Times are ISO, by the clock of this machine. */
export interface Entry {
  format: 1;
  /** A UUID of this execution. */
  reporterId: string;
  definitionId: string;
  source: string;
  actor: string;
  host: string;
  startedAt: string;
  /** The tick, where the runner names it itself. */
  scheduledAt?: string;
  /** Who will say how it ended; absent where that is told already. */
  exec?: ProcessIdentity;
  command?: ProcessIdentity;
  hardTimeoutMs?: number;
  /** Which row it is, decided once: what is told again is then told of the same one. */
  place?: Place;
  end?: EntryEnd;
}

/** The row of an execution. */
export interface Place {
  order: RowOrder;
  /** ISO, by the clock of the history. */
  scheduledAt: string;
  flags: Flag[];
  /** By how much the clock of this machine was ahead; taken off its times. */
  aheadMs: number;
}

export type EntryEnd = CommandEnd | LockedOut | ToldEnd;

/** A command that was run; `exitCode` and `signal` are null where the other one says how it ended. */
export interface CommandEnd {
  kind: 'command';
  finishedAt: string;
  name: string;
  exitCode: number | null;
  signal: string | null;
  /** Why it did not even begin. */
  fault?: string;
  timedOut?: { afterMs: number; byForce: boolean };
  /** The signal that exec was sent and passed on. */
  stoppedBy?: string;
  /** What of it still ran when it had ended. */
  leftRunning?: string;
  lockSkippedCodes: number[];
  output?: CommandOutput;
  /** All of stdout, where that is to be judged; null where it was too long for that. */
  answer?: string | null;
}

/** The ends of what a command printed, redacted. */
export interface CommandOutput {
  stdout: string;
  stderr: string;
  stdoutBytes: number;
  stderrBytes: number;
}

/** Another execution was at work on this machine. */
export interface LockedOut {
  kind: 'locked';
  finishedAt: string;
  holder: { pid: number; since: string; isOrphan: boolean };
  /** Whether that one is, or may be, at work on the very same tick. */
  isSameTick: boolean;
}

/** A runner that only reports. */
export interface ToldEnd {
  kind: 'told';
  finishedAt: string;
  outcome: Outcome;
  reason: string;
  isAssessed: boolean;
  failures: AssessmentFailure[];
  exitCode?: number;
}

/** The text of an entry; undefined where it was cut off, or is none of ours. */
export function parseEntry(text: string): Entry | undefined {
  try {
    const entry = JSON.parse(text) as Entry;
    const texts = [entry.reporterId, entry.definitionId, entry.source, entry.actor, entry.host, entry.startedAt];
    const isWhole = entry.format === 1 && texts.every((one) => typeof one === 'string');
    return isWhole && !Number.isNaN(Date.parse(entry.startedAt)) ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Without what it is not needed for to know that there was a run, and how it ended. */
export function stripDetails(entry: Entry): Entry {
  const { end } = entry;
  if (end?.kind === 'command') {
    const { output: _, answer, ...rest } = end;
    // What was to be judged and cannot be any more must not pass for judged.
    return { ...entry, end: { ...rest, ...(answer === undefined ? {} : { answer: null }) } };
  }
  if (end?.kind !== 'told' || end.failures.length <= keptFailures) return entry;
  return { ...entry, end: { ...end, failures: end.failures.slice(0, keptFailures) } };
}

const keptFailures = 5;
