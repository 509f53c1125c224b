import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, lstat, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { choosePostgresAccount, type PostgresAccount } from './postgres-account.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { endProcess, endSteps } from './process-end.ts';
import { identifyProcess, readCommandLine } from './process-identity.ts';
import { quoteError, StackProblem } from './stack-problem.ts';

const run = promisify(execFile);

/** The superuser of the embedded cluster, and the name of the product's database in it. */
export const postgresUser = 'actcore';

/** The files of the embedded cluster in the state folder. */
export function locateClusterFiles(stateDir: string) {
  const folder = join(stateDir, 'postgres');
  const [data, passwordFile] = [join(folder, 'data'), join(stateDir, 'postgres-password')];
  return { folder, data, passwordFile, logFile: join(stateDir, 'postgres.log') };
}

/** A cluster on disk that can be started, and by whom. */
export interface PreparedCluster {
  account: PostgresAccount;
  password: string;
}

/**
 * Makes the cluster at the first start and clears what a killed run left in it.
 * @throws StackProblem when the state folder is not ours to use, or initdb fails.
 */
export async function prepareCluster(
  stateDir: string,
  binaries: PostgresBinaries,
  fast: boolean,
): Promise<PreparedCluster> {
  const { folder, data, passwordFile } = locateClusterFiles(stateDir);
  await mkdir(folder, { recursive: true });
  const uid = process.getuid?.() ?? -1;
  await refuseForeignFolder(folder, uid);
  const account = choosePostgresAccount({ uid, binary: binaries.postgres, dataFolder: folder, env: process.env });
  if (account.ids) await chown(folder, account.ids.uid, account.ids.gid);
  const ready = await stat(join(data, 'PG_VERSION')).catch(() => undefined);
  if (ready) await clearStalePid(data);
  else await initialiseCluster(stateDir, binaries, account, fast);
  return { account, password: await readPassword(passwordFile) };
}

async function refuseForeignFolder(folder: string, uid: number): Promise<void> {
  const owner = (await lstat(folder)).uid;
  if (uid <= 0 || owner === uid) return;
  const advice = `Start as the account that made it (with sudo, if that was root), or remove ${folder} and its history.`;
  throw new StackProblem(`${folder} belongs to another account (uid ${owner}).`, advice);
}

/** Made beside its place and moved there at the end, so that an interrupted one is never taken for a cluster. */
async function initialiseCluster(
  stateDir: string,
  binaries: PostgresBinaries,
  account: PostgresAccount,
  fast: boolean,
): Promise<void> {
  const { folder, data, passwordFile } = locateClusterFiles(stateDir);
  const draft = join(folder, 'data.draft');
  const password = randomBytes(24).toString('base64url');
  const promptFile = join(folder, 'initdb-password');
  for (const left of [draft, data, promptFile]) await rm(left, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, password, { mode: 0o600 });
  await writeFile(promptFile, password, { mode: 0o600 });
  if (account.ids) await chown(promptFile, account.ids.uid, account.ids.gid);
  const args = [`--pgdata=${draft}`, '--auth=scram-sha-256', `--username=${postgresUser}`, `--pwfile=${promptFile}`];
  args.push('--encoding=UTF8', '--locale=C', '--no-instructions', ...(fast ? ['--no-sync'] : []));
  const wrapped = account.wrap(binaries.initdb, args);
  try {
    await run(wrapped.file, wrapped.args, { cwd: folder, env: cleanPostgresEnv(), ...idsOf(wrapped.account) });
    await rename(draft, data);
  } catch (error) {
    const failure = error as Error & { stderr?: string };
    const reason = (failure.stderr || failure.message).trim();
    throw new StackProblem(`The embedded Postgres could not be set up: ${reason}.`, 'Run `actcore doctor`.', {
      cause: error,
    });
  } finally {
    await rm(promptFile, { force: true });
  }
}

function idsOf(account: { uid: number; gid: number } | undefined): { uid?: number; gid?: number } {
  return account ? { uid: account.uid, gid: account.gid } : {};
}

async function readPassword(passwordFile: string): Promise<string> {
  try {
    return (await readFile(passwordFile, 'utf8')).trim();
  } catch (error) {
    const advice = 'Put the file back, or remove the `postgres` folder beside it together with its history.';
    throw new StackProblem(`The password of the embedded Postgres cannot be read: ${quoteError(error)}.`, advice);
  }
}

/**
 * A pid file names a postmaster that still runs on this data (then it is one a killed run left: it is ended), or a
 * process long gone whose number may belong to anybody by now (then the file would only stop Postgres for nothing).
 */
async function clearStalePid(data: string): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const text = await readFile(pidFile, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const pid = Number(text.split('\n')[0]);
  const identity = pid > 0 ? identifyProcess(pid) : undefined;
  if (identity && readCommandLine(pid).includes(data)) await endProcess(identity, endSteps.postgres);
  else await rm(pidFile, { force: true });
}

/** The environment without what would change where or how Postgres runs. */
export function cleanPostgresEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG') && !name.startsWith('LC_'));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}
