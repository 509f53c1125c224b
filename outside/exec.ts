import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Writable } from 'node:stream';
import { identifyProcess } from '../dev/process-identity.ts';
import type { KnownActivity } from './activity.ts';
import { startCommand } from './command.ts';
import type { CommandResult, RunningCommand } from './command.ts';
import type { Delivery } from './deliver.ts';
import type { Entry } from './entry.ts';
import { describeEnd, describeRun, openEntry, placeLocally } from './execution.ts';
import type { ExecRequest } from './execution.ts';
import { keptBytes, longestAnswerBytes, marginBytes } from './output.ts';
import { createReporter } from './reporter.ts';
import type { Reported, Reporter } from './reporter.ts';
import { takeWorkLock } from './run-lock.ts';
import type { WorkHolder, WorkLock } from './run-lock.ts';
import type { Spool } from './spool.ts';

/** What it works with. */
export interface ExecSurroundings {
  /** Undefined where it cannot be used, which `note` has told. */
  spool: Spool | undefined;
  /** Undefined where no history is configured. */
  delivery: Delivery | undefined;
  /** The definition as it is, in its file or in the history. */
  find(definitionId: string): Promise<KnownActivity | undefined>;
  /** As it was when it was last seen. */
  known: KnownActivity | undefined;
  stdout: Writable;
  stderr: Writable;
  signals: NodeJS.EventEmitter;
  note(text: string): void;
}

/** How it came out; `reported` is what became of the report. */
export type ExecEnd =
  | { kind: 'ran'; result: CommandResult; reported: Reported }
  | { kind: 'locked'; holder: WorkHolder; reported: Reported }
  | { kind: 'refused'; unknown: 'definition' | 'source' };

/** What is not known is asked for as long before the command begins, and only then. */
const firstLookMs = 1_000;
/** What the end of a report may take of everybody's time. */
const finishMs = 5_000;

/** Runs a command for a source and tells the history. The command runs whatever becomes of the report. */
export async function execCommand(request: ExecRequest, around: ExecSurroundings): Promise<ExecEnd> {
  const learned = learn(around);
  const looked = around.known ?? (await learned.within(request.definitionId, firstLookMs));
  const known = typeof looked === 'string' ? undefined : looked;
  if (request.isStrict && looked === 'unknown') return { kind: 'refused', unknown: 'definition' };
  if (request.isStrict && known !== undefined && known.sources[request.source] === undefined) {
    return { kind: 'refused', unknown: 'source' };
  }
  const entry = openEntry(request, known);
  const tick = placeLocally(entry, known);
  const lock = request.isLocked ? tryToLock(request, around) : undefined;
  const reporter = createReporter(learned.delivery, around.spool);
  if (lock?.taken === false) {
    return {
      kind: 'locked',
      holder: lock.holder,
      reported: await tellLocked(entry, lock.holder, tick, reporter, around),
    };
  }
  const since = entry.startedAt;
  noteWork(lock, { since, scheduledAt: tick });
  keep(around, (spool) => spool.add(entry));
  const running = startCommand(
    {
      ...{ command: request.command, isCaptured: request.isCaptured, killAfterMs: request.killAfterMs },
      env: { ...request.env, ...describeRun(entry, tick, known) },
      tailBytes: keptBytes + marginBytes,
      wholeBytes: request.isJudged ? longestAnswerBytes : 0,
    },
    around,
  );
  const command = running.pid === undefined ? undefined : identifyProcess(running.pid);
  if (command !== undefined) {
    entry.command = command;
    noteWork(lock, { since, scheduledAt: tick, command });
    keep(around, (spool) => spool.update(entry, { isHasty: true }));
  }
  limit(running, request, known);
  learned.listen((activity) => limit(running, request, activity));
  reporter.begin(entry);
  const result = await running.ended;
  entry.end = describeEnd(request, result, learned.last() ?? known);
  keep(around, (spool) => spool.update(entry));
  if (lock?.taken === true) lock.release();
  return { kind: 'ran', result, reported: await reporter.finish(entry, finishMs) };
}

/** Hears of every definition that is found on the way. */
function learn(around: ExecSurroundings) {
  let last: KnownActivity | undefined;
  let listener: ((activity: KnownActivity) => void) | undefined;
  const resolve = async (definitionId: string) => {
    const activity = await around.find(definitionId);
    if (activity !== undefined) listener?.((last = activity));
    return activity;
  };
  return {
    delivery: around.delivery === undefined ? undefined : { ...around.delivery, resolve },
    last: () => last,
    listen: (told: (activity: KnownActivity) => void) => void (listener = told),
    within: (definitionId: string, patienceMs: number) =>
      Promise.race([
        resolve(definitionId).then(
          (activity) => activity ?? ('unknown' as const),
          () => 'unanswered' as const,
        ),
        sleep(patienceMs, 'unanswered' as const, { ref: false }),
      ]),
  };
}

/** Without the lock a command runs all the same: that it cannot be had is no reason to do nothing. */
function tryToLock({ definitionId, source }: ExecRequest, around: ExecSurroundings): WorkLock | undefined {
  if (around.spool === undefined) return undefined;
  try {
    return takeWorkLock(join(around.spool.folder, 'locks'), definitionId, source);
  } catch (error) {
    around.note(`it runs without a lock against itself: ${messageOf(error)}`);
    return undefined;
  }
}

function noteWork(lock: WorkLock | undefined, work: Parameters<Extract<WorkLock, { taken: true }>['note']>[0]): void {
  try {
    if (lock?.taken === true) lock.note(work);
  } catch {
    // The lock itself holds; only an exec that is killed would lose it before its command ends.
  }
}

function keep(around: ExecSurroundings, write: (spool: Spool) => void): void {
  try {
    if (around.spool !== undefined) write(around.spool);
  } catch (error) {
    around.note(`not kept on this machine: ${messageOf(error)}`);
  }
}

function limit(running: RunningCommand, { timeoutMs }: ExecRequest, known: KnownActivity | undefined): void {
  const ms = timeoutMs ?? known?.hardTimeoutMs ?? 0;
  if (ms > 0) running.limit(ms);
}

async function tellLocked(
  entry: Entry,
  { pid, since, isOrphan, scheduledAt }: WorkHolder,
  tick: string,
  reporter: Reporter,
  around: ExecSurroundings,
): Promise<Reported> {
  const holder = { pid, since, isOrphan };
  entry.end = { kind: 'locked', finishedAt: new Date().toISOString(), holder, isSameTick: scheduledAt === tick };
  keep(around, (spool) => spool.add(entry));
  return reporter.finish(entry, finishMs);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
