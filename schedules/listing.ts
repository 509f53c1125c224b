import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ScheduleSummary } from '@temporalio/client';
import { writeCanonical } from '../compiler/digest.ts';
import { disabledNote, ownerMemo } from './desired.ts';
import type { DesiredSchedule } from './desired.ts';
import { decompileSpec, normalizeCadence } from './spec.ts';

/** Fewer than this are read back sooner one by one. */
const fewestListed = 20;
/** The listing lags behind by about a second; what it does not show by then is asked for by itself. */
const listingPatienceMs = 5_000;
const listingPauseMs = 300;

/** The ids of all schedules of ours in the namespace, sorted. The server's listing lags a second or so behind. */
export async function listScheduleIds(client: Client): Promise<string[]> {
  const ids: string[] = [];
  for await (const summary of client.schedule.list()) {
    if (summary.memo?.[ownerMemo] === true) ids.push(summary.scheduleId);
  }
  return ids.sort();
}

/**
 * Compares schedules that were just created with the server's listing, which costs a fraction of describing each. It
 * shows what the server made of the times, the workflow type, the pause and the note; of the rest the server keeps the
 * bytes that it acknowledged. Returns those that it did not confirm.
 */
export async function readBackListed(client: Client, created: DesiredSchedule[]): Promise<DesiredSchedule[]> {
  if (created.length < fewestListed) return created;
  const left = new Map(created.map((schedule) => [schedule.id, schedule]));
  const deadline = Date.now() + listingPatienceMs;
  for (;;) {
    for await (const summary of client.schedule.list()) {
      const schedule = left.get(summary.scheduleId);
      if (schedule !== undefined && isConfirmed(schedule, summary)) left.delete(summary.scheduleId);
    }
    if (left.size === 0 || Date.now() > deadline) return [...left.values()];
    await sleep(listingPauseMs);
  }
}

function isConfirmed({ content, enabled }: DesiredSchedule, { spec, action, state, memo }: ScheduleSummary): boolean {
  if (spec === undefined || memo?.[ownerMemo] !== true || action?.workflowType !== content.workflowType) return false;
  const isStanding = state.paused === !enabled && (enabled || state.note === disabledNote);
  return isStanding && writeCanonical(normalizeCadence(decompileSpec(spec))) === writeCanonical(content.cadence);
}
