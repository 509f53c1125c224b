import { writeProgressEvent } from './progress.ts';
import { listReposToSweep, recordRepoResult } from './registry.ts';
import { startRepoResult, type SweepEnd, type SweepReport, type SweepRequest } from './report.ts';
import { readStop, startStopSignal, type StopCause } from './stop.ts';
import { takeSweepLock, type SweepLock } from './sweep-lock.ts';
import { describeError, gatherClaims, walkRepo } from './walk.ts';

/**
 * One sweep over all registered repos within the budget. Never throws for git or the database: that is an automation
 * error in the report. `outer` is aborted with a SweepStop when nobody waits for the answer any more.
 */
export async function runSweep(databaseUrl: string, request: SweepRequest, outer: AbortSignal): Promise<SweepEnd> {
  const begunAt = performance.now();
  const report = startReport(request);
  let stopped: StopCause | null = null;
  try {
    const lock = await takeSweepLock(databaseUrl, request);
    if ('holder' in lock) {
      report.status = 'lock_skipped';
      report.holder = lock.holder;
      finishReport(report, begunAt);
      await writeProgressEvent(lock.client, request, { report, stopped });
      await lock.client.end();
    } else {
      stopped = await sweepUnderLock(lock, request, outer, report, begunAt);
    }
  } catch (error) {
    addAutomationError(report, '*', `the database cannot be used: ${describeError(error)}`);
  }
  finishReport(report, begunAt);
  return { report, stopped };
}

async function sweepUnderLock(
  lock: SweepLock,
  request: SweepRequest,
  outer: AbortSignal,
  report: SweepReport,
  begunAt: number,
): Promise<StopCause | null> {
  const budgetLeftMs = Math.max(0, request.max_seconds * 1000 - (performance.now() - begunAt));
  const stop = startStopSignal(budgetLeftMs, [{ signal: outer }, { signal: lock.lost, cause: 'lock_lost' }]);
  try {
    await walkAll(lock, stop.signal, request, report);
    const stopped = readStop(stop.signal);
    if (stopped?.stopCause === 'closing' || stopped?.stopCause === 'lock_lost') {
      addAutomationError(report, '*', stopped.message);
    }
    finishReport(report, begunAt);
    const end: SweepEnd = { report, stopped: stopped?.stopCause ?? null };
    if (end.stopped !== 'lock_lost') await writeProgressEvent(lock.client, request, end);
    return end.stopped;
  } finally {
    stop.end();
    await lock.release().catch(() => undefined);
  }
}

async function walkAll(
  lock: SweepLock,
  signal: AbortSignal,
  request: SweepRequest,
  report: SweepReport,
): Promise<void> {
  const { client } = lock;
  const repos = await listReposToSweep(client);
  const walk = { client, signal, claims: await gatherClaims(repos, signal) };
  for (const repo of repos) {
    if (signal.aborted) {
      report.repos.push(startRepoResult(repo.name));
      continue;
    }
    const { result, failures } = await walkRepo(walk, repo);
    report.repos.push(result);
    report.assessment_failures.push(...failures);
    if (!lock.lost.aborted) await recordRepoResult(client, result, failures, request.run_id);
  }
}

function startReport({ source, run_id }: SweepRequest): SweepReport {
  return {
    status: 'completed',
    source,
    run_id,
    started_at: new Date().toISOString(),
    duration_ms: 0,
    repos: [],
    not_reached: [],
    automation_error: null,
    assessment_failures: [],
    exit_code: 0,
  };
}

function addAutomationError(report: SweepReport, repo: string, message: string): void {
  report.assessment_failures.push({ repo, rule: 'C-00', message });
}

/** Fills in what follows from the rest; may be called again. */
function finishReport(report: SweepReport, begunAt: number): void {
  const broken = report.assessment_failures.filter(({ rule }) => rule === 'C-00');
  const sentences = broken.map(({ repo, message }) => (repo === '*' ? message : `${repo}: ${message}`));
  report.not_reached = report.repos.filter(({ status }) => status === 'not_reached').map(({ repo }) => repo);
  report.automation_error = broken.length === 0 ? null : sentences.join('; ');
  report.exit_code = report.automation_error === null ? 0 : 1;
  report.duration_ms = Math.round(performance.now() - begunAt);
}
