import { mkdir } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';
import { searchAttributes } from '../workflows/contract.ts';
import { endSteps } from './process-end.ts';
import { awaitReady, spawnServer, type ServerRecord } from './server-process.ts';

const readyTimeoutMs = 30_000;

/** The pollers of the server's own schedule workers: with its default of 2, ticks are lost when many fall together. */
const dynamicConfig = [
  'worker.perNamespaceWorkerOptions={"MaxConcurrentWorkflowTaskPollers":30}',
  'system.enableActivityEagerExecution=true',
];
const sqlitePragmas = ['journal_mode=WAL', 'synchronous=NORMAL'];

/** Where and how to run the dev server; its history is kept in `stateDir`. Ports on 127.0.0.1. */
export interface TemporalServerOptions {
  binary: string;
  stateDir: string;
  port: number;
  uiPort: number;
  /** Of the HTTP API; the server takes any free one where it is not said. */
  httpPort?: number;
  metricsPort?: number;
  namespace?: string;
  onSpawn?: (record: ServerRecord) => void;
  signal?: AbortSignal | undefined;
}

/** TLS and API key, where a server wants them. */
export type ServerAccess = Pick<ConnectionOptions, 'tls'> & { apiKey?: string };

/** A dev server that answers. */
export interface TemporalServer {
  address: string;
  namespace: string;
  uiUrl: string;
  /** Absent where no port was said. */
  httpUrl?: string;
  logFile: string;
  pid: number;
  hasEnded: () => boolean;
  stop: () => Promise<void>;
}

/** The files a dev server keeps in the state folder. */
export function locateTemporalFiles(stateDir: string): { folder: string; database: string; logFile: string } {
  const folder = join(stateDir, 'temporal');
  return { folder, database: join(folder, 'temporal.db'), logFile: join(folder, 'temporal.log') };
}

/**
 * Starts `temporal server start-dev` and waits until its frontend describes the namespace. The search attributes are
 * registered when its database is made; the server ignores those that come later, so `apply` looks after them too.
 * @throws StackProblem quoting the log when it ends or is not ready within 30 s.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { folder, logFile } = locateTemporalFiles(options.stateDir);
  await mkdir(folder, { recursive: true });
  const namespace = options.namespace ?? 'default';
  const address = `127.0.0.1:${options.port}`;
  const server = await spawnServer({
    name: 'temporal',
    file: options.binary,
    args: buildArguments(options, namespace),
    cwd: folder,
    env: process.env,
    logFile,
    port: options.port,
    endSteps: endSteps.temporal,
    onSpawn: options.onSpawn,
  });
  try {
    const wait = { title: 'The Temporal dev server', logFile, timeoutMs: readyTimeoutMs, signal: options.signal };
    await awaitReady(server, wait, () => describesNamespace(address, namespace, 2_000));
  } catch (error) {
    await server.stop();
    throw error;
  }
  const { hasEnded, stop, record } = server;
  const { uiPort, httpPort } = options;
  return {
    ...{ address, namespace, uiUrl: `http://127.0.0.1:${uiPort}` },
    ...(httpPort === undefined ? {} : { httpUrl: `http://127.0.0.1:${httpPort}` }),
    ...{ logFile, pid: record.pid, hasEnded, stop },
  };
}

function buildArguments(options: TemporalServerOptions, namespace: string): string[] {
  const { port, uiPort, httpPort, metricsPort, stateDir } = options;
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', `${port}`, '--ui-port', `${uiPort}`];
  args.push('--db-filename', locateTemporalFiles(stateDir).database, '--log-level', 'warn', '--color', 'never');
  if (httpPort !== undefined) args.push('--http-port', `${httpPort}`);
  if (metricsPort !== undefined) args.push('--metrics-port', `${metricsPort}`);
  if (namespace !== 'default') args.push('--namespace', namespace);
  for (const pragma of sqlitePragmas) args.push('--sqlite-pragma', pragma);
  for (const value of dynamicConfig) args.push('--dynamic-config-value', value);
  for (const name of Object.values(searchAttributes)) args.push('--search-attribute', `${name}=Keyword`);
  return args;
}

/**
 * Whether a Temporal frontend at that address (host:port) knows the namespace; false also when it does not answer in
 * time. A plain socket is tried first: gRPC takes a refused connection for a reason to wait and try again.
 */
export async function describesNamespace(
  address: string,
  namespace: string,
  timeoutMs: number,
  access: ServerAccess = {},
): Promise<boolean> {
  if (!(await acceptsConnections(address, timeoutMs))) return false;
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({ address, ...access, connectTimeout: timeoutMs });
    const { workflowService } = connection;
    await connection.withDeadline(Date.now() + timeoutMs, () => workflowService.describeNamespace({ namespace }));
    return true;
  } catch {
    return false;
  } finally {
    await connection?.close();
  }
}

function acceptsConnections(address: string, timeoutMs: number): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 7233) });
    const settle = (accepts: boolean) => {
      socket.destroy();
      resolve(accepts);
    };
    socket.setTimeout(timeoutMs, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
