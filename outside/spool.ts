import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, statSync } from 'node:fs';
import { truncateSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  draftPrefix,
  isNoRoom,
  overwriteInPlace,
  readIfThere,
  removeFile,
  roomBytes,
  writeDurably,
} from './durable-file.ts';
import { parseEntry, stripDetails } from './entry.ts';
import type { Entry } from './entry.ts';

/** What the spool may take. */
export interface SpoolLimits {
  entries: number;
  bytes: number;
}

export const defaultLimits: SpoolLimits = { entries: 10_000, bytes: 64 * 1_048_576 };

/** The spool cannot be used, or has no room; the message is for the operator. */
export class SpoolProblem extends Error {
  override readonly name = 'SpoolProblem';
}

/** Reports that the history does not have yet: one file each, in the order in which they began. */
export interface Spool {
  folder: string;
  /** @throws SpoolProblem where there is no room. */
  add(entry: Entry): void;
  /** Writes it anew, without its details where there is no room for more. `isHasty` leaves the disk out of it. */
  update(entry: Entry, options?: { isHasty?: boolean }): void;
  remove(entry: Entry): void;
  /** The names of all that wait, the oldest first. */
  names(): string[];
  /** Undefined where it is gone, or cannot be read and was set aside. */
  read(name: string): Entry | undefined;
  /** The names of those that were set aside. */
  broken(): string[];
  /** How many reports were lost, as neither the history nor the spool took them, since they were last told of. */
  countDropped(): number;
  noteDropped(): void;
  forgetDropped(): void;
}

const suffix = '.json';
const counterName = 'dropped';
const counterDigits = 12;
const draftLifeMs = 3_600_000;

/**
 * Opens the spool in a folder, which is made where it is missing.
 *
 * @throws SpoolProblem
 */
export function openSpool(folder: string, limits: SpoolLimits = defaultLimits): Spool {
  try {
    makeFolder(folder);
    // Made while there is room: it is only written over from then on.
    if (!existsSync(join(folder, counterName))) writeDurably(folder, counterName, '0'.padStart(counterDigits, '0'));
  } catch (error) {
    if (!existsSync(folder)) throw problem(`the spool ${folder} cannot be made`, error);
    if (!isNoRoom(error)) throw problem(`the spool ${folder} cannot be used`, error);
  }
  const names = () =>
    readdirSync(folder)
      .filter((name) => name.endsWith(suffix) && !name.startsWith('.'))
      .sort();
  const spool: Spool = {
    folder,
    names,
    add(entry) {
      try {
        if (names().length >= limits.entries) throw new SpoolProblem(`it holds ${limits.entries} reports already`);
        write(spool, entry, false);
      } catch (error) {
        throw problem(`the spool ${folder} has no room for the report`, error);
      }
    },
    update(entry, { isHasty = false } = {}) {
      try {
        write(spool, entry, isHasty);
      } catch (error) {
        throw problem(`the spool ${folder} cannot be written`, error);
      }
      if (entry.end !== undefined) keepBelow(spool, limits.bytes);
    },
    remove: (entry) => removeFile(join(folder, nameOf(entry))),
    read: (name) => readEntry(folder, name),
    broken: () => readdirSync(folder).filter((name) => name.endsWith('.broken')),
    countDropped: () => Number(readIfThere(join(folder, counterName)) ?? 0) || 0,
    noteDropped: () => countUp(folder, 1),
    forgetDropped: () => countUp(folder, -spool.countDropped()),
  };
  return spool;
}

/** With those above it. Node's own way to do that never ends where nothing can be made, as below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}

/** Sorts by the time of the start. */
export function nameOf({ startedAt, reporterId }: Pick<Entry, 'startedAt' | 'reporterId'>): string {
  return `${startedAt.replaceAll(/[-:.]/g, '')}-${reporterId}${suffix}`;
}

/** Removes what writers that died have left. */
export function sweepDrafts({ folder }: Spool, nowMs: number): void {
  for (const name of readdirSync(folder).filter((one) => one.startsWith(draftPrefix))) {
    const path = join(folder, name);
    if (nowMs - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowMs) > draftLifeMs) removeFile(path);
  }
}

function write(spool: Spool, entry: Entry, isHasty: boolean): void {
  const { folder } = spool;
  const name = nameOf(entry);
  try {
    return writeDurably(folder, name, JSON.stringify(entry), isHasty);
  } catch (error) {
    if (!isNoRoom(error)) throw error;
    makeRoom(spool);
  }
  const stripped = JSON.stringify(stripDetails(entry));
  try {
    writeDurably(folder, name, stripped, isHasty);
  } catch (error) {
    const path = join(folder, name);
    if (!isNoRoom(error) || !existsSync(path) || !overwriteInPlace(path, stripped)) throw error;
  }
}

function readEntry(folder: string, name: string): Entry | undefined {
  const path = join(folder, name);
  const text = readIfThere(path);
  const entry = text === undefined ? undefined : parseEntry(text);
  if (text !== undefined && entry === undefined) {
    // Somebody else may set it aside at the same time.
    if (existsSync(path)) renameSync(path, `${path}.broken`);
  }
  return entry;
}

/** Takes the details of the oldest away where all together take more than they may. */
function keepBelow(spool: Spool, mostBytes: number): void {
  const sizes = spool.names().map((name) => {
    const bytes = statSync(join(spool.folder, name), { throwIfNoEntry: false })?.size ?? 0;
    return { name, bytes };
  });
  let bytes = sizes.reduce((sum, one) => sum + one.bytes, 0);
  for (const one of sizes) {
    if (bytes <= mostBytes) return;
    bytes -= one.bytes - shrink(spool, one.name);
  }
}

/** On a full disk nothing can be written but over what is there. */
function makeRoom(spool: Spool): void {
  for (const name of spool.names()) shrink(spool, name);
}

/** The bytes that an entry takes without its details. */
function shrink(spool: Spool, name: string): number {
  const path = join(spool.folder, name);
  const before = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (before <= roomBytes) return before;
  const entry = spool.read(name);
  if (entry?.end === undefined) return before;
  const text = JSON.stringify(stripDetails(entry));
  if (!overwriteInPlace(path, text)) return before;
  const after = Math.max(roomBytes, Buffer.byteLength(text));
  truncateSync(path, Math.min(before, after));
  return Math.min(before, after);
}

/** Written over in place: a full disk has room for that. */
function countUp(folder: string, by: number): void {
  try {
    const path = join(folder, counterName);
    const count = Math.max(0, (Number(readIfThere(path)) || 0) + by);
    const file = openSync(path, 'r+');
    writeSync(file, String(count).padStart(counterDigits, '0'), 0);
    closeSync(file);
  } catch {
    // Nothing is left to count with; who was not recorded says so.
  }
}

function problem(what: string, error: unknown): SpoolProblem {
  const why = error instanceof Error ? error.message : String(error);
  return new SpoolProblem(`${what}: ${why}`, { cause: error });
}
