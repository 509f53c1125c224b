import type { HttpAddress } from '../worker/http-listener.ts';
import type { DeploymentVersion } from '../worker/worker.ts';
import { Refusal } from './refusal.ts';
import { parseSpan } from './span.ts';

/** What the options of `actcore worker` say; they go before the environment. */
export interface WorkerChoices {
  http?: string;
  deployment?: string;
  buildId?: string;
}

/** How a worker is to run, beside where its servers are. */
export interface WorkerSettings {
  http?: HttpAddress;
  drainMs?: number;
  deployment?: DeploymentVersion;
}

/** A day: whoever waits longer does not wait, and a timer takes no more than 24 of them. */
const longestDrainMs = 86_400_000;

/** Reads the settings of a worker. Refuses what cannot be meant, naming the variable or option. */
export function readWorkerSettings(env: NodeJS.ProcessEnv, choices: WorkerChoices): WorkerSettings {
  const http = choose(choices.http, '--http', env, 'ACTCORE_HTTP_ADDRESS');
  const drain = env['ACTCORE_DRAIN_TIMEOUT'];
  const deployment = readDeployment(env, choices);
  return {
    ...(http === undefined ? {} : { http: parseAddress(http) }),
    ...(drain ? { drainMs: parseDrain(drain) } : {}),
    ...(deployment === undefined ? {} : { deployment }),
  };
}

/** The version of a worker deployment that is named; undefined where none is. */
export function readDeployment(env: NodeJS.ProcessEnv, choices: WorkerChoices): DeploymentVersion | undefined {
  const name = choose(choices.deployment, '--deployment', env, 'ACTCORE_DEPLOYMENT_NAME');
  const buildId = choose(choices.buildId, '--build-id', env, 'ACTCORE_BUILD_ID');
  if (name === undefined && buildId === undefined) return undefined;
  if (name === undefined || buildId === undefined) {
    const [there, absent] =
      name === undefined ? (['a build id', 'deployment'] as const) : (['a deployment', 'build id'] as const);
    const advice = 'Set both ACTCORE_DEPLOYMENT_NAME and ACTCORE_BUILD_ID, or neither.';
    throw new Refusal(`There is ${there} without its ${absent}`, advice);
  }
  return { name: checkName(name), buildId: checkName(buildId) };
}

/** The name of the worker deployment alone. */
export function readDeploymentName(env: NodeJS.ProcessEnv, choices: WorkerChoices): string {
  const name = choose(choices.deployment, '--deployment', env, 'ACTCORE_DEPLOYMENT_NAME');
  if (name !== undefined) return checkName(name);
  throw new Refusal('No worker deployment is named', 'Say --deployment, or set ACTCORE_DEPLOYMENT_NAME.');
}

interface Chosen {
  setting: string;
  text: string;
}

function choose(
  option: string | undefined,
  flag: string,
  env: NodeJS.ProcessEnv,
  variable: string,
): Chosen | undefined {
  if (option !== undefined) return { setting: flag, text: option };
  const text = env[variable];
  return text ? { setting: variable, text } : undefined;
}

function parseAddress({ setting, text }: Chosen): HttpAddress {
  const [, inBrackets, plain, digits = ''] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/@]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = inBrackets ?? plain;
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new Refusal(`${setting} is not host:port: ${text}`, 'It reads 127.0.0.1:9090, [::1]:9090 or 0.0.0.0:9090.');
}

function parseDrain(text: string): number {
  const drainMs = /^\d+[smhd]$/.test(text) ? parseSpan(text) : undefined;
  if (drainMs !== undefined && drainMs <= longestDrainMs) return drainMs;
  throw new Refusal(`ACTCORE_DRAIN_TIMEOUT is not a length of time: ${text}`, 'It reads 30s, 5m or 1h; a day at most.');
}

/** The server's own limits, with a sentence in place of its error in the middle of the start. */
function checkName({ setting, text }: Chosen): string {
  if (/^(?!__)[\w.+-]{1,200}$/.test(text)) return text;
  throw new Refusal(`${setting} is no name: ${text}`, 'It has letters, digits, and the signs . _ + -');
}
