import type { Criterion, CriterionName } from '../comparison/criteria.ts';
import { formatDuration } from '../compiler/duration.ts';
import type { ListedRetirement } from '../history/source-retirement.ts';
import { formatPercent, formatTime } from './comparison-output.ts';
import type { CutoverCheck } from './cutover-check.ts';
import type { Colors, Output } from './output.ts';
import { showLine } from './printable.ts';
import { formatTable } from './table.ts';

type Screen = Pick<Output, 'colors' | 'columns'>;

/** What each criterion asks of the old source and the new one, and what to look at where it is not met. */
const texts: Record<CriterionName, { asks: (from: string, to: string) => string; advice: string }> = {
  window_covered: {
    asks: () => 'both were in the account for the whole window',
    advice: 'wait, or let both run side by side again',
  },
  ticks_covered: {
    asks: (from, to) => `ticks of ${from} that ${to} does not have`,
    advice: 'schedule them in the definition, or widen cutover.tolerance',
  },
  enough_pairs: {
    asks: () => 'pairs of ticks in which the work was done',
    advice: 'wait; a rare activity needs a longer cutover.window, or a smaller cutover.min_pairs',
  },
  agreement: { asks: () => 'pairs that agree', advice: 'actcore compare lists those that do not' },
  new_completed: {
    asks: (_, to) => `runs that ${to} completed itself`,
    advice: 'it has only ever found the lock held: let the old one leave out a tick, or move one of them by a minute',
  },
  completion: {
    asks: (from, to) => `pairs in which ${to} did its part, not fewer than ${from}`,
    advice: 'actcore compare lists what it did not do',
  },
  no_new_failure: {
    asks: (_, to) => `errors, timeouts and missed ticks that only ${to} has`,
    advice: 'actcore errors and actcore compare say why',
  },
  no_double_execution: {
    asks: () => 'runs that were at the work together',
    advice: 'give the target a lock, so that one of them makes way',
  },
  account: {
    asks: () => 'ticks that the account does not explain',
    advice: 'actcore audit --fix writes what can be known',
  },
};

/** The verdict, and each criterion with its figure and what is asked for. */
export function formatCheck(check: CutoverCheck, { colors, columns }: Screen): string {
  const { id, from, to, isGo, window, criteria } = check;
  const rows = criteria.map((criterion) => {
    const { name, isMet, figure, threshold, unit } = criterion;
    const { asks, advice } = texts[name];
    const isExact = threshold === 0 && unit !== 'percent';
    return [
      isMet ? colors.green('yes') : colors.red('no'),
      figure === null ? 'none' : write(figure, unit),
      `${isExact ? '' : 'at least '}${write(threshold, unit)}`,
      `${asks(from, to)}${isMet ? '' : ` -> ${advice}`}`,
    ];
  });
  const span = `from ${formatTime(window.fromMs)} to ${formatTime(window.toMs)} UTC`;
  const unmet = criteria.filter(({ isMet }) => !isMet).length;
  const verdict = isGo
    ? colors.green(`go: ${to} may take over from ${from}`)
    : colors.red(`no-go: ${unmet} of ${criteria.length} criteria ${unmet === 1 ? 'is' : 'are'} not met`);
  return [
    `${colors.bold(showLine(id))} ${from} to ${to}, ${span}`,
    formatTable(['MET', 'FIGURE', 'ASKED FOR', 'WHAT'], rows, { colors, columns }),
    '',
    verdict,
  ].join('\n');
}

function write(value: number, unit: Criterion['unit']): string {
  if (unit === 'ms') return formatDuration(Math.floor(value / 1_000) * 1_000);
  return unit === 'percent' ? formatPercent(value) : String(value);
}

/** How the old one is switched off where it runs: this program does not reach it. */
export function formatSwitchOff(source: string, id: string, { colors }: Screen): string {
  return [
    `Now switch ${source} off where it runs:`,
    `  crontab     crontab -e                                   and put # before its line`,
    `  systemd     systemctl disable --now ${source}.timer`,
    `  Kubernetes  kubectl patch cronjob ${source} -p '{"spec":{"suspend":true}}'`,
    colors.dim(
      `If it fires again, actcore health says so. To take it back: actcore cutover revert ${id} --from ${source}`,
    ),
  ].join('\n');
}

/** Which sources are retired, and which were. */
export function formatRetirements(retirements: ListedRetirement[], { colors, columns }: Screen): string {
  if (retirements.length === 0) return 'no source is retired';
  const rows = retirements.map(({ definitionId, definitionUuid, source, successor, revertedAt, ...one }) => [
    showLine(definitionId ?? definitionUuid),
    ...[source, successor, revertedAt === null ? colors.yellow('retired') : 'taken back'],
    `${time(one.retiredAt)} by ${showLine(one.retiredBy)}`,
    revertedAt === null ? '' : `${time(revertedAt)} by ${showLine(one.revertedBy ?? '')}`,
  ]);
  const head = ['DEFINITION', 'SOURCE', 'SUCCESSOR', 'STATE', 'RETIRED (UTC)', 'TAKEN BACK (UTC)'];
  return formatTable(head, rows, { colors, columns });
}

const time = (iso: string) => formatTime(Date.parse(iso));

/** That there is nothing to confirm. */
export function formatAlready(from: string, retired: { retiredAt: string; retiredBy: string }, colors: Colors): string {
  return colors.yellow(`${from} is retired already, since ${retired.retiredAt} by ${showLine(retired.retiredBy)}`);
}
