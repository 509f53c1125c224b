import { unnamedActor } from '../history/pauses.ts';
import type { Pause } from './timeline.ts';

const nameActor = (actor: string) => (actor === unnamedActor ? 'somebody in Temporal' : actor);
const iso = (atMs: number) => new Date(atMs).toISOString();

/** Every sentence that the reconciler writes into a row, or says of a tick. */
export const reasons = {
  overlap: (other: { tickMs: number; runId: string; workflowId: string }, closeMs: number | undefined) =>
    `the run of ${iso(other.tickMs)} was in the way: it ${closeMs === undefined ? 'is still going' : `went on until ${iso(closeMs)}`} ` +
    `(run ${other.runId}, workflow ${other.workflowId})`,
  overlapByHand: (startMs: number, workflowId: string, closeMs: number | undefined) =>
    `a run that somebody fired at ${iso(startMs)} was in the way: it ` +
    `${closeMs === undefined ? 'is still going' : `went on until ${iso(closeMs)}`} (workflow ${workflowId})`,
  paused: ({ sureMs, note, actor }: Pause) =>
    `the schedule was paused since ${iso(sureMs)} by ${nameActor(actor)}: ${note || 'no note'}`,
  pausedMaybe: ({ fromMs, sureMs, note }: Pause) =>
    `the schedule was paused by then or soon after, between ${iso(fromMs)} and ${iso(sureMs)}: ${note || 'no note'}`,
  noSchedule: (id: string, seenAt: string | undefined) =>
    `nothing fired: the server has no schedule ${id}${seenAt === undefined ? '' : `; it was seen last at ${seenAt}`}`,
  changedJustThen: (changedMs: number) =>
    `nothing fired: the schedule was changed at ${iso(changedMs)}, and the server drops ticks that it has not begun by then`,
  nothingFired: (windowMs: number, told: string) =>
    `nothing fired: the server has no execution of this tick, though the schedule was on. It drops what it could only start ` +
    `${windowMs / 1_000} s late; ${told}`,
  droppedNow: (dropped: number) => `it says that it dropped ${dropped} in all`,
  droppedSince: (dropped: number, since: string) => `it says that it dropped ${dropped} since ${since}`,
  unreported: (source: string) => `no report of this tick came from ${source}`,
  lostRow: (outcome: string) => `the run ended${outcome === '' ? '' : ` as ${outcome}`} and its row is not there`,
  unended: 'the run has ended and its row says that it is going',
  contradicted: (outcome: string) => `the row says ${outcome}, and there was a run of this tick`,
  forgotten: (keptMs: number) =>
    `there is no row, and the server keeps executions for ${Math.round(keptMs / 3_600_000)} h only: nobody can tell any more`,
  unknownEnd: 'the run has started, and nothing is left that says how it ended: its execution is gone from the server',
  terminated: (told: string) => `the workflow was terminated in Temporal${told === '' ? '' : `: ${told}`}`,
  timedOut: 'the server ended the workflow at its execution timeout: no worker had ended it',
  cancelled: 'the workflow was cancelled, and no worker said how the run ended',
  failed: (message: string) => `the workflow failed without a report: ${message}`,
  gone: 'its execution is gone from the server',
  unreadable: 'its execution does not hold an order of this program',
  uncompilable: (revision: string) =>
    `the revision ${revision.slice(0, 12)} cannot be read by this version, so its ticks are not known`,
  tooMany: (most: number) => `it has more than ${most} ticks in this span; choose a shorter one`,
} as const;
