import { ScheduleAlreadyRunning } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { digestContent, encodeContent } from './content.ts';
import type { ScheduleContent } from './content.ts';
import { disabledNote, markContent, movingNote, ownerMemo } from './desired.ts';
import type { DesiredSchedule } from './desired.ts';
import { listDifferences } from './difference.ts';
import { findDrift, mergeContent } from './drift.ts';
import { findFormer } from './move.ts';
import { observeSchedule, readDescription } from './observe.ts';
import type { ObservedSchedule } from './observe.ts';
import { planChange } from './plan.ts';
import type { PlanOptions, PlannedChange } from './plan.ts';

/** What the server has is not what this apply wrote, or went on from. */
export class ReadBackError extends Error {
  override readonly name = 'ReadBackError';
}

/** Plans one schedule against the server as it is now. */
export async function planSchedule(
  client: Client,
  desired: DesiredSchedule,
  options: PlanOptions = {},
): Promise<PlannedChange> {
  const former = await findFormer(client, desired);
  return planChange(desired, await observeSchedule(client, desired.id), { ...options, former });
}

/**
 * Makes the server agree with one definition, then reads back what it stored.
 *
 * @throws ReadBackError when that differs from what was written
 */
export async function applySchedule(
  client: Client,
  desired: DesiredSchedule,
  options: PlanOptions = {},
): Promise<PlannedChange> {
  const change = await planSchedule(client, desired, options);
  switch (change.action) {
    case 'create':
      await createSchedule(client, desired);
      await readBack(client, desired, desired.content, change);
      return change;
    case 'move':
      return moveSchedule(client, desired, change);
    case 'update':
    case 'repair':
    case 'pause':
    case 'resume':
      await readBack(client, desired, await updateSchedule(client, desired, options), change);
      return change;
    default:
      return change;
  }
}

/**
 * The new schedule is there, paused, before the former one goes, and fires only afterwards: no tick fires twice, and a
 * move that breaks off is completed by the next one.
 */
async function moveSchedule(client: Client, desired: DesiredSchedule, change: PlannedChange): Promise<PlannedChange> {
  const { paused, note = '', from = '' } = change;
  await createSchedule(client, desired, { paused: true, note: paused ? note : movingNote });
  await client.schedule.getHandle(from).delete();
  const written = await updateSchedule(client, desired, { repair: true });
  await readBack(client, desired, written, change);
  return change;
}

/** Creates a schedule; false where another apply made one of this id meanwhile. */
export async function createSchedule(
  client: Client,
  desired: DesiredSchedule,
  state: { paused: boolean; note?: string } = desired.enabled
    ? { paused: false }
    : { paused: true, note: disabledNote },
): Promise<boolean> {
  try {
    await client.schedule.create({ scheduleId: desired.id, ...desired.options, memo: { [ownerMemo]: true }, state });
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw error;
  }
}

/** Planned once more on what is there at this moment, so that a pause by a person in between is kept. Returns what was sent. */
async function updateSchedule(
  client: Client,
  desired: DesiredSchedule,
  { repair = false }: PlanOptions,
): Promise<ScheduleContent> {
  let written = desired.content;
  await client.schedule.getHandle(desired.id).update((previous) => {
    const observed = readDescription(previous);
    if (!observed.isOurs)
      throw new ReadBackError(`${desired.id}: somebody else has made a schedule of this id meanwhile`);
    const { paused, note = '' } = planChange(desired, observed, { repair });
    if (!repair) written = mergeContent(desired, findDrift(desired, observed));
    const options = encodeContent(written, markContent(desired.digest, desired.enabled));
    const { remainingActions } = written;
    return { ...options, state: { paused, note, ...(remainingActions === undefined ? {} : { remainingActions }) } };
  });
  return written;
}

/** @throws ReadBackError when what is stored differs from what was written */
export async function readBack(
  client: Client,
  desired: DesiredSchedule,
  written: ScheduleContent,
  { action }: PlannedChange,
): Promise<void> {
  const fault = findFault(desired, written, await observeSchedule(client, desired.id));
  if (fault === undefined) return;
  throw new ReadBackError(`${desired.id}: read back after the ${action}, ${fault}; run apply again`);
}

function findFault(
  desired: DesiredSchedule,
  written: ScheduleContent,
  stored: ObservedSchedule | undefined,
): string | undefined {
  if (stored === undefined) return 'it is not there';
  if (!stored.isOurs) return 'somebody else has made a schedule of this id';
  if (stored.digest !== desired.digest) return 'another definition was written over it';
  if (digestContent(stored.content) !== digestContent(written)) {
    return `the server stored something else than it was sent (${listDifferences(written, stored.content).join('; ')})`;
  }
  const { action } = planChange(desired, stored);
  return action === 'unchanged' || action === 'drift' ? undefined : `it is ${stored.paused ? 'paused' : 'not paused'}`;
}
