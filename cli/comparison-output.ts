import type { Comparison, Instant, SourcePair } from '../comparison/compare.ts';
import type { Percentiles, SourceFigures } from '../comparison/figures.ts';
import { reasonOf, stateOf } from '../comparison/tick.ts';
import type { ComparedTick, TickState } from '../comparison/tick.ts';
import { verdictMeanings } from '../comparison/verdict.ts';
import { formatDuration } from '../compiler/duration.ts';
import type { SourceSurvey } from '../reconcile/source-ticks.ts';
import type { Output } from './output.ts';
import { showLine } from './printable.ts';
import { formatMs } from './run-output.ts';
import { cutStrips, formatStrips } from './strip.ts';
import { formatTable } from './table.ts';

type Screen = Pick<Output, 'colors' | 'columns'>;

/** Of each kind, unless all are asked for by `--json`. */
const shownLines = 20;
/** Where stdout is no terminal. */
const usualColumns = 100;

/** The states that have a column of their own, the rare ones where there are any; the others are told below. */
const columnStates: { state: TickState; title: string; isRare?: true }[] = [
  { state: 'completed', title: 'COMPLETED' },
  { state: 'lock_skipped', title: 'LOCK SKIPS' },
  { state: 'misfire_skipped', title: 'MISFIRES', isRare: true },
  { state: 'overlap_skipped', title: 'OVERLAPS', isRare: true },
  { state: 'automation_error', title: 'ERRORS' },
  { state: 'timed_out', title: 'TIMEOUTS', isRare: true },
  { state: 'missed', title: 'MISSED' },
];

const count = (number: number, one: string, more = `${one}s`) => `${number} ${number === 1 ? one : more}`;

/** Percent that says 100 only where it is all of them. */
export function formatPercent(percent: number): string {
  return `${Math.floor(percent * 10) / 10} %`;
}

/** An instant for people, in UTC. */
export function formatTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');
}

/** The figures of each source, a strip for each, and what every two of them do not agree on. */
export function formatComparison(survey: SourceSurvey, comparison: Comparison, { colors, columns }: Screen): string {
  const { fromMs, toMs, toleranceMs, sources, pairs } = comparison;
  const shown = survey.sources.filter(({ source }) => sources.some((one) => one.source === source));
  const indent = Math.max(...shown.map(({ source }) => source.length)) + 2;
  const strips = cutStrips(shown, fromMs, toleranceMs, (columns ?? usualColumns) - indent);
  const remarks = sources.flatMap((figures) => formatRemarks(figures, survey));
  const span = `from ${formatTime(fromMs)} to ${formatTime(toMs)} UTC, ticks within ${formatDuration(toleranceMs)}`;
  return [
    `${colors.bold(showLine(survey.id))} ${span}`,
    formatFigures(sources, { colors, columns }),
    ...remarks.map((remark) => colors.yellow(remark)),
    ...(strips.lines.some(({ cells }) => cells.length > 0) ? ['', formatStrips(strips, colors)] : []),
    ...pairs.flatMap((pair) => ['', ...formatPair(pair, { colors, columns })]),
  ].join('\n');
}

function formatFigures(sources: SourceFigures[], screen: Screen): string {
  const shown = columnStates.filter(({ state, isRare }) => !isRare || sources.some(({ states }) => states[state]));
  const ms = ({ p50Ms, p95Ms }: Percentiles) =>
    [p50Ms, p95Ms].flatMap((value) => (value === null ? [] : [formatMs(Math.round(value))])).join(', ');
  const rows = sources.map(({ source, expected, states, assessmentFailed, duration, lateness }) => [
    ...[source, String(expected), ...shown.map(({ state }) => String(states[state] ?? 0))],
    ...[ms(duration), ms(lateness), assessmentFailed === 0 ? '' : `${assessmentFailed} failed`],
  ]);
  const head = ['SOURCE', 'EXPECTED', ...shown.map(({ title }) => title), 'TOOK P50, P95', 'LATE P50, P95'];
  return formatTable([...head, 'ASSESSMENT'], rows, screen);
}

/** What the columns do not say of a source. */
function formatRemarks(figures: SourceFigures, survey: SourceSurvey): string[] {
  const { source, states, unexpected, pending, flags } = figures;
  const { hasReported, retirement } = survey.sources.find((one) => one.source === source) ?? {};
  const inColumn = new Set<string>(columnStates.map(({ state }) => state));
  const others = Object.entries(states).filter(([state]) => !inColumn.has(state));
  const parts = [
    ...others.map(([state, number]) => `${number} ${state}`),
    ...(unexpected > 0 ? [`${count(unexpected, 'row')} beside its schedule`] : []),
    ...(pending > 0 ? [`${pending} too young`] : []),
    ...Object.entries(flags).map(([flag, number]) => `${number} flagged ${flag}`),
    ...(hasReported === false ? ['it has never reported'] : []),
    ...(retirement === undefined ? [] : [`retired since ${retirement.retiredAt} by ${showLine(retirement.retiredBy)}`]),
  ];
  return parts.length === 0 ? [] : [`${source}: ${parts.join(', ')}`];
}

