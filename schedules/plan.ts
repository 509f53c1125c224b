import { disabledNote, enabledNote } from './desired.ts';
import type { DesiredSchedule } from './desired.ts';
import { describeValue, listDifferences } from './difference.ts';
import type { ObservedSchedule } from './observe.ts';

/** What is to be done to one schedule so that the server agrees with the definition. */
export interface PlannedChange {
  id: string;
  action: 'create' | 'update' | 'pause' | 'resume' | 'unchanged' | 'refused';
  /** What changes, each as `path: old -> new`. */
  fields: string[];
  /** Whether the schedule is paused afterwards, and the note it then has. */
  paused: boolean;
  note?: string;
  /** What stands in the way: a pause that is kept, or why the change is refused. */
  remark?: string;
}

/** Compares what is wanted with what is there. Pure: applying a plan and planning again gives only `unchanged`. */
export function planChange(desired: DesiredSchedule, observed: ObservedSchedule | undefined): PlannedChange {
  const { id, enabled } = desired;
  if (observed === undefined) {
    return { id, action: 'create', fields: [], paused: !enabled, ...(enabled ? {} : { note: disabledNote }) };
  }
  if (observed.digest === undefined) {
    const remark =
      'the server has a schedule of this id that actcore did not make; delete it there or choose another id';
    return { id, action: 'refused', fields: [], paused: observed.paused, remark };
  }
  const standing = planStanding(enabled, observed);
  const fields = listFields(desired, observed);
  const isSwitch = fields.every((field) => field.startsWith('enabled: '));
  if (isSwitch && standing.paused !== observed.paused) {
    return { id, action: standing.paused ? 'pause' : 'resume', fields, ...standing };
  }
  const isEqual = observed.digest === desired.digest && observed.enabled === enabled;
  return { id, action: isEqual ? 'unchanged' : 'update', fields, ...standing };
}

/** Any pause that does not bear the note of ours is a person's, or that of a failed run, and stays. */
function planStanding(enabled: boolean, observed: ObservedSchedule): Pick<PlannedChange, 'paused' | 'note' | 'remark'> {
  const note = observed.note === undefined ? {} : { note: observed.note };
  if (observed.paused && observed.note !== disabledNote) {
    return { paused: true, ...note, remark: `stays paused: ${observed.note ?? 'no note'}` };
  }
  if (!enabled) return { paused: true, note: disabledNote };
  return observed.paused ? { paused: false, note: enabledNote } : { paused: false, ...note };
}

function listFields(desired: DesiredSchedule, observed: ObservedSchedule): string[] {
  const { action } = desired.options;
  const before = { ...observed.order, enabled: observed.enabled, taskQueue: observed.taskQueue };
  const after = { ...desired.order, enabled: desired.enabled, taskQueue: action.taskQueue };
  const fields = listDifferences(before, after);
  if (observed.runbook !== (action.staticDetails ?? '')) fields.push('runbook: another text');
  if (fields.length > 0 || observed.digest === desired.digest) return fields;
  if (observed.order?.revision === desired.order.revision) return ['how the definition is compiled'];
  return [
    `revision: ${describeValue(observed.order?.revision.slice(0, 12))} -> ${describeValue(desired.order.revision.slice(0, 12))}`,
  ];
}
