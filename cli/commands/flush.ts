import type { Command } from 'commander';
import { dropReports, flushSpool } from '../../outside/flush.ts';
import type { FlushReport } from '../../outside/flush.ts';
import { SpoolProblem, openSpool } from '../../outside/spool.ts';
import type { Spool } from '../../outside/spool.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { withHistory } from '../history-service.ts';
import { createActivityFinder, suggestDefinition } from '../outside-activity.ts';
import { openDelivery } from '../outside-services.ts';
import { showLine } from '../printable.ts';
import { Refusal, exitCodes } from '../refusal.ts';
import { locateSpool } from '../spool-place.ts';

interface FlushOptions extends CommonOptions {
  drop?: string;
}

export function addFlush(program: Command, signal: AbortSignal): void {
  const command = program
    .command('flush')
    .summary('bring runs that wait on this machine into the history')
    .description(
      'Bring the runs of outside sources that wait on this machine (ACTCORE_SPOOL_DIR) into the history, the oldest first.',
    )
    .option('--drop <id>', 'throw those of this definition away instead');
  handle<FlushOptions>(withJson(command), signal, async ({ settings, output, env }, { drop }) => {
    const spool = requireSpool(locateSpool(env));
    if (drop !== undefined) {
      const dropped = dropReports(spool, drop);
      output.data({ dropped });
      return output.line(`${dropped} dropped`);
    }
    const { report, hints } = await withHistory(settings, async (pool) => {
      const find = createActivityFinder({ pool, paths: [], cache: undefined });
      const flushed = await flushSpool(spool, openDelivery(pool, spool, find));
      if ('holder' in flushed) {
        const { pid, since } = flushed.holder;
        throw new Refusal(`Another flush is at work since ${since} (pid ${pid})`, 'It will bring all of them.');
      }
      const unknown = Object.entries(flushed.unknown);
      const told = unknown.map(
        async ([id, count]) =>
          `${count} of ${id}, which the history does not know (${await suggestDefinition(pool, id)}); --drop ${id} throws them away`,
      );
      return { report: flushed, hints: await Promise.all(told) };
    });
    output.data(report);
    output.line(describeReport(report));
    const faults = [...hints, ...report.refused.map(({ name, error }) => `${name} was refused: ${error}`)];
    faults.push(...report.broken.map((name) => `${name} cannot be read, and was set aside`));
    for (const fault of faults) output.note(showLine(fault));
    return faults.length === 0 ? exitCodes.ok : exitCodes.failed;
  });
}

function requireSpool(folder: string): Spool {
  try {
    return openSpool(folder);
  } catch (error) {
    if (error instanceof SpoolProblem) throw new Refusal(error.message, 'Set ACTCORE_SPOOL_DIR to another folder.');
    throw error;
  }
}

function describeReport({ delivered, vanished, going }: FlushReport): string {
  const lost = vanished === 0 ? '' : `, ${vanished} of them without an end`;
  return `${delivered} delivered${lost}${going === 0 ? '' : `, ${going} still at work`}`;
}
