import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { listRuns } from '../../history/queries.ts';
import { installMeteredRuntime, installRuntime } from '../../worker/runtime.ts';
import { startWorker } from '../../worker/worker.ts';
import type { RunningWorker } from '../../worker/worker.ts';
import { handle } from '../command.ts';
import type { CommonOptions, Handler } from '../command.ts';
import { checkHistoryUrl, withHistory } from '../history-service.ts';
import type { Output } from '../output.ts';
import { Refusal } from '../refusal.ts';
import type { Settings } from '../settings.ts';
import { readTemporalAccess } from '../temporal-access.ts';
import { withTemporal } from '../temporal-service.ts';
import { openWorkerPort } from '../worker-port.ts';
import { readWorkerSettings } from '../worker-settings.ts';
import type { WorkerChoices } from '../worker-settings.ts';

const logLevels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const;
type LogLevel = (typeof logLevels)[number];

interface WorkerCommandOptions extends CommonOptions, WorkerChoices {
  logLevel: LogLevel;
}

export function addWorker(program: Command, signal: AbortSignal): void {
  const command = program
    .command('worker')
    .summary('run a worker')
    .description(
      'Run a worker until it is told to stop (Ctrl-C, SIGTERM). Variables of definitions come from its environment. ' +
        'What it is at then gets ACTCORE_DRAIN_TIMEOUT (default: 3s) to end; a second signal ends that time.',
    )
    .option('--log-level <level>', logLevels.join(', '), parseLevel, 'INFO')
    .option('--http <host:port>', 'show /healthz, /readyz and /metrics there (default: ACTCORE_HTTP_ADDRESS)')
    .option('--deployment <name>', 'the worker deployment it belongs to (default: ACTCORE_DEPLOYMENT_NAME)')
    .option('--build-id <id>', 'the version of that deployment that it is (default: ACTCORE_BUILD_ID)');
  const serve: Handler<WorkerCommandOptions> = async ({ settings, output, env }, options) => {
    const { temporalAddress, temporalAccess = {}, namespace, taskQueue } = settings;
    const databaseUrl = checkHistoryUrl(settings);
    const { http, drainMs, deployment } = readWorkerSettings(env, options);
    const sdkAddress = http === undefined ? undefined : await installMeteredRuntime(options.logLevel);
    if (sdkAddress === undefined) installRuntime(options.logLevel);
    let worker: RunningWorker | undefined;
    const port = await openWorkerPort({ http, sdkAddress, deployment, output, worker: () => worker });
    try {
      // Asked first for its clear refusal: the worker's own connection only has a long error.
      await withTemporal(settings, async () => {});
      await noteHistory(settings, output);
      const readAccess = () => readTemporalAccess(temporalAccess);
      worker = await startWorker({
        ...{ temporalAddress, readAccess, namespace, taskQueue, databaseUrl, environment: env },
        ...(drainMs === undefined ? {} : { drainMs }),
        ...(deployment === undefined ? {} : { deployment }),
      });
      if (signal.aborted) return;
      stopOn(signal, worker, output);
      const version = deployment === undefined ? '' : `, as ${deployment.name} ${deployment.buildId}`;
      output.note(`worker polls ${taskQueue} on ${temporalAddress}, namespace ${namespace}${version}`);
      await worker.run();
    } finally {
      await port?.close();
    }
  };
  handle(command, signal, serve, { drains: true });
}

/** A terminal's Ctrl-C may arrive twice, by npm and by itself. */
const sameSignalMs = 500;

/** The first signal drains the worker, the second one ends the wait. */
function stopOn(signal: AbortSignal, worker: RunningWorker, output: Output): void {
  let toldAt: number | undefined;
  const insist = () => {
    if (toldAt === undefined || Date.now() - toldAt < sameSignalMs) return;
    output.note('told to stop again: what is under way is not waited for');
    worker.hurry();
  };
  signal.addEventListener(
    'abort',
    () => {
      toldAt = Date.now();
      worker.shutdown();
    },
    { once: true },
  );
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, insist);
}

/** A worker does its work without the history and records it later: what is missing is said, and no reason to stop. */
async function noteHistory(settings: Settings, output: Output): Promise<void> {
  try {
    await withHistory(settings, (pool) => listRuns(pool, { limit: 1 }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    output.note(`${error.message}; runs are recorded once it is there`);
    if (error.advice !== undefined) output.note(`  ${error.advice}`);
  }
}

function parseLevel(text: string): LogLevel {
  const level = logLevels.find((known) => known === text.toUpperCase());
  if (level === undefined) throw new InvalidArgumentError(`Expected one of ${logLevels.join(', ')}.`);
  return level;
}
