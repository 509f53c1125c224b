import type { SourceAccount } from '../reconcile/account.ts';
import { listDifferences } from '../reconcile/pass.ts';
import type { Difference } from '../reconcile/judge.ts';
import { addsUp } from '../reconcile/survey.ts';
import type { DefinitionAccount } from '../reconcile/survey.ts';
import type { Output } from './output.ts';
import { showLine } from './printable.ts';
import { formatTable } from './table.ts';

type Screen = Pick<Output, 'colors' | 'columns'>;

/** Of the differences of one definition, unless all are asked for by `--json`. */
const shownDifferences = 50;

/** The account as data, without what only the program can use. */
export function describeAccount(account: DefinitionAccount) {
  const plain = <Part extends { differences: Difference[] }>({ differences, ...part }: Part) => ({
    ...part,
    differences: differences.map(({ remedy, ...difference }) => ({
      ...difference,
      remedy: remedy.kind === 'conclude' ? remedy.outcome : remedy.kind,
    })),
  });
  const { sources, byHand, ...rest } = account;
  return { ...rest, addsUp: addsUp(account), sources: sources.map(plain), byHand: plain(byHand) };
}

/** One definition in full: the figures of each source, then every tick that does not add up. */
export function formatAccount(account: DefinitionAccount, { colors, columns }: Screen): string {
  const { id, from, to, sources, byHand, faults } = account;
  const rows = [...sources.map((source) => formatFigures(source, nameSource(source, colors), { colors }))];
  const hasByHand = byHand.rows > 0 || (byHand.executions ?? 0) > 0;
  if (hasByHand) rows.push(formatFigures({ ...byHand, source: '', expected: null }, 'fired by hand', { colors }));
  const head = ['SOURCE', 'EXPECTED', 'EXECUTIONS', 'ROWS', 'OUTCOMES'];
  const differences = listDifferences(account);
  const shown = differences.slice(0, shownDifferences);
  const lines = shown.map((difference) => [
    difference.scheduledAt.slice(0, 19).replace('T', ' '),
    difference.source,
    colors.yellow(difference.kind),
    showLine(difference.known),
  ]);
  const more = differences.length - shown.length;
  return [
    `${colors.bold(id)} from ${from} to ${to}`,
    formatTable(head, rows, { colors, columns }),
    ...(lines.length === 0
      ? []
      : ['', formatTable(['TICK (UTC)', 'SOURCE', 'WHAT', 'KNOWN'], lines, { colors, columns })]),
    ...(more > 0 ? [colors.dim(`and ${more} more: --json`)] : []),
    ...faults.map((fault) => colors.red(fault)),
    '',
    addsUp(account) ? colors.green('it adds up') : colors.red(`it does not add up: ${countOf(account)}`),
  ].join('\n');
}

/** All definitions, a line each. */
export function formatAccounts(accounts: DefinitionAccount[], { colors, columns }: Screen): string {
  const rows = accounts.flatMap((account) =>
    account.sources.map((source, index) => {
      const [name = '', ...figures] = formatFigures(source, nameSource(source, colors), { colors });
      const verdict = addsUp(account) ? colors.green('adds up') : colors.red(countOf(account));
      return [index === 0 ? account.id : '', name, ...figures.slice(0, 3), index === 0 ? verdict : ''];
    }),
  );
  return formatTable(['DEFINITION', 'SOURCE', 'EXPECTED', 'EXECUTIONS', 'ROWS', 'ACCOUNT'], rows, { colors, columns });
}

function nameSource({ source, retirement }: SourceAccount, colors: Screen['colors']): string {
  return retirement === undefined ? source : `${source} ${colors.yellow('(retired)')}`;
}

function countOf(account: DefinitionAccount): string {
  const differences = listDifferences(account).length;
  const parts = [
    ...(differences > 0 ? [`${differences} ${differences === 1 ? 'difference' : 'differences'}`] : []),
    ...(account.faults.length > 0 ? ['ticks that are not known'] : []),
  ];
  return parts.join(', ');
}

function formatFigures(
  source: Omit<SourceAccount, 'expected'> & { expected: number | null },
  name: string,
  { colors }: Pick<Screen, 'colors'>,
): string[] {
  const { expected, executions, open, rows, outcomes } = source;
  const running = open === null || open === 0 ? '' : ` (${open} open)`;
  const counted = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  return [
    name,
    expected === null ? '' : String(expected),
    executions === null ? '' : `${executions}${running}`,
    String(rows),
    counted.length === 0 ? colors.dim('none') : counted.join(', '),
  ];
}
