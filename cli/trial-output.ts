import type { Exchange } from '../activities/exchange-watch.ts';
import { asksDone } from '../activities/judged.ts';
import type { Judged } from '../activities/judged.ts';
import type { Trial } from '../activities/trial.ts';
import { explainDone } from '../activities/step-verdicts.ts';
import type { Definition } from '../compiler/definition.ts';
import { placeRemarks } from '../compiler/place-remarks.ts';
import type { Problem } from '../compiler/problem.ts';
import { outcomeMeanings } from '../history/states.ts';
import type { SweepOrder, SweepPlan } from '../workflows/contract.ts';
import { formatEnd, formatExchange, formatSpan } from './exchange-output.ts';
import type { Output } from './output.ts';
import { showLine } from './printable.ts';
import { formatAttempts } from './run-details-output.ts';
import { formatFailures, formatMs, paintAssessment, paintOutcome } from './run-output.ts';
import { formatFields } from './table.ts';
import { formatJudged, nameRule } from './verdict-output.ts';

/** What a trial has to show once it has ended. */
export interface TrialShown {
  trial: Trial;
  exchanges: Exchange[];
  judged: Judged[];
}

/** Says before anything is sent that this is no rehearsal. */
export function printHead({ definition, budget, sweep }: SweepOrder, runId: string, output: Output): void {
  const colors = output.noteColors;
  output.note(colors.yellow('This REALLY sends the request, from here and now. Nothing is recorded.'));
  const within = `${formatMs(budget.hardTimeoutMs)} at most`;
  output.note(colors.dim(`${definition.id} as run ${runId}, trigger manual, ${within}`));
  if (sweep.each !== undefined) output.note(colors.dim('Only one of its targets is called.'));
}

/** One request and what came of it. Polls take a line each; the last answer is shown whole at the end. */
export function printExchange(exchange: Exchange, { poll }: SweepPlan, output: Output): void {
  const { colors } = output;
  if (exchange.part !== 'poll' || exchange.count === 1) output.line();
  if (exchange.part === 'targets') output.line(colors.bold('The targets'));
  if (exchange.part === 'request' && exchange.count > 1) output.line(colors.bold(`Attempt ${exchange.count}`));
  if (exchange.part !== 'poll') {
    output.line(formatExchange(exchange, colors));
    return;
  }
  const { count, end, request, tookMs } = exchange;
  if (count === 1) output.line(colors.bold(`GET ${showLine(request.url)}`));
  if ('fault' in end) {
    output.line(`poll ${count}: ${colors.red(showLine(end.fault))}`);
    return;
  }
  const done = poll === undefined || !asksDone(end.answer) ? undefined : explainDone(poll, end.answer);
  const told = done === undefined ? '' : `, poll.done gave ${JSON.stringify(done.gave) ?? 'no value'}: ${done.means}`;
  output.line(`poll ${count}: HTTP ${end.answer.status} after ${formatSpan(tookMs)}${told}`);
}

/** The rules, and the end as a run would have it. */
export function printEnd({ trial, exchanges, judged }: TrialShown, output: Output): void {
  const { colors } = output;
  const { report, targets } = trial;
  const lastPoll = exchanges.findLast(({ part }) => part === 'poll');
  if (lastPoll !== undefined) output.line(`\n${formatEnd(lastPoll, colors)}`);
  for (const one of judged) output.line(`\n${formatJudged(one, colors)}`);
  const failed = report.failedAttempts ?? [];
  if (failed.length > 0) output.line(`\n${formatAttempts(failed, false, output)}`);
  const { outcome, assessment, assessmentFailureCount: count, reason, exitCode } = report;
  const fields: [string, string][] = [
    ['target', describeTargets(targets)],
    ['fail_when', describeFailWhen(targets)],
    ['outcome', `${paintOutcome(outcome, colors)} (${outcomeMeanings[outcome]})`],
    ['assessment', paintAssessment(assessment, count, colors)],
    ['reason', showLine(reason)],
    ['exit code', String(exitCode)],
  ];
  output.line(`\n${formatFields(fields, colors)}`);
  if (report.assessmentFailures.length > 0) output.line(`\n${formatFailures(report.assessmentFailures, output)}`);
}

function describeTargets(targets: Trial['targets']): string {
  if (targets === undefined) return '';
  const { names, tried } = targets;
  if (tried === undefined) return 'none: the list is empty';
  return `${showLine(tried)}, one of ${names.length}; a run calls and judges all of them`;
}

function describeFailWhen({ failWhen }: NonNullable<Trial['targets']> = { names: [] }): string {
  if (failWhen === undefined) return '';
  if ('fault' in failWhen) return `cannot be applied, so a run is \`automation_error\`: ${showLine(failWhen.fault)}`;
  return failWhen.holds
    ? 'holds for this target alone: a run that ends so is `automation_error`'
    : 'does not hold for this target alone';
}

/** The rules that could not be applied where they were asked, each at its place in the file. */
export function locateFaults(file: string, text: string, judged: Judged[]): Problem[] {
  const asked = judged.flatMap(({ verdicts }) => verdicts.filter(({ decides }) => decides));
  const remarks = asked.flatMap(({ path, fault }) => (fault === undefined ? [] : [{ path, ...fault }]));
  return placeRemarks(file, text, remarks);
}

/** The same for a program. Bodies are text, so that their numbers stay exact. */
export function describeTrial(shown: TrialShown & { definition: Definition; faults: Problem[] }) {
  const { definition, trial, exchanges, judged, faults } = shown;
  const { runId, trigger, outcome, assessment, assessmentFailures, reason, exitCode, stages } = trial.report;
  return {
    ...{ definition: definition.id, file: definition.file, runId, trigger, recorded: false },
    ...(trial.targets === undefined ? {} : { targets: trial.targets }),
    exchanges: exchanges.map(describeExchange),
    rules: judged.flatMap(({ part, count, verdicts }) =>
      verdicts.map(({ path, ...verdict }) => ({ part, count, rule: nameRule(path), ...verdict })),
    ),
    problems: faults,
    ...{ outcome, assessment, assessmentFailures, reason, exitCode },
    ...(stages === undefined ? {} : { stages }),
    failedAttempts: trial.report.failedAttempts ?? [],
  };
}

function describeExchange({ part, count, request, tookMs, end }: Exchange) {
  const common = { part, count, request, tookMs: Math.round(tookMs) };
  if ('fault' in end) return { ...common, fault: end.fault };
  const { status, headers } = end.answer;
  return { ...common, response: { status, headers, body: end.text, timing: end.timing } };
}
