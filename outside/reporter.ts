import { setTimeout as sleep } from 'node:timers/promises';
import { isUnreachable } from '../history/database.ts';
import type { OutsideRow } from '../history/outside-runs.ts';
import { deliverEntry } from './deliver.ts';
import type { Delivery } from './deliver.ts';
import type { Entry } from './entry.ts';
import { flushSpool } from './flush.ts';
import { nameOf } from './spool.ts';
import type { Spool } from './spool.ts';

/** What became of a report: its row, or why it has none yet. */
export type Reported =
  | { row: OutsideRow }
  | { missing: 'unknown_definition' }
  | { missing: 'no_history' | 'away' | 'slow' | 'refused'; error?: string };

/** Brings the reports of one execution into the history, one at a time and never in its way. */
export interface Reporter {
  /** Tells of the start in the background. */
  begin(entry: Entry): void;
  /** Tells of the end, in no more than the time that is given. */
  finish(entry: Entry, withinMs: number): Promise<Reported>;
}

/** After so short a time an answer would be the same. */
const sameMs = 2_000;
/** How long others that wait are told of afterwards. */
const backlogMs = 1_000;
/** And before: more than that, and the run itself would not be told of. */
const earlierMs = 3_000;
const flushPatienceMs = 500;

/** A reporter; without a delivery there is no history to report to. */
export function createReporter(delivery: Delivery | undefined, spool: Spool | undefined): Reporter {
  let going: Promise<Reported> | undefined;
  let failed: { reported: Reported; atMs: number } | undefined;
  const attempt = async (entry: Entry): Promise<Reported> => {
    if (delivery === undefined) return { missing: 'no_history' };
    try {
      await flushBefore(entry, delivery, spool);
      const isEnded = entry.end !== undefined;
      const row = await deliverEntry(entry, delivery, { isSpooled: false, dropped: spool?.countDropped() ?? 0 });
      if (row === undefined) return { missing: 'unknown_definition' };
      if (!isEnded) return { row };
      spool?.remove(entry);
      spool?.forgetDropped();
      return { row };
    } catch (error) {
      const missing = isUnreachable(error) ? 'away' : 'refused';
      const reported: Reported = { missing, error: error instanceof Error ? error.message : String(error) };
      failed = { reported, atMs: Date.now() };
      return reported;
    }
  };
  const finish = async (entry: Entry): Promise<Reported> => {
    await going;
    if (failed !== undefined && Date.now() - failed.atMs < sameMs) return failed.reported;
    const reported = await attempt(entry);
    if ('row' in reported && delivery !== undefined) await flushAfter(entry, delivery, spool);
    return reported;
  };
  return {
    begin: (entry) => void (going = attempt(entry)),
    finish: async (entry, withinMs) => {
      const slow = sleep(withinMs, { missing: 'slow' } as const, { ref: false });
      return Promise.race([finish(entry), slow]);
    },
  };
}

/** What the same runner could not tell before goes first, so that its ticks come in their order. */
async function flushBefore(own: Entry, delivery: Delivery, spool: Spool | undefined): Promise<void> {
  const ownName = nameOf(own);
  if (spool === undefined || spool.names().every((name) => name >= ownName)) return;
  const wants = (entry: Entry) =>
    entry.definitionId === own.definitionId && entry.source === own.source && nameOf(entry) < ownName;
  try {
    const untilMs = Date.now() + earlierMs;
    await flushSpool(spool, delivery, { wants, untilMs, patienceMs: flushPatienceMs });
  } catch (error) {
    // What stands in the way of others, such as a disk that is full, is none of ours.
    if (isUnreachable(error)) throw error;
  }
}

async function flushAfter(own: Entry, delivery: Delivery, spool: Spool | undefined): Promise<void> {
  if (spool === undefined || spool.names().every((name) => name === nameOf(own))) return;
  try {
    await flushSpool(spool, delivery, { untilMs: Date.now() + backlogMs });
  } catch {
    // They wait for the next one.
  }
}
