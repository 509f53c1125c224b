import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Writable } from 'node:stream';
import { identifyProcess } from '../dev/process-identity.ts';
import type { KnownActivity } from './activity.ts';
import { startCommand } from './command.ts';
import type { CommandResult, RunningCommand } from './command.ts';
import type { Delivery } from './deliver.ts';
import type { Entry, LockedOut } from './entry.ts';
import { describeEnd, describeRun, openEntry, placeLocally } from './execution.ts';
import type { ExecRequest } from './execution.ts';
import { keptBytes, longestAnswerBytes, marginBytes } from './output.ts';
import { createReporter } from './reporter.ts';
import type { Reported } from './reporter.ts';
import { takeWorkLock } from './run-lock.ts';
import type { WorkHolder, WorkLock } from './run-lock.ts';
import type { Spool } from './spool.ts';

/** What it works with. */
export interface ExecSurroundings {
  /** Undefined where it cannot be used. */
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
}

/** What became of the report, and whether it is kept on this machine meanwhile. */
interface Told {
  reported: Reported;
  isKept: boolean;
  /** What this machine could not do for it. */
  faults: string[];
}

/** How it came out. */
export type ExecEnd =
  | ({ kind: 'ran'; result: CommandResult } & Told)
  | ({ kind: 'locked'; holder: WorkHolder } & Told)
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
  const keeper = createKeeper(around.spool);
  const lock = request.isLocked ? keeper.tryTo((spool) => lockIn(spool, request)) : undefined;
  const reporter = createReporter(learned.delivery, around.spool);
  const tell = async () => keeper.tell(await reporter.finish(entry, finishMs));
  if (lock?.taken === false) {
    entry.end = describeLockedOut(lock.holder, known === undefined ? undefined : tick);
    keeper.keep(entry);
    return { kind: 'locked', holder: lock.holder, ...(await tell()) };
  }
  const since = entry.startedAt;
  noteWork(lock, { since, scheduledAt: tick });
  keeper.keep(entry);
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
    keeper.keep(entry, { isHasty: true });
  }
  limit(running, request, known);
  learned.listen((activity) => limit(running, request, activity));
  reporter.begin(entry);
  const result = await running.ended;
  entry.end = describeEnd(request, result, learned.last() ?? known);
  keeper.keep(entry);
  if (lock?.taken === true) lock.release();
  return { kind: 'ran', result, ...(await tell()) };
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

function lockIn({ folder }: Spool, { definitionId, source }: ExecRequest): WorkLock {
  return takeWorkLock(join(folder, 'locks'), definitionId, source);
}

function noteWork(lock: WorkLock | undefined, work: Parameters<Extract<WorkLock, { taken: true }>['note']>[0]): void {
  try {
    if (lock?.taken === true) lock.note(work);
  } catch {
    // The lock itself holds; only an exec that is killed would lose it before its command ends.
  }
}

/** Keeps an execution on this machine as well as that can be done; the command runs whatever becomes of it. */
function createKeeper(spool: Spool | undefined) {
  const faults = new Set<string>();
  let isAdded = false;
  let isKept = false;
  const tryTo = <Result>(use: (spool: Spool) => Result): Result | undefined => {
    try {
      return spool === undefined ? undefined : use(spool);
    } catch (error) {
      faults.add(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  return {
    tryTo,
    /** What found no room at the start may find it at the end. */
    keep(entry: Entry, { isHasty = false }: { isHasty?: boolean } = {}): void {
      isKept = tryTo((to) => (isAdded ? to.update(entry, { isHasty }) : to.add(entry)) ?? true) ?? false;
      isAdded ||= isKept;
    },
    tell(reported: Reported): Told {
      if (!('row' in reported) && !isKept) tryTo((to) => to.noteDropped());
      return { reported, isKept, faults: [...faults] };
    },
  };
}

function limit(running: RunningCommand, { timeoutMs }: ExecRequest, known: KnownActivity | undefined): void {
  const ms = timeoutMs ?? known?.hardTimeoutMs ?? 0;
  if (ms > 0) running.limit(ms);
}

/** Without a tick nobody knows yet which it is, and it may be that of the other one. */
function describeLockedOut({ pid, since, isOrphan, scheduledAt }: WorkHolder, tick: string | undefined): LockedOut {
  const isSameTick = tick === undefined || scheduledAt === tick;
  return { kind: 'locked', finishedAt: new Date().toISOString(), holder: { pid, since, isOrphan }, isSameTick };
}
