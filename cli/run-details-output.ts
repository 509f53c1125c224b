import type { TargetResult, TargetOutcome } from '../history/results.ts';
import type { FailedAttempt, StageTimes } from '../workflows/contract.ts';
import { drawBar } from './bar.ts';
import type { Colors, Output } from './output.ts';
import { showLine } from './printable.ts';
import { formatSpan, paintAssessment, paintOutcome } from './run-output.ts';
import { formatTable } from './table.ts';

type Screen = Pick<Output, 'colors' | 'columns'>;

const barColumns = 24;
/** How many lines of a list are shown unless all are asked for. */
const shownLines = 20;

const stageNames: Record<keyof StageTimes, string> = {
  queueMs: 'queue',
  connectMs: 'connect',
  tlsMs: 'TLS',
  firstByteMs: 'first byte',
  bodyMs: 'body',
  retryMs: 'retries',
  pollMs: 'polling',
};

/** Where the time of a run went; empty where it took none. Of a fan-out it is the sum over its targets. */
export function formatStages(stages: StageTimes, isFanOut: boolean, { colors, columns }: Screen): string {
  const known = Object.entries(stageNames) as [keyof StageTimes, string][];
  const taken = known.flatMap(([key, name]) => (stages[key] > 0 ? [{ name, tookMs: stages[key] }] : []));
  if (taken.length === 0) return '';
  const totalMs = taken.reduce((sum, { tookMs }) => sum + tookMs, 0);
  const figures = taken.map(({ tookMs }) => (tookMs < 1 ? '<1' : String(Math.round(tookMs))));
  const width = Math.max(...figures.map((figure) => figure.length));
  const rows = taken.map(({ name, tookMs }, index) => {
    const bar = colors.cyan(drawBar(tookMs / totalMs, barColumns));
    return [name, (figures[index] ?? '').padStart(width), `${bar} ${Math.round((100 * tookMs) / totalMs)} %`];
  });
  return formatTable(['STAGE', 'MS'.padStart(width), isFanOut ? 'SHARE (ALL TARGETS TOGETHER)' : 'SHARE'], rows, {
    colors,
    columns,
  });
}

/** The attempts that failed, by target and time. */
export function formatAttempts(attempts: FailedAttempt[], all: boolean, { colors, columns }: Screen): string {
  const hasTargets = attempts.some(({ target }) => target !== undefined);
  const shown = all ? attempts : attempts.slice(0, shownLines);
  const rows = shown.map(({ target, attempt, at, error, rescued }) => [
    ...(hasTargets ? [showLine(target ?? '')] : []),
    String(attempt),
    showLine(at).slice(0, 19).replace('T', ' '),
    rescued ? colors.green('yes') : colors.red('no'),
    showLine(error),
  ]);
  const head = [...(hasTargets ? ['TARGET'] : []), 'ATTEMPT', 'AT (UTC)', 'RESCUED', 'ERROR'];
  return [formatTable(head, rows, { colors, columns }), ...nameRest(attempts.length - shown.length, colors)].join('\n');
}

/** The targets that did not complete, or all of them; empty where there are none of these. */
export function formatResults(results: TargetResult[], all: boolean, { colors, columns }: Screen): string {
  const wanted = all ? results : results.filter(({ outcome }) => outcome !== 'completed');
  const shown = all ? wanted : wanted.slice(0, shownLines);
  if (shown.length === 0) return '';
  const rows = shown.map((result) => [
    showLine(result.target),
    paintTarget(result.outcome, colors),
    paintAssessment(result.assessment, result.assessmentFailureCount, colors),
    String(result.attempt),
    result.startedAt === undefined ? '' : formatSpan(result.startedAt, result.finishedAt ?? null),
    showLine(result.reason),
  ]);
  const head = ['TARGET', 'OUTCOME', 'ASSESSMENT', 'ATTEMPT', 'TOOK', 'REASON'];
  return [formatTable(head, rows, { colors, columns }), ...nameRest(wanted.length - shown.length, colors)].join('\n');
}

function paintTarget(outcome: TargetOutcome, colors: Colors): string {
  return outcome === 'not_reached' ? colors.yellow(outcome) : paintOutcome(outcome, colors);
}

function nameRest(count: number, colors: Colors): string[] {
  return count > 0 ? [colors.dim(`and ${count} more: --targets`)] : [];
}
