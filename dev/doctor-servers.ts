import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Finding } from './doctor.ts';
import { isPortTaken, usualPorts } from './ports.ts';
import { choosePostgresAccount } from './postgres-account.ts';
import { findPostgresBinaries, namePostgresPackage, type PostgresBinaries } from './postgres-binaries.ts';
import { findConnectFault } from './postgres-database.ts';
import { StackProblem } from './stack-problem.ts';
import { readRunningStack } from './state.ts';
import { describesNamespace } from './temporal-server.ts';
import type { ServerAccess } from './temporal-server.ts';

const run = promisify(execFile);
const answerLimitMs = 2_000;
const pollersAdvice =
  'A cluster runs its schedules with 2 pollers by default and loses ticks when many fall together: ' +
  'set worker.perNamespaceWorkerOptions={"MaxConcurrentWorkflowTaskPollers":30} in its dynamic config.';

/** How the Temporal server of the environment is to be spoken to: the names of the variables that say it, never their values. */
export interface GivenAccess {
  variables: string[];
  /** Where they cannot be used, what is wrong with them. */
  access: ServerAccess | { fault: string; advice?: string };
}

/** The Temporal server that commands would talk to. */
export async function examineTemporalServer(
  env: NodeJS.ProcessEnv,
  stateDir: string,
  { variables, access }: GivenAccess = { variables: [], access: {} },
): Promise<Finding> {
  const name = 'temporal server';
  const given = env['TEMPORAL_ADDRESS'];
  const address = given || (readRunningStack(stateDir)?.temporalAddress ?? `127.0.0.1:${usualPorts.temporal}`);
  const namespace = env['TEMPORAL_NAMESPACE'] || 'default';
  const how = variables.length === 0 ? '' : `, by ${variables.join(', ')}`;
  const found = `${address}, namespace ${namespace}${how}`;
  if ('fault' in access) return { name, ok: 'missing', found: `${found}: ${access.fault}`, ...adviceOf(access) };
  const answers =
    URL.canParse(`tcp://${address}`) && (await describesNamespace(address, namespace, answerLimitMs, access));
  if (answers) return { name, ok: 'ok', found: `${found}: answers`, ...(given && { advice: pollersAdvice }) };
  if (!given) return { name, ok: 'ok', found: 'none runs here; `actcore dev` starts the embedded one' };
  const advice = 'Start that server, make the namespace, or unset TEMPORAL_ADDRESS to use the embedded one.';
  return { name, ok: 'missing', found: `${found}: no answer within ${answerLimitMs / 1000} s`, advice };
}

function adviceOf({ advice }: { advice?: string }): { advice?: string } {
  return advice === undefined ? {} : { advice };
}

/** The Postgres of the environment, else the embedded one with what it needs to run here. */
export async function examinePostgres(env: NodeJS.ProcessEnv, stateDir: string): Promise<Finding[]> {
  const url = env['ACTCORE_DATABASE_URL'];
  if (url) return [await examineDatabase(url)];
  const binaries = await findPostgresBinaries();
  if (!binaries) {
    const found = `npm package ${namePostgresPackage()} is not installed`;
    const advice = 'Run `npm ci` without `--omit=optional`, or set ACTCORE_DATABASE_URL.';
    return [{ name: 'postgres', ok: 'missing', found, advice }];
  }
  return [await examineBinaries(binaries), examineLinks(binaries), ...examineAccount(binaries, env, stateDir)];
}

async function examineDatabase(url: string): Promise<Finding> {
  const place = redactUrl(url);
  const fault = await findConnectFault(url, answerLimitMs);
  if (fault === undefined) return { name: 'postgres', ok: 'ok', found: `${place}: answers` };
  const advice = 'Start that server, correct ACTCORE_DATABASE_URL, or unset it to use the embedded one.';
  return { name: 'postgres', ok: 'missing', found: `${place}: ${fault}`, advice };
}

async function examineBinaries(binaries: PostgresBinaries): Promise<Finding> {
  try {
    const { stdout } = await run(binaries.postgres, ['--version'], { timeout: 5_000 });
    return { name: 'postgres', ok: 'ok', found: `embedded: ${stdout.trim().replace(/^postgres \((\w+)\)/, '$1')}` };
  } catch (error) {
    const advice = `Run \`npm rebuild ${namePostgresPackage()}\`, or set ACTCORE_DATABASE_URL.`;
    const reason = ((error as { stderr?: string }).stderr || String(error)).trim().split('\n')[0];
    return { name: 'postgres', ok: 'missing', found: `embedded, but does not run: ${reason}`, advice };
  }
}

function examineLinks(binaries: PostgresBinaries): Finding {
  const name = 'postgres libraries';
  const missing = binaries.missingLinks.length;
  if (missing === 0) return { name, ok: 'ok', found: 'every link is there' };
  const advice = `A start makes them; or run \`npm rebuild ${namePostgresPackage()}\`.`;
  return { name, ok: 'warning', found: `${missing} links are missing (npm ran no install scripts)`, advice };
}

/** Only root needs another account for Postgres. */
function examineAccount(binaries: PostgresBinaries, env: NodeJS.ProcessEnv, stateDir: string): Finding[] {
  const uid = process.getuid?.() ?? -1;
  if (uid !== 0) return [];
  const name = 'postgres account';
  try {
    const dataFolder = join(stateDir, 'postgres');
    const { ids, wrap } = choosePostgresAccount({ uid, binary: binaries.postgres, dataFolder, env });
    const through = wrap('', []).account ? '' : ', through setpriv past closed folders';
    return [{ name, ok: 'ok', found: `root starts it as ${ids?.name}${through}` }];
  } catch (error) {
    if (!(error instanceof StackProblem)) throw error;
    return [{ name, ok: 'missing', found: error.message, advice: error.advice }];
  }
}

/** The usual ports: taken ones are no fault, but the addresses are not the ones of the documentation. */
export async function examinePorts(): Promise<Finding> {
  const taken: string[] = [];
  for (const [server, port] of Object.entries(usualPorts)) {
    if (await isPortTaken(port)) taken.push(`${port} (${server})`);
  }
  if (taken.length === 0) return { name: 'ports', ok: 'ok', found: `${Object.values(usualPorts).join(', ')} are free` };
  const advice = 'Nothing to do: a start takes the next free ones and prints them.';
  return { name: 'ports', ok: 'ok', found: `taken: ${taken.join(', ')}`, advice };
}

/** Account, host and database of a URL: never its password, nor its query, which may hold one. */
export function redactUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.host) return '(not a URL of a server)';
  const secret = url.password === '' ? '' : ':***';
  const account = url.username === '' ? '' : `${url.username}${secret}@`;
  return `${url.protocol}//${account}${url.host}${url.pathname}`;
}
