import { writeCanonical } from '../compiler/digest.ts';
import { unnamedActor } from '../history/pauses.ts';
import type { JournaledPause, PauseChange } from '../history/pauses.ts';
import type { ScheduleState, SeenState } from '../history/schedule-states.ts';
import { disabledNote, movingNote, retiredNotePrefix } from '../schedules/desired.ts';
import type { ObservedSchedule } from '../schedules/observe.ts';
import type { Order } from '../workflows/contract.ts';

/** What one look at a schedule adds to what is remembered of it. */
export interface Look {
  state: ScheduleState;
  /** Whether it is as it was at the look before. */
  isSame: boolean;
  /** A pause, or its end, that the journal does not have, and who is said to have made it. */
  pause?: PauseChange & { actor: string };
}

/** What is remembered of the looks before. */
export interface Remembered {
  state: SeenState | undefined;
  pause: JournaledPause | undefined;
}

/** Compares a schedule of ours with what is remembered of it. */
export function compareLook(
  observed: ObservedSchedule & { order: Order },
  { state: last, pause: lastPause }: Remembered,
  now: Date,
): Look {
  const state = readState(observed);
  const isSame = last !== undefined && nameState(last) === nameState(state);
  const note = state.paused ? (state.note ?? '') : undefined;
  if (note === lastPause?.note) return { state, isSame };
  const notBefore = last?.lastSeen ?? observed.changedAt;
  return {
    state,
    isSame,
    pause: { definitionId: observed.id, note, since: now.toISOString(), notBefore, actor: unnamedActor },
  };
}

function readState(observed: ObservedSchedule & { order: Order }): ScheduleState {
  const { id, changedAt, order, enabled, content, paused, note = '', missedCatchup, skippedOverlap } = observed;
  const isOff = note === disabledNote || note === movingNote || note.startsWith(retiredNotePrefix);
  return {
    ...{ scheduleId: id, since: changedAt, revision: order.revision, cadence: content.cadence },
    // What is off by its definition and was put on by hand fires all the same.
    enabled: !paused || (enabled !== false && !isOff),
    paused: paused && !isOff,
    note: paused && !isOff ? note : undefined,
    ...{ missedCatchup, skippedOverlap },
  };
}

type NamedState = Omit<ScheduleState, 'note'> & { note?: string | null | undefined };

function nameState({ scheduleId, since, revision, enabled, cadence, paused, note = null }: NamedState): string {
  return writeCanonical({ scheduleId, since, revision, enabled, cadence, paused, note });
}
