import type { Command } from 'commander';
import type pg from 'pg';
import { findRun, findRunIds } from '../../history/queries.ts';
import type { RunDetail } from '../../history/queries.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { linkRun } from '../firing.ts';
import { Refusal } from '../refusal.ts';
import { showText } from '../printable.ts';
import { formatFailures, formatRun } from '../run-output.ts';
import { withHistory } from '../history-service.ts';

interface RunOptions extends CommonOptions {
  response?: boolean;
}

export function addRun(program: Command, signal: AbortSignal): void {
  const command = program
    .command('run')
    .summary('show one run')
    .description('Show one run: what happened and why, and its assessment failures.')
    .argument('<run>', 'id of the run, or the first digits of it')
    .option('--response', 'also print what the target answered');
  handle<RunOptions>(withJson(command), signal, async ({ settings, output }, { response }, [prefix = '']) => {
    const run = await withHistory(settings, (pool) => requireRun(pool, prefix));
    output.data(run);
    output.line(formatRun(run, output.colors));
    const link = linkRun(settings, { workflowId: run.workflowId, runId: run.workflowRunId });
    if (link !== undefined) output.line(`${output.colors.dim('Temporal UI'.padEnd(11))} ${link}`);
    if (run.assessmentFailures.length > 0) output.line(`\n${formatFailures(run.assessmentFailures, output)}`);
    if (response === true) output.line(`\n${showText(run.response ?? 'no response was kept')}`);
  });
}

/** Of those that an ambiguous prefix names. */
const shownIds = 3;

async function requireRun(pool: pg.Pool, prefix: string): Promise<RunDetail> {
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
  return run;
}
