import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '../dev/process-identity.ts';
import type { ProcessIdentity } from '../dev/process-identity.ts';
import { takeProcessLock } from '../dev/process-lock.ts';
import type { LockAttempt, LockHolder } from '../dev/process-lock.ts';
import { isUnreachable } from '../history/database.ts';
import { deliverEntry } from './deliver.ts';
import type { Delivery } from './deliver.ts';
import { isNoRoom } from './durable-file.ts';
import type { Entry } from './entry.ts';
import { sweepDrafts } from './spool.ts';
import type { Spool } from './spool.ts';

/** What became of the reports that waited. */
export interface FlushReport {
  delivered: number;
  /** Of these, the ones whose exec was gone without a word. */
  vanished: number;
  /** Still at work, by themselves or as what a killed exec left running. */
  going: number;
  /** How many wait for a definition that the history does not know, by its id. */
  unknown: Record<string, number>;
  /** Those that the history would not take, with its reason. */
  refused: { name: string; definitionId: string; error: string }[];
  /** Files that cannot be read, and were set aside. */
  broken: string[];
  /** How many were not looked at: the time was up. */
  left: number;
}

/** Which reports, and until when; all of them where nothing is said. */
export interface FlushScope {
  wants?: (entry: Entry) => boolean;
  untilMs?: number;
  /** For how long another flusher is waited for. */
  patienceMs?: number;
}

/** How often the lock is tried. */
const retryMs = 50;
/** Of another machine nobody can see whether its exec is there: its budget is over for so long. */
const foreignPatienceMs = 3_600_000;
const unknownTimeoutMs = 86_400_000;

/**
 * Brings what waits in the spool into the history, the oldest first and one flusher at a time; returns who else is at it
 * where that is so.
 *
 * @throws what says that the history is away; what was delivered by then is gone from the spool
 */
export async function flushSpool(
  spool: Spool,
  delivery: Delivery,
  { wants = () => true, untilMs = Infinity, patienceMs = 0 }: FlushScope = {},
): Promise<FlushReport | { holder: LockHolder }> {
  const lock = await takeFlushLock(spool, patienceMs);
  if (!lock.taken) return { holder: lock.holder };
  const report: FlushReport = { delivered: 0, vanished: 0, going: 0, unknown: {}, refused: [], broken: [], left: 0 };
  try {
    sweepDrafts(spool, Date.now());
    for (const name of spool.names()) {
      if (Date.now() > untilMs) {
        report.left += 1;
        continue;
      }
      const entry = spool.read(name);
      if (entry !== undefined && wants(entry)) await flushEntry(name, entry, spool, delivery, report);
    }
    return { ...report, broken: spool.broken() };
  } finally {
    lock.release();
  }
}

/** Throws the reports of a definition away, but not those of runs that may still go on; returns how many there were. */
export function dropReports(spool: Spool, definitionId: string): number {
  const dropped = spool
    .names()
    .flatMap((name) => spool.read(name) ?? [])
    .filter((entry) => entry.definitionId === definitionId && !isThere(entry, entry.exec))
    .filter((entry) => entry.end !== undefined || !mayStillEnd(entry));
  for (const entry of dropped) spool.remove(entry);
  return dropped.length;
}

async function takeFlushLock(spool: Spool, patienceMs: number): Promise<LockAttempt> {
  const path = join(spool.folder, 'flush.lock');
  const untilMs = Date.now() + patienceMs;
  for (;;) {
    const lock = tryToLock(path);
    if (lock.taken || Date.now() >= untilMs) return lock;
    await sleep(retryMs);
  }
}

/** A disk that is full has no room for a lock, and what waits there takes it up: two at it do no harm. */
function tryToLock(path: string): LockAttempt {
  try {
    return takeProcessLock(path);
  } catch (error) {
    if (isNoRoom(error)) return { taken: true, release: () => {} };
    throw error;
  }
}

async function flushEntry(
  name: string,
  entry: Entry,
  spool: Spool,
  delivery: Delivery,
  report: FlushReport,
): Promise<void> {
  // Whoever is there tells of it without our help.
  if (isThere(entry, entry.exec)) return void (report.going += 1);
  const { definitionId } = entry;
  // Nobody has made it known since the last one.
  if (report.unknown[definitionId] !== undefined) return void (report.unknown[definitionId] += 1);
  const isVanished = entry.end === undefined && !mayStillEnd(entry);
  const isEnded = entry.end !== undefined || isVanished;
  try {
    const telling = { isSpooled: true, dropped: spool.countDropped(), ...(isVanished ? { isVanished } : {}) } as const;
    const row = await deliverEntry(entry, delivery, telling);
    if (row === undefined) {
      report.unknown[definitionId] = 1;
    } else if (isEnded) {
      spool.remove(entry);
      if (!isVanished) spool.forgetDropped();
      report.delivered += 1;
      report.vanished += isVanished ? 1 : 0;
    } else {
      report.going += 1;
    }
  } catch (error) {
    if (isUnreachable(error)) throw error;
    const told = error instanceof Error ? error.message : String(error);
    report.refused.push({ name, definitionId, error: told });
  }
}

function isThere({ host }: Entry, identity: ProcessIdentity | undefined): boolean {
  return identity !== undefined && host === hostname() && isRunning(identity);
}

/** Whether a run without an exec may be going on. */
function mayStillEnd(entry: Entry): boolean {
  if (entry.host === hostname()) return isThere(entry, entry.command);
  const longestMs = (entry.hardTimeoutMs ?? unknownTimeoutMs) + foreignPatienceMs;
  return Date.now() - Date.parse(entry.startedAt) < longestMs;
}
