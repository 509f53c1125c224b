import type { RunDetail, RunRow } from '../history/queries.ts';
import { flagMeanings } from '../history/flags.ts';
import { outcomeMeanings } from '../history/states.ts';
import type { Assessment, AssessmentFailure, Outcome, TargetTally } from '../workflows/contract.ts';
import type { Colors, Output } from './output.ts';
import { showLine } from './printable.ts';
import { formatFields, formatTable } from './table.ts';

/** An outcome in its colour: green did its work, yellow did not have to, red did not. */
export function paintOutcome(outcome: Outcome | null, colors: Colors): string {
  switch (outcome) {
    case null:
      return colors.cyan('running');
    case 'completed':
      return colors.green(outcome);
    case 'automation_error':
    case 'timed_out':
    case 'missed':
      return colors.red(outcome);
    case 'lock_skipped':
    case 'overlap_skipped':
    case 'misfire_skipped':
    case 'paused':
    case 'cancelled':
      return colors.yellow(outcome);
  }
}

/** An assessment in its colour, with the number of failures. */
export function paintAssessment(assessment: Assessment, failures: number, colors: Colors): string {
  if (assessment === 'none') return colors.dim('none');
  return assessment === 'passed' ? colors.green('passed') : colors.yellow(`failed (${failures})`);
}

/** Milliseconds between two ISO times, for people; empty where the second is missing. */
export function formatSpan(from: string, to: string | null): string {
  if (to === null) return '';
  return formatMs(Date.parse(to) - Date.parse(from));
}

/** Milliseconds for people. */
export function formatMs(elapsedMs: number): string {
  return elapsedMs < 10_000 ? `${elapsedMs} ms` : `${Math.round(elapsedMs / 1_000)} s`;
}

/** What an outcome does not say: that only a part of the targets was done, that it was suspiciously fast, or oddly reported. */
function markRun({ targets, isTooShort, flags }: RunRow, colors: Colors): string[] {
  const isPartial = targets !== null && targets.completed < targets.total;
  return [
    ...(isPartial ? [colors.yellow(`${targets.completed}/${targets.total}`)] : []),
    ...(isTooShort ? [colors.yellow('too short')] : []),
    ...flags.map((flag) => colors.yellow(showLine(flag))),
  ];
}

/** A list of runs, newest first. */
export function formatRuns(runs: RunRow[], { colors, columns }: Pick<Output, 'colors' | 'columns'>): string {
  const head = ['SCHEDULED (UTC)', 'DEFINITION', 'SOURCE', 'TRIGGER', 'OUTCOME', 'ASSESSMENT', 'TOOK', 'RUN'];
  const rows = runs.map((run) => [
    run.scheduledAt.slice(0, 19).replace('T', ' '),
    showLine(run.definitionId),
    showLine(run.source),
    run.trigger,
    [paintOutcome(run.outcome, colors), ...markRun(run, colors)].join(' '),
    paintAssessment(run.assessment, run.assessmentFailureCount, colors),
    formatSpan(run.startedAt, run.finishedAt),
    run.id.slice(0, 8),
  ]);
  return formatTable(head, rows, { colors, columns });
}

/** Everything about one run but the response. */
export function formatRun(run: RunDetail, colors: Colors): string {
  const fields: [string, string][] = [
    ['run', run.id],
    ['definition', showLine(run.definitionId)],
    ['source', showLine(run.source)],
    ['trigger', `${run.trigger} by ${showLine(run.actor)}${run.isDryRun ? ', as a dry run' : ''}`],
    ['scheduled', run.scheduledAt],
    ['started', `${run.startedAt} (${formatSpan(run.scheduledAt, run.startedAt)} late)`],
    [
      'finished',
      run.finishedAt === null ? '' : `${run.finishedAt} (took ${formatSpan(run.startedAt, run.finishedAt)})`,
    ],
    [
      'outcome',
      `${paintOutcome(run.outcome, colors)}${run.outcome === null ? '' : ` (${outcomeMeanings[run.outcome]})`}`,
    ],
    ['assessment', paintAssessment(run.assessment, run.assessmentFailureCount, colors)],
    ['targets', run.targets === null ? '' : formatTally(run.targets)],
    ['too short', run.isTooShort ? colors.yellow("it completed faster than its definition's min_duration") : ''],
    ['not kept', run.detailsDropped > 0 ? colors.yellow(`the results of ${run.detailsDropped} targets`) : ''],
    ['flags', run.flags.map((flag) => explainFlag(flag, colors)).join('; ')],
    ['exit code', run.exitCode === null ? '' : String(run.exitCode)],
    ['reason', showLine(run.reason)],
    ['certainty', run.certainty],
    ['revision', run.revision.slice(0, 12)],
    ['workflow', showLine(run.workflowId)],
  ];
  return formatFields(fields, colors);
}

/** A newer program may have written one that this one does not know. */
function explainFlag(flag: string, colors: Colors): string {
  const meaning = new Map<string, string>(Object.entries(flagMeanings)).get(flag);
  return `${colors.yellow(showLine(flag))}${meaning === undefined ? '' : ` (${meaning})`}`;
}

function formatTally({ total, completed, failed, lockSkipped, notReached }: TargetTally): string {
  const others = [
    [failed, 'failed'],
    [lockSkipped, 'lock-skipped'],
    [notReached, 'not reached'],
  ] as const;
  const parts = others.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return [`${completed} of ${total} completed`, ...parts].join(', ');
}

/** Assessment failures by target and rule. They are the target's own words, and so only shown. */
export function formatFailures(
  failures: AssessmentFailure[],
  { colors, columns }: Pick<Output, 'colors' | 'columns'>,
): string {
  const sorted = failures.toSorted((a, b) => a.target.localeCompare(b.target) || a.rule.localeCompare(b.rule));
  return formatTable(
    ['TARGET', 'RULE', 'MESSAGE'],
    sorted.map(({ target, rule, message }) => [showLine(target), colors.yellow(showLine(rule)), showLine(message)]),
    { colors, columns },
  );
}
