import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { listRuns } from '../../history/queries.ts';
import { installRuntime, startWorker } from '../../worker/worker.ts';
import { handle } from '../command.ts';
import type { CommonOptions, Handler } from '../command.ts';
import { checkHistoryUrl, withHistory } from '../history-service.ts';
import type { Output } from '../output.ts';
import { Refusal } from '../refusal.ts';
import type { Settings } from '../settings.ts';
import { withTemporal } from '../temporal-service.ts';

const logLevels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const;
type LogLevel = (typeof logLevels)[number];

interface WorkerCommandOptions extends CommonOptions {
  logLevel: LogLevel;
}

export function addWorker(program: Command, signal: AbortSignal): void {
  const command = program
    .command('worker')
    .summary('run a worker')
    .description(
      'Run a worker until it is told to stop (Ctrl-C, SIGTERM). Variables of definitions come from its environment.',
    )
    .option('--log-level <level>', logLevels.join(', '), parseLevel, 'INFO');
  const serve: Handler<WorkerCommandOptions> = async ({ settings, output, env }, { logLevel }) => {
    const { temporalAddress, namespace, taskQueue } = settings;
    const databaseUrl = checkHistoryUrl(settings);
    // Asked first for its clear refusal: the worker's own connection only has a long error.
    await withTemporal(settings, async () => {});
    await noteHistory(settings, output);
    installRuntime(logLevel);
    const worker = await startWorker({ temporalAddress, namespace, taskQueue, databaseUrl, environment: env });
    if (signal.aborted) return;
    signal.addEventListener('abort', () => worker.shutdown(), { once: true });
    output.note(`worker polls ${taskQueue} on ${temporalAddress}, namespace ${namespace}`);
    await worker.run();
  };
  handle(command, signal, serve, { drains: true });
}

/** A worker does its work without the history and records it later: what is missing is said, and no reason to stop. */
async function noteHistory(settings: Settings, output: Output): Promise<void> {
  try {
    await withHistory(settings, (pool) => listRuns(pool, { limit: 1 }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    output.note(`${error.message}. ${error.advice ?? ''} Runs are recorded once it is there.`);
  }
}

function parseLevel(text: string): LogLevel {
  const level = logLevels.find((known) => known === text.toUpperCase());
  if (level === undefined) throw new InvalidArgumentError(`Expected one of ${logLevels.join(', ')}.`);
  return level;
}
