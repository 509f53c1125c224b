import { writeCanonical } from '../compiler/digest.ts';
import type { Order } from '../workflows/contract.ts';
import { digestContent, isComparableDigest } from './content.ts';
import type { ScheduleContent } from './content.ts';
import { compileContent } from './desired.ts';
import type { DesiredSchedule } from './desired.ts';
import { listDifferences } from './difference.ts';
import type { ObservedSchedule } from './observe.ts';

/** What somebody changed on the server since the definition was last applied. */
export interface Drift {
  /** Each as `path: on the server -> in the definition that was applied`. */
  fields: string[];
  /** The parts that a write keeps unless it repairs; those that the definition changes too are not among them. */
  kept: Partial<ScheduleContent>;
  /** Names of the parts that a write replaces in any case. */
  replaced: string[];
}

const none: Drift = { fields: [], kept: {}, replaced: [] };

/**
 * Compares what is stored with the digest that it was stored under. Where the definition has changed since, what was
 * applied is derived from the order on the server; then the order, the runbook and the task queue have nothing to be
 * compared with, and a change of theirs is only known to have happened.
 */
export function findDrift(desired: DesiredSchedule, { content, digest }: ObservedSchedule): Drift {
  if (digest === undefined) {
    const drift = compareContent(content, desired.content, desired.content);
    return { ...drift, fields: [...drift.fields, 'memo: the mark of the definition that was applied is gone'] };
  }
  if (!isComparableDigest(digest) || digestContent(content) === digest) return none;
  if (digest === desired.digest) return compareContent(content, desired.content, desired.content);
  const applied = deriveApplied(content);
  const drift = applied === undefined ? none : compareContent(content, applied, desired.content);
  if (applied !== undefined && digestContent(applied) === digest) return drift;
  const replaced = ['args', 'details', 'taskQueue'];
  return {
    fields: [...drift.fields, `${replaced.join(', ')}: one of them was changed on the server`],
    kept: drift.kept,
    replaced: [...drift.replaced, ...replaced],
  };
}

/** The whole content that is to be written: what is wanted, with the drift that is kept. */
export function mergeContent(desired: DesiredSchedule, { kept }: Pick<Drift, 'kept'>): ScheduleContent {
  const merged = { ...desired.content, ...kept };
  // What somebody took away is kept away.
  for (const [part, value] of Object.entries(kept)) if (value === undefined) delete merged[part as ContentPart];
  return merged;
}

type ContentPart = 'retry' | 'priority' | 'remainingActions';

function compareContent(stored: ScheduleContent, applied: ScheduleContent, desired: ScheduleContent): Drift {
  const parts = [...new Set([...Object.keys(stored), ...Object.keys(applied)])] as (keyof ScheduleContent)[];
  const drifted = parts.filter((part) => !isEqual(stored[part], applied[part]));
  const kept = drifted.filter((part) => isEqual(applied[part], desired[part]));
  return {
    fields: drifted.flatMap((part) => describePart(part, stored, applied)),
    kept: Object.fromEntries(kept.map((part) => [part, stored[part]])),
    replaced: drifted.filter((part) => !kept.includes(part)),
  };
}

function describePart(part: keyof ScheduleContent, stored: ScheduleContent, applied: ScheduleContent): string[] {
  const fields = listDifferences(stored[part], applied[part], part);
  return fields.length > 0 ? fields : [`${part}: the hashes in it were changed`];
}

function isEqual(left: unknown, right: unknown): boolean {
  return writeCanonical(left ?? null) === writeCanonical(right ?? null);
}

/** What a schedule with this order held when it was applied; undefined where the order is none of ours any more. */
function deriveApplied(stored: ScheduleContent): ScheduleContent | undefined {
  const order = stored.args[0] as Order;
  try {
    return { ...compileContent(order, stored), args: stored.args };
  } catch {
    return undefined;
  }
}
