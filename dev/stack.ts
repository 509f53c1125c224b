import { chooseFreePort, chooseAnyPort, usualPorts } from './ports.ts';
import { startPostgres, type PostgresServer } from './postgres.ts';
import { locateClusterFiles } from './postgres-cluster.ts';
import { formatElapsed, type Progress } from './progress.ts';
import { sawPortTaken } from './server-log.ts';
import { holdState, type HeldState } from './state.ts';
import { obtainTemporalBinary } from './temporal-binary.ts';
import { locateTemporalFiles, startTemporalServer, type TemporalServer } from './temporal-server.ts';

/** `ports: 'any'` and `fast` are for tests: nobody looks for the usual ports, and no data has to survive a power cut. */
export interface StackOptions {
  stateDir: string;
  onProgress?: Progress;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  ports?: 'usual' | 'any';
  fast?: boolean;
}

/** Where everything is. `embedded` says what was started here and so ends with `stop`. */
export interface Stack {
  temporalAddress: string;
  temporalNamespace: string;
  /** Absent for a Temporal of one's own without ACTCORE_TEMPORAL_UI_URL. */
  uiUrl?: string;
  databaseUrl: string;
  embedded: { temporal?: TemporalServer; postgres?: PostgresServer };
  /** Writes a server that was started beside these to the state folder, so that the next start ends it if nobody else did. */
  recordServer: HeldState['recordServer'];
  /** Ends what was started, in at most 10 s; any number of calls. */
  stop: () => Promise<void>;
}

const portAttempts = 3;

/**
 * Brings up what the environment does not name: TEMPORAL_ADDRESS and ACTCORE_DATABASE_URL are used as they are, the
 * others are embedded servers with their state in `stateDir`. They start side by side; when one fails the other is ended.
 * @throws StackProblem for what an operator can set right; the reason of `signal` when aborted.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { stateDir, env = process.env, onProgress = () => {} } = options;
  const state = await holdState(stateDir, ({ name, pid }) =>
    onProgress(`ending the ${name} server (pid ${pid}) that an earlier run left`),
  );
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  const settings = { ...options, env, onProgress, state, signal };
  const [temporal, postgres] = await Promise.allSettled([
    env['TEMPORAL_ADDRESS'] ? undefined : abortOnFailure(failed, embedTemporal(settings)),
    env['ACTCORE_DATABASE_URL'] ? undefined : abortOnFailure(failed, embedPostgres(settings)),
  ]);
  const servers = [temporal, postgres].flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []));
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= stopAll(servers, state));
  if (temporal.status === 'rejected' || postgres.status === 'rejected') {
    await stop();
    throw signal.reason;
  }
  return { ...describeStack(env, state, temporal.value, postgres.value), recordServer: state.recordServer, stop };
}

/** A server that cannot start makes the other one's start pointless: the first failure is the one that is told. */
async function abortOnFailure<Server>(failed: AbortController, start: Promise<Server>): Promise<Server> {
  try {
    return await start;
  } catch (error) {
    failed.abort(error);
    throw error;
  }
}

function describeStack(
  env: NodeJS.ProcessEnv,
  state: HeldState,
  temporal: TemporalServer | undefined,
  postgres: PostgresServer | undefined,
): Omit<Stack, 'stop' | 'recordServer'> {
  const temporalAddress = temporal?.address ?? env['TEMPORAL_ADDRESS'] ?? '';
  const uiUrl = temporal?.uiUrl ?? env['ACTCORE_TEMPORAL_UI_URL'];
  state.recordAddresses({ temporalAddress, ...(uiUrl && { uiUrl }), ...(postgres && { databaseUrl: postgres.url }) });
  return {
    temporalAddress,
    temporalNamespace: temporal?.namespace ?? (env['TEMPORAL_NAMESPACE'] || 'default'),
    ...(uiUrl && { uiUrl }),
    databaseUrl: postgres?.url ?? env['ACTCORE_DATABASE_URL'] ?? '',
    embedded: { ...(temporal && { temporal }), ...(postgres && { postgres }) },
  };
}

type Settings = StackOptions & { env: NodeJS.ProcessEnv; onProgress: Progress; state: HeldState };

async function embedTemporal({ env, onProgress, signal, state, stateDir, ports }: Settings): Promise<TemporalServer> {
  const binary = await obtainTemporalBinary({ env, onProgress, ...(signal && { signal }) });
  const startedAt = Date.now();
  const server = await retryOnTakenPort(locateTemporalFiles(stateDir).logFile, async () => {
    const port = await pickPort(ports, usualPorts.temporal, onProgress);
    const uiPort = await pickPort(ports, usualPorts.temporalUi, onProgress);
    const httpPort = await pickPort(ports, usualPorts.temporalHttp, onProgress);
    const namespace = env['TEMPORAL_NAMESPACE'] || 'default';
    const onSpawn = state.recordServer;
    return startTemporalServer({ binary: binary.path, stateDir, port, uiPort, httpPort, namespace, onSpawn, signal });
  });
  onProgress(`Temporal ${binary.version} on ${server.address} after ${formatElapsed(Date.now() - startedAt)}`);
  return server;
}

async function embedPostgres({ onProgress, signal, state, stateDir, ports, fast }: Settings): Promise<PostgresServer> {
  const startedAt = Date.now();
  const server = await retryOnTakenPort(locateClusterFiles(stateDir).logFile, async () => {
    const port = await pickPort(ports, usualPorts.postgres, onProgress);
    return startPostgres({ stateDir, port, fast: fast ?? false, onSpawn: state.recordServer, signal });
  });
  onProgress(`Postgres on ${new URL(server.url).host} after ${formatElapsed(Date.now() - startedAt)}`);
  return server;
}

async function pickPort(ports: StackOptions['ports'], usual: number, onProgress: Progress): Promise<number> {
  if (ports === 'any') return chooseAnyPort();
  const port = await chooseFreePort(usual);
  if (port !== usual) onProgress(`port ${usual} is taken, using ${port}`);
  return port;
}

/** Between the choice of a port and its use another stack can come first. */
async function retryOnTakenPort<Server>(logFile: string, start: () => Promise<Server>): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === portAttempts || !sawPortTaken(logFile)) throw error;
    }
  }
}

/** The two do not know each other, so they end side by side; the folder is free after both have. */
async function stopAll(servers: { stop: () => Promise<void> }[], state: HeldState): Promise<void> {
  const results = await Promise.allSettled(servers.map((server) => server.stop()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  state.release();
}
