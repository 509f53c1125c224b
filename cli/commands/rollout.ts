import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { setCurrentVersion } from '../../schedules/deployment.ts';
import type { VersionChange, WantedVersion } from '../../schedules/deployment.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions, Handler } from '../command.ts';
import { Refusal } from '../refusal.ts';
import type { Settings } from '../settings.ts';
import { parseSpan } from '../span.ts';
import { withTemporal } from '../temporal-service.ts';
import { readDeployment, readDeploymentName } from '../worker-settings.ts';
import type { WorkerChoices } from '../worker-settings.ts';

interface RolloutOptions extends CommonOptions, Omit<WorkerChoices, 'http'> {
  unversioned?: boolean;
  wait: number;
}

const usualWaitMs = 120_000;
const askAgainMs = 1_000;

export function addRollout(program: Command, signal: AbortSignal): void {
  const command = program
    .command('rollout')
    .summary('send runs to a version of the workers')
    .description(
      'Make one version of a worker deployment the current one: new runs go there, and those in flight with their next ' +
        'step. Waits until a worker of that version polls.',
    )
    .option('--deployment <name>', 'the worker deployment (default: ACTCORE_DEPLOYMENT_NAME)')
    .option('--build-id <id>', 'its version (default: ACTCORE_BUILD_ID)')
    .option('--unversioned', 'send runs to the workers that have no version')
    .option('--wait <span>', 'how long a worker of it may take to poll, such as 90s or 5m', parseSpan, usualWaitMs);
  command.options.find(({ long }) => long === '--wait')?.default(usualWaitMs, '2m');
  const rollOut: Handler<RolloutOptions> = async ({ settings, output, env, signal: interrupt }, options) => {
    const wanted = nameVersion(settings, env, options);
    const { previous } = await awaitVersion(settings, wanted, Date.now() + options.wait, interrupt);
    const { name: deployment, buildId } = wanted;
    output.data({ deployment, buildId: buildId ?? null, previousBuildId: previous ?? null });
    const [now, before] = [buildId, previous].map((id) => id ?? 'workers without a version');
    output.line(
      now === before
        ? `${deployment}: runs go to ${now}, as before`
        : `${deployment}: runs go to ${now}, before to ${before}`,
    );
  };
  handle(withJson(command), signal, rollOut);
}

function nameVersion(settings: Settings, env: NodeJS.ProcessEnv, options: RolloutOptions): WantedVersion {
  const { namespace, actor: identity } = settings;
  if (options.unversioned === true) return { namespace, identity, name: readDeploymentName(env, options) };
  const version = readDeployment(env, options);
  if (version === undefined) {
    const advice = 'Say --deployment and --build-id, or set ACTCORE_DEPLOYMENT_NAME and ACTCORE_BUILD_ID.';
    throw new Refusal('No version of the workers is named', advice);
  }
  return { namespace, identity, ...version };
}

async function awaitVersion(
  settings: Settings,
  wanted: WantedVersion,
  untilMs: number,
  signal: AbortSignal,
): Promise<Extract<VersionChange, { previous: unknown }>> {
  return withTemporal(settings, async (_, connection) => {
    for (;;) {
      const change = await setCurrentVersion(connection, wanted);
      if ('previous' in change) return change;
      if (Date.now() >= untilMs) {
        const what = wanted.buildId === undefined ? wanted.name : `${wanted.name} ${wanted.buildId}`;
        const advice = `Start workers of it on task queue ${settings.taskQueue}. The server says: ${change.notYet}`;
        throw new Refusal(`Runs cannot go to ${what}: no worker of it polls`, advice);
      }
      await sleep(askAgainMs, undefined, { signal });
    }
  });
}
