import type { ScheduleContent } from './content.ts';
import { disabledNote, enabledNote, movingNote } from './desired.ts';
import type { DesiredSchedule } from './desired.ts';
import { findDrift, mergeContent } from './drift.ts';
import type { Drift } from './drift.ts';
import { describeValue, listDifferences } from './difference.ts';
import { explainStranger } from './move.ts';
import type { ObservedSchedule } from './observe.ts';
import { compareTicks } from './tick-change.ts';
import type { TickChange } from './tick-change.ts';

/**
 * `drift` is seen and left alone, `repair` is the same put back; `orphan` and `prune` are so for a schedule without a
 * definition. Only applying ends in `failed`, and in `not_done` where the server was away by then.
 */
export type Action =
  | 'create'
  | 'update'
  | 'move'
  | 'pause'
  | 'resume'
  | 'repair'
  | 'prune'
  | 'drift'
  | 'orphan'
  | 'unchanged'
  | 'refused'
  | 'failed'
  | 'not_done';

/** What is to be done to one schedule so that the server agrees with the definition. */
export interface PlannedChange {
  id: string;
  action: Action;
  /** Under `move`: the id that the schedule had. */
  from?: string;
  /** What the definition changes, each as `path: old -> new`. */
  fields: string[];
  /** What somebody changed on the server, each as `path: there -> in the definition`. */
  drift: string[];
  /** Whether the schedule is paused afterwards, and the note it then has. */
  paused: boolean;
  note?: string;
  /** Where a write changes the next ticks. */
  ticks?: TickChange;
  /** What stands in the way: a pause that is kept, or why the change is refused. */
  remark?: string;
}

export interface PlanOptions {
  /** Puts back what somebody changed on the server. */
  repair?: boolean;
  /** When given, the next ticks before and after are compared. */
  now?: Date;
  /** The schedule that the definition had under another id. */
  former?: ObservedSchedule | undefined;
}

/** The change, and where it moves ticks, which ones. */
export function planChange(
  desired: DesiredSchedule,
  observed: ObservedSchedule | undefined,
  options: PlanOptions = {},
): PlannedChange {
  const { now, repair = false, former } = options;
  if (former !== undefined && observed?.isOurs !== false) return planMove(desired, observed, former, now);
  const change = chooseChange(desired, observed, options);
  if (!written.has(change.action)) return change;
  const { kept } = repair || observed === undefined ? { kept: {} } : findDrift(desired, observed);
  return addTicks(change, observed, mergeContent(desired, { kept }), now);
}

const written: ReadonlySet<Action> = new Set(['create', 'update', 'pause', 'resume', 'repair']);

/** What is paused, or not there yet, has no next ticks. */
function addTicks(
  change: PlannedChange,
  observed: ObservedSchedule | undefined,
  { cadence }: Pick<ScheduleContent, 'cadence'>,
  now: Date | undefined,
): PlannedChange {
  if (now === undefined) return change;
  const before = observed?.paused === false ? observed.content.cadence : undefined;
  const ticks = compareTicks(before, change.paused ? undefined : cadence, now);
  return ticks === undefined ? change : { ...change, ticks };
}

/** The former schedule goes with what was changed on it; what a person paused there stays paused here. */
function planMove(
  desired: DesiredSchedule,
  observed: ObservedSchedule | undefined,
  former: ObservedSchedule,
  now: Date | undefined,
): PlannedChange {
  const { id, enabled } = desired;
  const stranger = explainStranger(desired, former);
  if (stranger !== undefined) {
    return { id, action: 'refused', fields: [], drift: [], paused: !enabled, remark: stranger };
  }
  const isOnItsWay = observed === undefined || observed.note === movingNote;
  const standing = planStanding(enabled, isOnItsWay ? former : observed, true);
  const fields = [`id: ${former.id} -> ${id}`, ...listFields(desired, former).filter((field) => !isOfId(field))];
  const drift = findDrift(desired, former).fields;
  const lost = drift.length > 0 ? 'what was changed on the former schedule does not move along' : undefined;
  const remark = joinRemarks(standing.remark, lost);
  const change: PlannedChange = { id, action: 'move', from: former.id, fields, drift, ...standing, ...remark };
  return addTicks(change, former, desired.content, now);
}

function isOfId(field: string): boolean {
  return field.startsWith('definition.id: ');
}

