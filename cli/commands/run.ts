import type { Command } from 'commander';
import type pg from 'pg';
import { listRunActions } from '../../history/run-actions.ts';
import type { KeptAction } from '../../history/run-actions.ts';
import { findRun, findRunIds } from '../../history/queries.ts';
import type { RunDetail } from '../../history/queries.ts';
import { readResults } from '../../history/results.ts';
import type { TargetResult } from '../../history/results.ts';
import { formatChecks, formatRunActions } from '../checks-output.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions, Session } from '../command.ts';
import { linkRun } from '../firing.ts';
import { followRecorded } from '../follow-recorded.ts';
import { Refusal, exitCodes } from '../refusal.ts';
import type { ExitCode } from '../refusal.ts';
import { showLine, showText } from '../printable.ts';
import { formatAttempts, formatResults, formatStages } from '../run-details-output.ts';
import { formatFailures, formatRun } from '../run-output.ts';
import { withHistory } from '../history-service.ts';

interface RunOptions extends CommonOptions {
  response?: boolean;
  targets?: boolean;
  actions?: boolean;
  follow?: boolean;
}

/** A run with the results of its targets, and what a watchdog did. */
type WholeRun = RunDetail & { results: TargetResult[]; actions: KeptAction[] };

export function addRun(program: Command, signal: AbortSignal): void {
  const command = program
    .command('run')
    .summary('show one run')
    .description(
      'Show one run: what happened and why, where its time went, its failed attempts, targets and assessment failures, and the checks and actions of a watchdog.',
    )
    .argument('<run>', 'id of the run, or the first digits of it')
    .option('--response', 'also print what the target answered')
    .option('--targets', 'list every target and failed attempt, not only the first of those that did not complete')
    .option('--actions', 'show every action of a watchdog whole: before, after and decision')
    .option('--follow', 'wait for the end of a run that is going, and exit with the exit code of the run');
  handle<RunOptions>(withJson(command), signal, async (session, options, [prefix = '']) => {
    const found = await withHistory(session.settings, (pool) => requireRun(pool, prefix));
    if (options.follow !== true) return printRun(session, found, options);
    const run = found.outcome === null ? await awaitEnd(session, found) : found;
    printRun(session, run, options);
    return run.exitCode === 0 ? exitCodes.ok : exitCodes.failed;
  });
}

/** The run as it stands when it has ended. */
async function awaitEnd(session: Session, { id, ...run }: WholeRun): Promise<WholeRun> {
  const followed = await followRecorded(session, { id, ...run });
  const ended = await withHistory(session.settings, (pool) => requireRun(pool, id));
  if (ended.outcome === null && 'lost' in followed) {
    session.output.note(`the run ended without a report: ${showLine(followed.lost)}`);
  }
  return ended;
}

function printRun({ settings, output }: Session, run: WholeRun, { response, targets, actions }: RunOptions): ExitCode {
  const all = targets === true;
  output.data(run);
  output.line(formatRun(run, output.colors));
  const link = linkRun(settings, { workflowId: run.workflowId, runId: run.workflowRunId });
  if (link !== undefined) output.line(`${output.colors.dim('Temporal UI'.padEnd(11))} ${link}`);
  const parts = [
    run.stages === null ? '' : formatStages(run.stages, run.targets !== null, output),
    run.failedAttempts.length === 0 ? '' : formatAttempts(run.failedAttempts, all, output),
    formatResults(run.results, all, output),
    run.checks.length === 0 ? '' : formatChecks(run.checks, output),
    run.actions.length === 0 ? '' : formatRunActions(run.actions, actions === true, output),
    run.assessmentFailures.length === 0 ? '' : formatFailures(run.assessmentFailures, output),
    response === true ? showText(run.response ?? 'no response was kept') : '',
  ];
  for (const part of parts.filter((text) => text !== '')) output.line(`\n${part}`);
  return exitCodes.ok;
}

/** Of those that an ambiguous prefix names. */
const shownIds = 3;

async function requireRun(pool: pg.Pool, prefix: string): Promise<WholeRun> {
  if (!/^[0-9a-f]{4,32}$/i.test(prefix.replaceAll('-', ''))) {
    throw new Refusal(`${prefix} is not a run id`, 'Give at least its first four digits; actcore runs shows them.');
  }
  const ids = await findRunIds(pool, prefix, shownIds + 1);
  if (ids.length > 1) {
    const known = ids.length > shownIds ? [...ids.slice(0, shownIds), '...'] : ids;
    throw new Refusal(`More than one run begins with ${prefix}: ${known.join(', ')}`, 'Give more digits.');
  }
  const run = ids[0] === undefined ? undefined : await findRun(pool, ids[0]);
  if (run === undefined) throw new Refusal(`The history has no run ${prefix}`, 'actcore runs lists those it has.');
  const actions = run.checks.length === 0 ? [] : await listRunActions(pool, run.id);
  return { ...run, results: await readResults(pool, run.id, run.scheduledAt), actions };
}
