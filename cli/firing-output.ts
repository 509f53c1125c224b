import type { Client } from '@temporalio/client';
import { findRun, reportOf } from '../history/queries.ts';
import type { RunReport } from '../workflows/contract.ts';
import type { Session } from './command.ts';
import { followRun, linkRun } from './firing.ts';
import type { FiredRun, Followed } from './firing.ts';
import { withHistory } from './history-service.ts';
import type { Output } from './output.ts';
import { showLine } from './printable.ts';
import { Refusal, exitCodes } from './refusal.ts';
import type { ExitCode } from './refusal.ts';
import { formatFailures, formatSpan, paintAssessment, paintOutcome } from './run-output.ts';
import type { Settings } from './settings.ts';

/** Says which run was fired, follows it if wanted, and says how it ended. Returns the exit code of the run. */
export async function reportFiring(
  { settings, output, signal }: Session,
  client: Client,
  run: FiredRun,
  { follow }: { follow: boolean },
): Promise<ExitCode> {
  const { workflowId, runId, rowId } = run;
  const link = linkRun(settings, run);
  output.note(`fired ${workflowId}${link === undefined ? '' : `\n  ${link}`}`);
  const place = { workflowId, workflowRunId: runId, rowId, ...(link === undefined ? {} : { url: link }) };
  if (!follow) {
    output.data(place);
    output.line(`row         ${rowId}`);
    return exitCodes.ok;
  }
  const followed = await followRun({ client, output, signal }, run);
  const ended = 'lost' in followed ? await readRecordedEnd(settings, run, followed) : followed;
  output.data({ ...place, ...ended });
  if ('lost' in ended) {
    output.line(`the run ended without a report: ${showLine(ended.lost)}`);
    return exitCodes.failed;
  }
  printReport(ended.report, output);
  return ended.report.exitCode === 0 ? exitCodes.ok : exitCodes.failed;
}

/** A run that was cancelled closes without a result, and has its row all the same. */
async function readRecordedEnd(settings: Settings, { rowId }: FiredRun, followed: Followed): Promise<Followed> {
  try {
    const row = await withHistory(settings, (pool) => findRun(pool, rowId));
    return row === undefined || row.outcome === null ? followed : { report: reportOf(row) };
  } catch (error) {
    if (error instanceof Refusal) return followed;
    throw error;
  }
}

/** How a run ended, as `canary`, `trigger --follow` and `dev` show it. */
function printReport(report: RunReport, output: Output): void {
  const { colors } = output;
  const took = formatSpan(report.startedAt, report.finishedAt);
  output.line(`outcome     ${paintOutcome(report.outcome, colors)} in ${took}: ${showLine(report.reason)}`);
  output.line(`assessment  ${paintAssessment(report.assessment, report.assessmentFailureCount, colors)}`);
  output.line(`row         ${report.recorded ? report.runId : 'not recorded yet'}`);
  if (report.assessmentFailures.length === 0) return;
  output.line(`\n${formatFailures(report.assessmentFailures, output)}`);
  const more = report.assessmentFailureCount - report.assessmentFailures.length;
  if (more > 0) output.line(`and ${more} more: actcore run ${report.runId.slice(0, 8)}`);
}
