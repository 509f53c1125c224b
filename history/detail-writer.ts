import pg from 'pg';
import { createCounters } from './detail-metrics.ts';
import type { DetailMetrics } from './detail-metrics.ts';
import { writeResults } from './results.ts';
import type { TargetResult } from './results.ts';

export type { TargetResult } from './results.ts';

/** The most rows that wait or are being written; what comes beyond is dropped. */
const queueLimit = 1_024;
const writerLimit = 8;
/** Rows wait this long for others to share a statement with. */
const gatherMs = 10;
/** The most rows of one statement. */
const batchLimit = 128;
/** The pause after a failed attempt; it doubles with each further one. */
const firstPauseMs = 50;
const longestPauseMs = 2_000;
const drainMs = 5_000;

/** What became of the rows of one run. */
export interface SettledDetails {
  written: number;
  dropped: number;
}

/**
 * Takes details of big runs into the history without ever making the run wait. Where the history is away they wait in a
 * bounded queue; what does not fit is dropped, and counted. Attempted is always written and dropped and still queued.
 */
export interface DetailWriter {
  /** Takes a result. Never blocks and never throws. */
  offer(result: TargetResult): void;
  /**
   * Waits until all results of a run are written, and drops what is not by then; call it once, when the run has made its
   * last offer, however it ended. A row that is under way at the end counts as dropped, though it may yet arrive: the
   * history may hold more of a run than this says, and never less.
   */
  settle(runId: string, atMostMs: number): Promise<SettledDetails>;
  metrics(): DetailMetrics;
  /** Writes what is queued, for at most 5 s, and drops the rest. Later offers are dropped. The pool stays open. */
  close(): Promise<void>;
}

/** One run's share of the queue. */
interface Tally extends SettledDetails {
  pending: Set<Entry>;
  /** Called whenever nothing is pending any more. */
  onEmpty: (() => void)[];
}

interface Entry {
  result: TargetResult;
  tally: Tally;
}

/** Opens a detail writer on the history behind `pool`. */
export function openDetailWriter(pool: pg.Pool): DetailWriter {
  return new QueueingWriter(pool);
}

class QueueingWriter implements DetailWriter {
  readonly #pool: pg.Pool;
  readonly #counters = createCounters('result');
  readonly #tallies = new Map<string, Tally>();
  #waiting: Entry[] = [];
  /** Waiting or being written. */
  #depth = 0;
  #writers = 0;
  /** How many attempts in a row found the history away. */
  #faults = 0;
  #pause: NodeJS.Timeout | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  offer(result: TargetResult): void {
    const tally = this.#tallyOf(result.runId);
    const entry = { result, tally };
    tally.pending.add(entry);
    this.#depth += 1;
    if (this.#closing !== undefined || this.#depth > queueLimit) return this.#resolve(entry, 'dropped');
    this.#waiting.push(entry);
    this.#gather();
  }

  async settle(runId: string, atMostMs: number): Promise<SettledDetails> {
    const tally = this.#tallies.get(runId);
    if (tally === undefined) return { written: 0, dropped: 0 };
    // Nothing more comes that would share a statement with the last rows.
    this.#startWriters();
    await awaitEmpty(tally, atMostMs);
    this.#giveUp(tally);
    this.#tallies.delete(runId);
    return { written: tally.written, dropped: tally.dropped };
  }

  metrics(): DetailMetrics {
    return this.#counters.read(this.#depth);
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    const tallies = [...this.#tallies.values()];
    await Promise.all(tallies.map((tally) => awaitEmpty(tally, drainMs)));
    for (const tally of tallies) this.#giveUp(tally);
    clearTimeout(this.#pause);
  }

  #tallyOf(runId: string): Tally {
    const tally = this.#tallies.get(runId) ?? { written: 0, dropped: 0, pending: new Set(), onEmpty: [] };
    this.#tallies.set(runId, tally);
    return tally;
  }

  /** What became of an entry; only the first word counts, so that none is counted twice. */
  #resolve(entry: Entry, end: keyof SettledDetails): void {
    const { tally } = entry;
    if (!tally.pending.delete(entry)) return;
    this.#depth -= 1;
    this.#counters[end] += 1;
    tally[end] += 1;
    if (tally.pending.size === 0) for (const tell of tally.onEmpty.splice(0)) tell();
  }

  #giveUp(tally: Tally): void {
    this.#waiting = this.#waiting.filter((entry) => entry.tally !== tally);
    for (const entry of tally.pending) this.#resolve(entry, 'dropped');
  }

  #gather(): void {
    if (this.#waiting.length >= batchLimit) this.#startWriters();
    else if (this.#waiting.length > 0) this.#gathering ??= setTimeout(() => this.#startWriters(), gatherMs);
  }

  /** One writer alone asks whether a history that was away is back. */
  #startWriters(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const limit = this.#faults > 0 ? 1 : writerLimit;
    while (this.#pause === undefined && this.#writers < limit && this.#waiting.length > 0) {
      this.#writers += 1;
      void this.#write(this.#waiting.splice(0, batchLimit)).finally(() => {
        this.#writers -= 1;
        this.#gather();
      });
    }
  }

  async #write(entries: Entry[]): Promise<void> {
    const startedAt = performance.now();
    const results = entries.map(({ result }) => result);
    const error: unknown = await writeResults(this.#pool, results).then(
      () => undefined,
      (reason: unknown) => reason ?? new Error('the write failed without a reason'),
    );
    this.#counters.observeLatency(performance.now() - startedAt);
    if (error === undefined) {
      this.#faults = 0;
      for (const entry of entries) this.#resolve(entry, 'written');
      return;
    }
    const left = entries.filter((entry) => entry.tally.pending.has(entry));
    this.#counters.failed += entries.length;
    if (isFaultOfRow(error)) return this.#isolate(left);
    this.#waiting.unshift(...left);
    this.#backOff();
  }

  /** Drops the row that the history refuses, and writes its neighbours. */
  async #isolate(entries: Entry[]): Promise<void> {
    const [only, ...others] = entries;
    if (only === undefined) return;
    if (others.length === 0) return this.#resolve(only, 'dropped');
    const half = Math.ceil(entries.length / 2);
    await this.#write(entries.slice(0, half));
    await this.#write(entries.slice(half));
  }

  #backOff(): void {
    if (this.#pause !== undefined) return;
    const pauseMs = Math.min(firstPauseMs * 2 ** this.#faults, longestPauseMs);
    this.#faults += 1;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#startWriters();
    }, pauseMs).unref();
  }
}

/** Whether no waiting mends it: a value that is none of its type, or that breaks a rule of the table. */
function isFaultOfRow(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^2[23]/.test(error.code ?? '');
  return error instanceof TypeError || error instanceof RangeError;
}

async function awaitEmpty(tally: Tally, atMostMs: number): Promise<void> {
  if (tally.pending.size === 0) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, atMostMs);
    tally.onEmpty.push(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
