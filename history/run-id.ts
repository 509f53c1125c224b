import { v5 } from 'uuid';
import type { Firing } from '../workflows/contract.ts';

/** Pinned for ever: another namespace would give every recorded tick a second row. */
export const runNamespace = 'b1f0c4de-6a52-4d0f-9d2b-7f5f3c1e8a94';

/**
 * The id of a run's row. A tick is named by (definition uuid, source, scheduled_at), so that whoever records it, and
 * however often, writes the same row; a firing by hand is named by the workflow run that it started.
 */
export function runIdOf(definitionUuid: string, firing: Firing): string {
  const isTick = firing.trigger === 'schedule' || firing.trigger === 'backfill' || firing.trigger === 'external';
  const occasion = isTick ? new Date(firing.scheduledAt).toISOString() : `${firing.trigger}:${firing.workflowRunId}`;
  return v5([definitionUuid, firing.source, occasion].join('|'), runNamespace);
}
