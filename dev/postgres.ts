import { findPostgresBinaries, namePostgresPackage, repairLibraryLinks } from './postgres-binaries.ts';
import { cleanPostgresEnv, locateClusterFiles, postgresUser, prepareCluster } from './postgres-cluster.ts';
import { createDatabase, databaseExists, findConnectFault, renameInUrl } from './postgres-database.ts';
import { endSteps } from './process-end.ts';
import { awaitReady, spawnServer, type ServerProcess, type ServerRecord } from './server-process.ts';
import { StackProblem } from './stack-problem.ts';

/** Recovery after a hard end may have to replay a lot. */
const readyTimeoutMs = 60_000;

/** `fast` gives up crash safety for speed: for tests only. The port is on 127.0.0.1. */
export interface PostgresOptions {
  stateDir: string;
  port: number;
  fast?: boolean;
  onSpawn?: (record: ServerRecord) => void;
  signal?: AbortSignal | undefined;
}

/** An embedded Postgres that answers. */
export interface PostgresServer {
  /** To the product's own database; holds the password. */
  url: string;
  /** To the database `postgres`, for making and dropping others. */
  adminUrl: string;
  logFile: string;
  pid: number;
  hasEnded: () => boolean;
  createDatabase: (name: string, template?: string) => Promise<string>;
  stop: () => Promise<void>;
}

const fastSettings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200'];

/**
 * Starts the embedded Postgres on its data in `stateDir`, making the cluster and the product's database the first time.
 * @throws StackProblem when it is not installed, cannot be run by this account, ends, or is not ready within 60 s.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { stateDir, port, fast = false } = options;
  const binaries = await findPostgresBinaries();
  if (!binaries) {
    const advice = 'Run `npm ci` without `--omit=optional`, or set ACTCORE_DATABASE_URL to a Postgres that runs.';
    throw new StackProblem(`The embedded Postgres (npm package ${namePostgresPackage()}) is not installed.`, advice);
  }
  await repairLibraryLinks(binaries);
  const { account, password } = await prepareCluster(stateDir, binaries, fast);
  const { data, folder, logFile } = locateClusterFiles(stateDir);
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`];
  if (fast) settings.push(...fastSettings);
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const server = await spawnServer({
    ...account.wrap(binaries.postgres, args),
    name: 'postgres',
    cwd: folder,
    env: cleanPostgresEnv(),
    logFile,
    port,
    endSteps: endSteps.postgres,
    onSpawn: options.onSpawn,
  });
  const adminUrl = `postgres://${postgresUser}:${password}@127.0.0.1:${port}/postgres`;
  try {
    const wait = { title: 'The embedded Postgres', logFile, timeoutMs: readyTimeoutMs, signal: options.signal };
    await awaitReady(server, wait, async () => (await findConnectFault(adminUrl, 2_000)) === undefined);
    if (!(await databaseExists(adminUrl, postgresUser))) await createDatabase(adminUrl, postgresUser);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return describeServer(server, adminUrl, logFile);
}

function describeServer(server: ServerProcess, adminUrl: string, logFile: string): PostgresServer {
  const { hasEnded, stop, record } = server;
  return {
    url: renameInUrl(adminUrl, postgresUser),
    adminUrl,
    logFile,
    pid: record.pid,
    hasEnded,
    createDatabase: async (name, template) => {
      await createDatabase(adminUrl, name, template);
      return renameInUrl(adminUrl, name);
    },
    stop,
  };
}
