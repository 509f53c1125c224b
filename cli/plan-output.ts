import type { Action, PlannedChange } from '../schedules/plan.ts';
import { renderChange, summarizeChanges } from '../schedules/render.ts';
import { showText } from './printable.ts';
import type { Output } from './output.ts';

/** Prints each change in the colour of what it does, then how many there are of each. */
export function printChanges(changes: PlannedChange[], output: Output, stage: 'planned' | 'applied'): void {
  const { colors } = output;
  const paints: Record<Action, (text: string) => string> = {
    create: colors.green,
    update: colors.yellow,
    move: colors.yellow,
    pause: colors.yellow,
    resume: colors.green,
    repair: colors.yellow,
    prune: colors.red,
    drift: colors.magenta,
    orphan: colors.magenta,
    unchanged: colors.dim,
    refused: colors.red,
    failed: colors.red,
    not_done: colors.red,
  };
  for (const change of changes) {
    for (const line of renderChange(change)) output.line(paints[change.action](showText(line)));
  }
  output.line(summarizeChanges(changes, stage));
}
