import type { Command } from 'commander';
import { rebuildRuns } from '../../reconcile/rebuild.ts';
import type { Rebuilt } from '../../reconcile/rebuild.ts';
import { reportedFailures } from '../../workflows/contract.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { withHistory } from '../history-service.ts';
import { showLine } from '../printable.ts';
import { exitCodes } from '../refusal.ts';
import { parseSince } from '../since.ts';
import { withTemporal } from '../temporal-service.ts';

interface RebuildOptions extends CommonOptions {
  since: Date;
}

export function addRebuild(program: Command, signal: AbortSignal): void {
  const command = program
    .command('rebuild')
    .summary('bring rows of runs back from what Temporal has kept')
    .description(
      'Write the row of every run that Temporal still has and the history does not. Runs that have their rows are left ' +
        'as they are, so it can be repeated.',
    )
    .requiredOption('--since <span|time>', 'runs since then: 90m, 72h, 7d, or an ISO time', (text) => parseSince(text));
  handle<RebuildOptions>(withJson(command), signal, async ({ settings, output }, { since }) => {
    const onStep = ({ executions, written }: Rebuilt) => output.progress(`${written} written of ${executions} seen`);
    const rebuilt = await withTemporal(settings, (client) =>
      withHistory(settings, (pool) => rebuildRuns(client, pool, { since, taskQueue: settings.taskQueue, onStep })),
    );
    const notBroughtBack = listLosses(rebuilt);
    output.data({ ...rebuilt, notBroughtBack });
    const { executions, written, present, open, unreadable } = rebuilt;
    output.line(
      `${executions} executions: ${written} rows written, ${present} were there, ${open} still going, ` +
        `${unreadable.length} could not be read`,
    );
    for (const { workflowId, known } of unreadable) output.line(`  ${showLine(workflowId)}: ${known}`);
    for (const loss of notBroughtBack) output.note(`not brought back: ${loss}`);
    return unreadable.length === 0 ? exitCodes.ok : exitCodes.failed;
  });
}

/** What only the history had. */
function listLosses({ retentionMs, lostFailures }: Rebuilt): string[] {
  const kept = Number.isFinite(retentionMs)
    ? [`runs that ended more than ${Math.round(retentionMs / 3_600_000)} h ago, which Temporal does not keep`]
    : [];
  const failures =
    lostFailures > 0
      ? [`${lostFailures} assessment failures, of which a workflow keeps ${reportedFailures} a run`]
      : [];
  return [
    ...kept,
    ...failures,
    'what the targets answered, and how each target of a fan-out ended',
    'the journal and the texts of revisions: actcore apply records those that it applies',
    'ticks that never became a run: actcore audit --fix concludes them, as far as the schedules of today tell',
    'runs of outside sources',
  ];
}
