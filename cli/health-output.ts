import type { HealthFacts } from '../history/health-facts.ts';
import type { HealthProblem, HealthRule } from '../history/health.ts';
import { ownSource } from '../workflows/contract.ts';
import type { Output } from './output.ts';
import { fitWidth, showLine } from './printable.ts';
import { formatTable } from './table.ts';

const titles: Record<HealthRule, string> = {
  temporal_away: 'no Temporal',
  reconciler_silent: 'reconciler silent',
  retired_source: 'retired source',
  no_schedule: 'no schedule',
  failing: 'failing',
  overdue: 'overdue',
  silent_source: 'silent source',
  stuck: 'stuck',
  gaps: 'gaps',
  quarantined: 'quarantined',
  drift: 'drift',
  headroom: 'little headroom',
  too_short: 'too short',
  history_too_long: 'history too long',
};

/** Rules that can wait for the morning. */
const mild: ReadonlySet<HealthRule> = new Set(['drift', 'headroom', 'too_short', 'history_too_long']);

/** What is said of one problem is one line; `--json` has all of it. */
const longestMessage = 110;

/** One line for each problem, the worst first, or that there is none, with what was looked at. */
export function formatHealth(
  problems: HealthProblem[],
  facts: HealthFacts,
  { colors, columns }: Pick<Output, 'colors' | 'columns'>,
): string {
  const looked = colors.dim(`looked at ${writeLookedAt(facts)}`);
  if (problems.length === 0) return `${colors.green('nothing is broken')}\n${looked}`;
  const rows = problems.map(({ rule, subject, message, command }) => [
    (mild.has(rule) ? colors.yellow : colors.red)(titles[rule]),
    showLine(subject),
    fitWidth(showLine(message), longestMessage),
    colors.dim(showLine(command)),
  ]);
  return `${formatTable(['WHAT', 'WHERE', 'KNOWN', 'SHOWS MORE'], rows, { colors, columns })}\n\n${looked}`;
}

/** What an answer stands on. */
export function describeLookedAt(facts: HealthFacts) {
  const { enabled, schedules, dues, running, history, reconciler, retention } = facts;
  return {
    enabledDefinitions: enabled,
    schedules: schedules?.length ?? null,
    dueTicks: dues.filter(({ isOwn }) => isOwn).length,
    outsideSources: new Set(dues.flatMap(({ source }) => (source === ownSource ? [] : [source]))).size,
    runningRuns: running.length,
    lastReconciliation: reconciler.lastLook ?? null,
    sizeBytes: history.sizeBytes,
    oldestMonth: history.oldestMonth?.slice(0, 7) ?? null,
    keepMonths: retention?.keepMonths ?? null,
  };
}

function writeLookedAt(facts: HealthFacts): string {
  const { enabledDefinitions, schedules, outsideSources, runningRuns, oldestMonth, keepMonths, sizeBytes } =
    describeLookedAt(facts);
  const count = (number: number, one: string) => `${number} ${one}${number === 1 ? '' : 's'}`;
  const size = sizeBytes >= 1e9 ? `${(sizeBytes / 1e9).toFixed(1)} GB` : `${Math.ceil(sizeBytes / 1e6)} MB`;
  return [
    count(enabledDefinitions, 'enabled definition'),
    schedules === null ? 'no schedule, as Temporal is away' : count(schedules, 'schedule'),
    count(outsideSources, 'outside source'),
    `${count(runningRuns, 'run')} under way`,
    `the last ${facts.period}`,
    `a history of ${size}${oldestMonth === null ? '' : ` since ${oldestMonth}`}`,
    keepMonths === null
      ? 'kept for ever, as actcore.retention is not applied'
      : `kept for ${count(keepMonths, 'month')}`,
  ].join(', ');
}
