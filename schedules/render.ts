import type { PlannedChange } from './plan.ts';

/** The sign before each change, as in a diff. */
export const signs: Record<PlannedChange['action'], string> = {
  create: '+',
  update: '~',
  pause: '-',
  resume: '>',
  repair: '~',
  drift: '≠',
  unchanged: '=',
  refused: '!',
};

/** One change as lines of plain text: what is done, then what it changes and what stands in the way. */
export function renderChange(change: PlannedChange): string[] {
  const state = change.paused && change.action !== 'pause' ? ' (paused)' : '';
  const remark = change.remark === undefined ? [] : [`    ${change.remark}`];
  return [
    `${signs[change.action]} ${change.action} ${change.id}${state}`,
    ...change.fields.map((field) => `    ${field}`),
    ...change.drift.map((field) => `    changed on the server: ${field}`),
    ...remark,
  ];
}

const planned: Record<PlannedChange['action'], string> = {
  create: 'to create',
  update: 'to update',
  pause: 'to pause',
  resume: 'to resume',
  repair: 'to repair',
  drift: 'drifted',
  unchanged: 'unchanged',
  refused: 'refused',
};

const applied: typeof planned = {
  ...planned,
  create: 'created',
  update: 'updated',
  pause: 'paused',
  resume: 'resumed',
  repair: 'repaired',
};

/** The last line under a plan, or under what was applied: how many of each. */
export function summarizeChanges(changes: PlannedChange[], stage: 'planned' | 'applied'): string {
  const phrases = stage === 'planned' ? planned : applied;
  const actions = Object.keys(phrases) as PlannedChange['action'][];
  const counts = actions.map((action) => ({
    action,
    count: changes.filter((change) => change.action === action).length,
  }));
  return counts
    .filter(({ count }) => count > 0)
    .map(({ action, count }) => `${count} ${phrases[action]}`)
    .join(', ');
}

/** Whether applying would do anything. */
export function isPending(change: PlannedChange): boolean {
  return !['unchanged', 'drift', 'refused'].includes(change.action);
}
