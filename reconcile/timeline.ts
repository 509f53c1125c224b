import type { InForceEvent } from '../history/in-force.ts';
import type { JournaledPause } from '../history/pauses.ts';
import type { ScheduleState } from '../history/schedule-states.ts';
import type { Cadence } from '../workflows/contract.ts';

/** A stretch of time in which one revision of a definition was in force; milliseconds, the end is not in it. */
export interface Period {
  fromMs: number;
  /** Infinity for the one that goes on. */
  toMs: number;
  revision: string;
  /** What the server was seen to have; absent where only the kept file tells. */
  seen?: { enabled: boolean; cadence: Cadence };
  /** Whether it ended at a time that the server tells; the journal's is a little later. */
  endsExactly: boolean;
  isRetired: boolean;
}

/** A stretch of time in which a schedule was paused by hand or by a failed run. */
export interface Pause {
  /** From here on it may have been. */
  fromMs: number;
  /** From here on it certainly was. */
  sureMs: number;
  /** Infinity for one that goes on. */
  toMs: number;
  note: string;
  actor: string;
}

type InForce = Pick<Period, 'revision' | 'seen'>;

interface Mark {
  atMs: number;
  isExact: boolean;
  change: InForce | 'removed' | 'retired' | 'returned';
}

/** The journal is written when the server has all of an apply, and clocks differ. */
const longestApplyMs = 600_000;
const clockSkewMs = 5_000;

/** What the server was seen to have, and when first and last (ISO), where that is known. */
export type Sight = Omit<ScheduleState, 'note'> & { firstSeen?: string; lastSeen?: string };

/**
 * Which revision was in force when. The server's own time of a change is taken where somebody looked while it stood;
 * else the journal's, which comes after it.
 */
export function buildPeriods(events: InForceEvent[], states: Sight[]): Period[] {
  const periods: Period[] = [];
  let inForce: InForce | undefined;
  let isRetired = false;
  let fromMs = 0;
  const close = (toMs: number, endsExactly: boolean) => {
    if (inForce !== undefined && toMs > fromMs) periods.push({ fromMs, toMs, endsExactly, ...inForce, isRetired });
    fromMs = toMs;
  };
  for (const { atMs, isExact, change } of listMarks(events, states)) {
    close(atMs, isExact);
    if (change === 'removed') inForce = undefined;
    else if (change === 'retired' || change === 'returned') isRetired = change === 'retired';
    else inForce = change;
  }
  close(Infinity, true);
  return periods;
}

function listMarks(events: InForceEvent[], states: Sight[]): Mark[] {
  const seen = states.flatMap((state, index) => {
    const since = findSwitch(state, states[index - 1]);
    if (since === undefined) return [];
    const { revision, enabled, cadence } = state;
    return [{ atMs: Date.parse(since), isExact: true, change: { revision, seen: { enabled, cadence } } }];
  });
  const isSeen = (revision: string, atMs: number) =>
    seen.some(({ change, atMs: seenMs }) => {
      const lagMs = atMs - seenMs;
      return change.revision === revision && lagMs > -clockSkewMs && lagMs < longestApplyMs;
    });
  const told = events.flatMap((event): Mark[] => {
    const atMs = Date.parse(event.at);
    if (event.kind !== 'revision') return [{ atMs, isExact: false, change: event.kind }];
    const { revision } = event;
    return isSeen(revision, atMs) ? [] : [{ atMs, isExact: false, change: { revision } }];
  });
  return [...told, ...seen].sort((left, right) => left.atMs - right.atMs);
}

/**
 * When a state came into force; undefined where it only goes on. The server does not tell when somebody put on by hand
 * what is off by its definition: nothing is expected of the time that may have been either.
 */
function findSwitch(state: Sight, before: Sight | undefined): string | undefined {
  if (before === undefined || before.since !== state.since) return state.since;
  if (before.enabled === state.enabled) return undefined;
  return (state.enabled ? state.firstSeen : before.lastSeen) ?? state.since;
}

/** When a schedule was paused. A pause that was only seen began somewhere between the look before and that one. */
export function buildPauses(changes: JournaledPause[]): Pause[] {
  const pauses: Pause[] = [];
  let open: Pause | undefined;
  for (const { note, since, notBefore, actor } of changes) {
    const sureMs = Date.parse(since);
    if (open !== undefined) pauses.push({ ...open, toMs: sureMs });
    const fromMs = notBefore === undefined ? sureMs : Math.min(sureMs, Date.parse(notBefore));
    const goesOn = open === undefined ? fromMs : sureMs;
    open = note === undefined ? undefined : { fromMs: goesOn, sureMs, toMs: Infinity, note, actor };
  }
  return open === undefined ? pauses : [...pauses, open];
}
