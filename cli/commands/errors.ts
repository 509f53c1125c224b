import type { Command } from 'commander';
import { countErrors, listErrors } from '../../history/errors.ts';
import type { ErrorCount, ErrorFilter, ErrorRow } from '../../history/errors.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { withHistory } from '../history-service.ts';
import type { Output } from '../output.ts';
import { showLine } from '../printable.ts';
import { parseCount, parseSince } from '../since.ts';
import { formatTable } from '../table.ts';

interface ErrorsOptions extends CommonOptions {
  target?: string;
  since?: Date;
  limit: number;
  counts?: boolean;
}

export function addErrors(program: Command, signal: AbortSignal): void {
  const command = program
    .command('errors')
    .summary('list what failed, and what made it good')
    .description(
      'List what failed, newest first: every attempt, and every run and target that failed as a whole. A later attempt of ' +
        'the run may have made it good (retry), or the runner of another source, whose run of the same tick completed.',
    )
    .argument('[id]', 'id of a definition; all when left out')
    .option('--target <name>', 'only of this target of a fan-out')
    .option('--since <span|time>', 'only of ticks since then: 90m, 72h, 7d, or an ISO time', (text) => parseSince(text))
    .option('--limit <count>', 'how many at most', parseCount, 20)
    .option('--counts', 'how many of each target instead');
  handle<ErrorsOptions>(withJson(command), signal, async ({ settings, output }, options, [definitionId]) => {
    const { target, since, limit, counts } = options;
    const filter: ErrorFilter = {
      ...(definitionId === undefined ? {} : { definitionId }),
      ...(target === undefined ? {} : { target }),
      ...(since === undefined ? {} : { since }),
      limit,
    };
    if (counts === true) {
      const counted = await withHistory(settings, (pool) => countErrors(pool, filter));
      output.data({ counts: counted });
      return output.line(counted.length === 0 ? 'no errors' : formatCounts(counted, output));
    }
    const errors = await withHistory(settings, (pool) => listErrors(pool, filter));
    output.data({ errors });
    output.line(errors.length === 0 ? 'no errors' : formatErrors(errors, output));
  });
}

const showTime = (iso: string) => iso.slice(0, 19).replace('T', ' ');

function formatErrors(errors: ErrorRow[], { colors, columns }: Output): string {
  const rows = errors.map(({ at, definitionId, target, operation, attempt, rescuedBy, runId, error }) => [
    showTime(at),
    showLine(definitionId),
    showLine(target ?? ''),
    showLine(operation),
    String(attempt),
    rescuedBy === null ? colors.red('no') : colors.green(showLine(rescuedBy)),
    runId.slice(0, 8),
    showLine(error),
  ]);
  const head = ['AT (UTC)', 'DEFINITION', 'TARGET', 'OPERATION', 'ATTEMPT', 'RESCUED BY', 'RUN', 'ERROR'];
  return formatTable(head, rows, { colors, columns });
}

function formatCounts(counts: ErrorCount[], { colors, columns }: Output): string {
  const rows = counts.map(({ definitionId, target, errors, unrescued, lastAt, lastError }) => [
    showLine(definitionId),
    showLine(target ?? ''),
    String(errors),
    unrescued === 0 ? colors.green('0') : colors.red(String(unrescued)),
    showTime(lastAt),
    showLine(lastError),
  ]);
  const head = ['DEFINITION', 'TARGET', 'ERRORS', 'NOT RESCUED', 'LAST (UTC)', 'LAST ERROR'];
  return formatTable(head, rows, { colors, columns });
}
