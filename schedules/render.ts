import type { Action, PlannedChange } from './plan.ts';
import type { TickChange } from './tick-change.ts';

/** The sign before each change, as in a diff. */
export const signs: Record<Action, string> = {
  create: '+',
  update: '~',
  move: '»',
  pause: '-',
  resume: '>',
  repair: '~',
  prune: '-',
  drift: '≠',
  orphan: '?',
  unchanged: '=',
  refused: '!',
  failed: '!',
  not_done: '!',
};

/** One change as lines of plain text: what is done, then what it changes and what stands in the way. */
export function renderChange(change: PlannedChange): string[] {
  const state = change.paused && change.action !== 'pause' ? ' (paused)' : '';
  const remark = change.remark === undefined ? [] : [`    ${change.remark}`];
  return [
    `${signs[change.action]} ${change.action.replace('_', ' ')} ${change.id}${state}`,
    ...change.fields.map((field) => `    ${field}`),
    ...change.drift.map((field) => `    changed on the server: ${field}`),
    ...(change.ticks === undefined ? [] : renderTicks(change.ticks, change.action)),
    ...remark,
  ];
}

function renderTicks({ before, after, remark }: TickChange, action: Action): string[] {
  const list = (ticks: string[]) => ticks.map((tick) => `${tick.slice(0, 19)}Z`).join(' ') || 'none';
  if (action === 'create') return [`    next ticks: ${list(after)}`];
  return [
    `    next ticks: ${list(before)}`,
    `          then: ${list(after)}`,
    ...(remark === undefined ? [] : [`    ${remark}`]),
  ];
}

const planned: Record<Action, string> = {
  create: 'to create',
  update: 'to update',
  move: 'to move',
  pause: 'to pause',
  resume: 'to resume',
  repair: 'to repair',
  prune: 'to remove',
  drift: 'drifted',
  orphan: 'without a definition',
  unchanged: 'unchanged',
  refused: 'refused',
  failed: 'failed',
  not_done: 'not done',
};

const applied: typeof planned = {
  ...planned,
  create: 'created',
  update: 'updated',
  move: 'moved',
  pause: 'paused',
  resume: 'resumed',
  repair: 'repaired',
  prune: 'removed',
};

/** The last line under a plan, or under what was applied: how many of each. */
export function summarizeChanges(changes: PlannedChange[], stage: 'planned' | 'applied'): string {
  const phrases = stage === 'planned' ? planned : applied;
  const actions = Object.keys(phrases) as Action[];
  const counts = actions.map((action) => ({
    action,
    count: changes.filter((change) => change.action === action).length,
  }));
  return counts
    .filter(({ count }) => count > 0)
    .map(({ action, count }) => `${count} ${phrases[action]}`)
    .join(', ');
}

const pending: ReadonlySet<Action> = new Set(['create', 'update', 'move', 'pause', 'resume', 'repair', 'prune']);
const failures: ReadonlySet<Action> = new Set(['refused', 'failed', 'not_done']);

/** Whether applying would do anything. */
export function isPending({ action }: PlannedChange): boolean {
  return pending.has(action);
}

/** Whether the server does not agree with the definition because something stood in the way. */
export function isFailed({ action }: PlannedChange): boolean {
  return failures.has(action);
}

/** Whether the same once more could succeed, as it cannot for what is refused. */
export function isBrokenOff({ action }: PlannedChange): boolean {
  return action === 'failed' || action === 'not_done';
}
