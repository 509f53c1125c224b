import type { KeptAction } from '../history/run-actions.ts';
import type { CheckReport } from '../workflows/contract.ts';
import { formatActions, formatTriplets } from './findings-output.ts';
import type { Output } from './output.ts';
import { showLine } from './printable.ts';
import { formatTable } from './table.ts';

type Screen = Pick<Output, 'colors' | 'columns'>;

const shownActions = 20;

const counted = ['cured', 'sent', 'simulated', 'proposed', 'failed', 'left'] as const;

/** What each check of a run found, and what became of it; counts that are zero in all of them are left out. */
export function formatChecks(checks: CheckReport[], { colors, columns }: Screen): string {
  const shown = counted.filter((name) => checks.some((check) => check[name] > 0));
  const hasErrors = checks.some(({ error }) => error !== undefined);
  const rows = checks.map((check) => [
    showLine(check.name),
    check.mode,
    `${check.findings}${check.hasMore ? '+' : ''}`,
    ...shown.map((name) => String(check[name])),
    `${Math.round(check.tookMs)} ms`,
    ...(hasErrors ? [colors.red(showLine(check.error ?? ''))] : []),
  ]);
  const head = ['CHECK', 'MODE', 'FINDINGS', ...shown.map((name) => name.toUpperCase()), 'TOOK'];
  return formatTable([...head, ...(hasErrors ? ['ERROR'] : [])], rows, { colors, columns });
}

/** What a run did: the first of its actions in a list, or all of them whole. */
export function formatRunActions(actions: KeptAction[], all: boolean, { colors, columns }: Screen): string {
  if (all) return formatTriplets(actions, colors);
  const more = actions.length - shownActions;
  const list = formatActions(actions.slice(0, shownActions), { colors, columns });
  return more > 0 ? `${list}\n${colors.dim(`and ${more} more: --actions`)}` : list;
}
