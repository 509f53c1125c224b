import type { Command } from 'commander';
import { listRuns } from '../../history/queries.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { formatRuns } from '../run-output.ts';
import { withHistory } from '../history-service.ts';
import { parseCount, parseSince } from '../since.ts';

interface RunsOptions extends CommonOptions {
  since?: Date;
  limit: number;
}

export function addRuns(program: Command, signal: AbortSignal): void {
  const command = program
    .command('runs')
    .summary('list runs from the history')
    .description('List runs from the history, newest first.')
    .argument('[id]', 'id of a definition; all when left out')
    .option('--since <span|time>', 'only ticks since then: 90m, 72h, 7d, or an ISO time', (text) => parseSince(text))
    .option('--limit <count>', 'how many at most', parseCount, 20);
  handle<RunsOptions>(withJson(command), signal, async ({ settings, output }, { since, limit }, [definitionId]) => {
    const filter = {
      ...(definitionId === undefined ? {} : { definitionId }),
      ...(since === undefined ? {} : { since }),
    };
    const runs = await withHistory(settings, (pool) => listRuns(pool, { ...filter, limit }));
    output.data({ runs });
    output.line(runs.length === 0 ? 'no runs' : formatRuns(runs, output));
  });
}
