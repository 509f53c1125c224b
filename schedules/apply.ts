import { isDeepStrictEqual } from 'node:util';
import { ScheduleAlreadyRunning } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { disabledNote, ownerMemo } from './desired.ts';
import type { DesiredSchedule } from './desired.ts';
import { observeSchedule, readDescription } from './observe.ts';
import { planChange } from './plan.ts';
import type { PlannedChange } from './plan.ts';

/** The server did not keep a schedule as it was told to. */
export class ReadBackError extends Error {
  override readonly name = 'ReadBackError';
}

/** Plans one schedule against the server as it is now. */
export async function planSchedule(client: Client, desired: DesiredSchedule): Promise<PlannedChange> {
  return planChange(desired, await observeSchedule(client, desired.id));
}

/**
 * Makes the server agree with one definition, then reads back what it stored.
 *
 * @throws ReadBackError when that differs from what was written
 */
export async function applySchedule(client: Client, desired: DesiredSchedule): Promise<PlannedChange> {
  const change = await planSchedule(client, desired);
  switch (change.action) {
    case 'unchanged':
    case 'refused':
      return change;
    case 'create':
      await createSchedule(client, desired);
      break;
    case 'update':
    case 'pause':
    case 'resume':
      await updateSchedule(client, desired);
      break;
  }
  await readBack(client, desired, change);
  return change;
}

async function createSchedule(client: Client, desired: DesiredSchedule): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: desired.id,
      ...desired.options,
      memo: { [ownerMemo]: true },
      state: desired.enabled ? { paused: false } : { paused: true, note: disabledNote },
    });
  } catch (error) {
    // Another apply made it meanwhile: the read-back says whether it is the same one.
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}

/** Planned once more on what is there at this moment, so that a pause by a person in between is kept. */
async function updateSchedule(client: Client, desired: DesiredSchedule): Promise<void> {
  await client.schedule.getHandle(desired.id).update((previous) => {
    const { paused, note = '' } = planChange(desired, readDescription(previous));
    return { ...desired.options, state: { ...previous.state, paused, note } };
  });
}

async function readBack(client: Client, desired: DesiredSchedule, { action }: PlannedChange): Promise<void> {
  const stored = await observeSchedule(client, desired.id);
  const fault = findFault(desired, stored);
  if (fault === undefined) return;
  throw new ReadBackError(`${desired.id}: read back after the ${action}, ${fault}; run apply again`);
}

function findFault(desired: DesiredSchedule, stored: Awaited<ReturnType<typeof observeSchedule>>): string | undefined {
  if (stored === undefined) return 'it is not there';
  if (stored.digest !== desired.digest) return 'another definition was written over it';
  if (!isDeepStrictEqual(stored.cadence, desired.order.cadence)) {
    return 'the server stored another cadence than it was sent';
  }
  return planChange(desired, stored).action === 'unchanged'
    ? undefined
    : `it is ${stored.paused ? 'paused' : 'not paused'}`;
}
