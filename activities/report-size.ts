import { reportedFailures } from '../workflows/contract.ts';
import type { RunReport } from '../workflows/contract.ts';

/** What a report may weigh on its way to the workflow, in bytes of JSON; the server refuses payloads over 2 MB. */
export const reportLimitBytes = 1_000_000;

/** What of that the triplets of a watchdog may take whose history is away, so that the rest has room too. */
export const mostCarriedBytes = 700_000;

/** The longest sentence that says why a run ended, in UTF-16 units. */
export const longestReason = 1_000;

/** The longest text of an assessment failure in a workflow's result; the row holds it whole. */
const longestFailureText = 500;

/** The text if it is short enough, else its start and an ellipsis. Limits count UTF-16 units. */
export function cutText(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).toWellFormed()}…`;
}

/** The report without what only the row keeps. */
export function summarizeReport({ response: _, actions: __, ...report }: RunReport): RunReport {
  const assessmentFailures = report.assessmentFailures.slice(0, reportedFailures).map(({ target, rule, message }) => ({
    target: cutText(target, longestFailureText),
    rule: cutText(rule, longestFailureText),
    message: cutText(message, longestFailureText),
  }));
  return { ...report, assessmentFailures, ...summarizeAttempts(report), ...summarizeChecks(report) };
}

function summarizeChecks({ checks }: RunReport): Pick<RunReport, 'checks'> {
  if (checks === undefined) return {};
  return {
    checks: checks.map((check) =>
      check.error === undefined ? check : { ...check, error: cutText(check.error, longestFailureText) },
    ),
  };
}

function summarizeAttempts({ failedAttempts }: RunReport): Pick<RunReport, 'failedAttempts'> {
  return failedAttempts === undefined ? {} : { failedAttempts: failedAttempts.slice(0, reportedFailures) };
}

/** As much of the report as fits through Temporal: its response goes first, then the last of its failures; triplets never. */
export function fitReport(report: RunReport): RunReport {
  if (weigh(report) <= reportLimitBytes) return report;
  const { response: _, ...rest } = report;
  const fitting = { ...rest, ...summarizeAttempts(report) };
  while (fitting.assessmentFailures.length > reportedFailures && weigh(fitting) > reportLimitBytes) {
    const half = Math.ceil(fitting.assessmentFailures.length / 2);
    fitting.assessmentFailures = fitting.assessmentFailures.slice(0, half);
  }
  if (weigh(fitting) <= reportLimitBytes) return fitting;
  const { actions } = report;
  return { ...summarizeReport(fitting), ...(actions === undefined ? {} : { actions }) };
}

function weigh(report: RunReport): number {
  return Buffer.byteLength(JSON.stringify(report));
}