function formatPair(pair: SourcePair, { colors, columns }: Screen): string[] {
  const { sources, judged, agreeing, agreementPercent: percent, done, ranAlone, alone } = pair;
  const [left, right] = sources;
  const each = (values: [number, number]) => `${values[0]} ${left}, ${values[1]} ${right}`;
  const name = colors.bold(`${left} and ${right}`);
  if (percent === null) return [`${name}: no pair of ticks to judge${pair.pending > 0 ? ' yet' : ''}`];
  const share = (agreeing === judged ? colors.green : colors.red)(`${formatPercent(percent)} agreement`);
  const explained = Object.entries({ ...pair.agreements, ...pair.disagreements }).map(
    ([how, number]) => `  ${String(number).padStart(String(judged).length)} ${how}: ${nameMeaning(how)}`,
  );
  return [
    `${name}: ${share}, ${agreeing} of ${count(judged, 'pair')}; the work was done in ${done}`,
    ...explained,
    ...(pair.wins[0] + pair.wins[1] > 0 ? [`  the lock was held by: ${each(pair.wins)}`] : []),
    ...(ranAlone[0] + ranAlone[1] > 0 ? [`  only one ran: ${each(ranAlone)}`] : []),
    ...(alone[0] + alone[1] > 0 ? [`  ticks that only one has: ${each(alone)}`] : []),
    ...formatDisagreements(pair, { colors, columns }),
    ...formatDoubles(pair, { colors, columns }),
    ...formatAssessments(pair, { colors, columns }),
  ];
}

function nameMeaning(how: string): string {
  return how in verdictMeanings ? verdictMeanings[how as keyof typeof verdictMeanings] : '';
}

function formatDisagreements({ sources, instants }: SourcePair, { colors, columns }: Screen): string[] {
  const listed = instants.filter(({ verdict }) => verdict.kind === 'disagree');
  if (listed.length === 0) return [];
  const rows = listed.slice(-shownLines).map((instant) => formatDisagreement(instant, colors));
  const head = ['TICK (UTC)', ...sources.map((source) => source.toUpperCase()), 'RUNS', 'WHAT IS KNOWN'];
  const runId = listed.flatMap(({ ticks }) => ticks.flatMap((tick) => tick?.run?.id ?? [])).at(-1);
  return [
    '',
    formatTable(head, rows, { colors, columns }),
    ...tellMore(listed.length, colors),
    ...(runId === undefined ? [] : [colors.dim(`one of the runs whole: actcore run ${runId.slice(0, 8)}`)]),
  ];
}

function formatDisagreement({ atMs, ticks, verdict }: Instant, colors: Screen['colors']): string[] {
  const known = ticks.flatMap((tick) => (tick === undefined || stateOf(tick) === 'completed' ? [] : [reasonOf(tick)]));
  const why = verdict.kind === 'disagree' ? verdict.why : verdict.kind;
  const what = why === 'double_execution' ? [verdictMeanings.double_execution] : known;
  return [
    ...[formatTime(atMs), ...ticks.map((tick) => (tick === undefined ? '' : paintState(tick, colors)))],
    ticks.map((tick) => tick?.run?.id.slice(0, 8) ?? '-').join(' '),
    showLine([...new Set(what)].join('; ')),
  ];
}

function paintState(tick: ComparedTick, colors: Screen['colors']): string {
  const state = stateOf(tick);
  if (state === 'completed') return colors.green(state);
  return state === 'lock_skipped' ? colors.cyan(state) : colors.red(state);
}

function formatDoubles({ doubles }: SourcePair, { colors, columns }: Screen): string[] {
  if (doubles.length === 0) return [];
  const rows = doubles
    .slice(-shownLines)
    .map(({ first, second, overlapMs }) => [
      ...[formatTime(second.tickMs), first.source, first.runId.slice(0, 8), second.source, second.runId.slice(0, 8)],
      formatMs(Math.round(overlapMs)),
    ]);
  const head = ['DOUBLE (UTC)', 'FIRST', 'RUN', 'SECOND', 'RUN', 'BOTH AT IT FOR'];
  return ['', formatTable(head, rows, { colors, columns }), ...tellMore(doubles.length, colors)];
}

function formatAssessments({ sources, assessmentDifferences }: SourcePair, { colors, columns }: Screen): string[] {
  if (assessmentDifferences.length === 0) return [];
  const rows = assessmentDifferences.slice(-shownLines).flatMap(({ atMs, only }) =>
    only.flatMap((findings, side) =>
      findings.slice(0, shownLines).map(({ target, rule }) => {
        return [formatTime(atMs), sources[side] ?? '', showLine(rule), showLine(target)];
      }),
    ),
  );
  const head = ['ASSESSED (UTC)', 'ONLY BY', 'RULE', 'TARGET'];
  return ['', formatTable(head, rows, { colors, columns }), ...tellMore(assessmentDifferences.length, colors)];
}

function tellMore(all: number, colors: Screen['colors']): string[] {
  return all > shownLines ? [colors.dim(`and ${all - shownLines} before: --json`)] : [];
}