/** Compares what is wanted with what is there. Pure: applying a plan and planning again gives only `unchanged` or `drift`. */
function chooseChange(
  desired: DesiredSchedule,
  observed: ObservedSchedule | undefined,
  { repair = false }: PlanOptions = {},
): PlannedChange {
  const { id, enabled } = desired;
  if (observed === undefined) {
    return {
      id,
      action: 'create',
      fields: [],
      drift: [],
      paused: !enabled,
      ...(enabled ? {} : { note: disabledNote }),
    };
  }
  if (!observed.isOurs) {
    const remark =
      'the server has a schedule of this id that actcore did not make; delete it there or choose another id';
    return { id, action: 'refused', fields: [], drift: [], paused: observed.paused, remark };
  }
  const content = findDrift(desired, observed);
  const drift = [...content.fields, ...(isResumedByHand(enabled, observed) ? ['paused: false -> true'] : [])];
  const standing = planStanding(enabled, observed, repair);
  const fields = listFields(desired, observed);
  const change = { id, fields, drift, ...standing, ...explainDrift(content, drift, standing.remark, repair) };
  const isEqual = observed.digest === undefined || (observed.digest === desired.digest && observed.enabled === enabled);
  const isRepaired = repair && drift.length > 0;
  const isSwitch = !isRepaired && fields.every((field) => field.startsWith('enabled: '));
  if (isSwitch && standing.paused !== observed.paused) {
    return { ...change, action: standing.paused ? 'pause' : 'resume' };
  }
  if (!isEqual) return { ...change, action: 'update' };
  if (drift.length === 0) return { ...change, action: 'unchanged' };
  return { ...change, action: repair ? 'repair' : 'drift' };
}

/** The definition says off, and said so when it was applied; that the schedule is on is somebody's doing on the server. */
function isResumedByHand(enabled: boolean, observed: ObservedSchedule): boolean {
  return !enabled && observed.enabled !== true && !observed.paused;
}

function explainDrift(
  { replaced }: Drift,
  drift: string[],
  remark: string | undefined,
  repair: boolean,
): Pick<PlannedChange, 'remark'> {
  if (drift.length === 0 || repair) return joinRemarks(remark);
  const parts = replaced.length === 0 ? '' : `, except ${replaced.join(', ')}: the definition has changed`;
  return joinRemarks(
    remark,
    `apply keeps what was changed on the server${parts}; apply --repair puts the definition back`,
  );
}

function joinRemarks(...remarks: (string | undefined)[]): Pick<PlannedChange, 'remark'> {
  const given = remarks.filter((remark) => remark !== undefined);
  return given.length === 0 ? {} : { remark: given.join('; ') };
}

/** Any pause that does not bear the note of ours is a person's, or that of a failed run, and stays. */
function planStanding(
  enabled: boolean,
  observed: ObservedSchedule,
  repair: boolean,
): Pick<PlannedChange, 'paused' | 'note' | 'remark'> {
  const note = observed.note === undefined ? {} : { note: observed.note };
  if (observed.paused && observed.note !== disabledNote && observed.note !== movingNote) {
    return { paused: true, ...note, remark: `stays paused: ${observed.note ?? 'no note'}` };
  }
  if (!repair && isResumedByHand(enabled, observed)) return { paused: false, ...note };
  if (!enabled) return { paused: true, note: disabledNote };
  return observed.paused ? { paused: false, note: enabledNote } : { paused: false, ...note };
}

/** Only the order tells of the definition that was applied: under drift, what the schedule does is not what it said. */
function listFields(desired: DesiredSchedule, observed: ObservedSchedule): string[] {
  const { content } = desired;
  // What was applied is not known.
  if (observed.digest === undefined) return [];
  const enabled = listDifferences({ enabled: observed.enabled }, { enabled: desired.enabled });
  if (observed.digest === desired.digest) return enabled;
  const before = { ...observed.order, enabled: observed.enabled, taskQueue: observed.taskQueue };
  const after = { ...desired.order, enabled: desired.enabled, taskQueue: content.taskQueue };
  const fields = listDifferences(before, after);
  if (observed.runbook !== content.details) fields.push('runbook: another text');
  if (fields.length > 0) return fields;
  if (observed.order?.revision === desired.order.revision) return ['how the definition is compiled'];
  return [
    `revision: ${describeValue(observed.order?.revision.slice(0, 12))} -> ${describeValue(desired.order.revision.slice(0, 12))}`,
  ];
}
