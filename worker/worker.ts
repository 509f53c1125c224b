import { setMaxListeners } from 'node:events';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, makeTelemetryFilterString } from '@temporalio/worker';
import type { LogLevel } from '@temporalio/worker';
import { createActivities } from '../activities/index.ts';
import { createListeners } from '../activities/watchdog/listeners.ts';
import { openHistory } from '../history/database.ts';
import { openDetailWriter } from '../history/detail-writer.ts';
import { createLedger } from '../history/ledger.ts';
import { readResults } from '../history/results.ts';
import { createWatchLedger } from '../history/watch-ledger.ts';
import { obtainBundle } from './bundle.ts';
import { openSelfEndpoint } from './self-endpoint.ts';
import { createSelfServices } from './self-services.ts';

export interface WorkerOptions {
  temporalAddress: string;
  namespace: string;
  taskQueue: string;
  databaseUrl: string;
  /** Where the variables of definitions are looked up, after those by which a run finds its own worker. */
  environment: Record<string, string | undefined>;
}

/** A worker that is connected; `run` resolves when it has shut down. */
export interface RunningWorker {
  run(): Promise<void>;
  /** Stops polling; runs in flight get `shutdownGraceMs` to end, then are cancelled and recorded as such. */
  shutdown(): void;
}

const shutdownGraceMs = 3_000;
/** After this the process goes, whatever its activities do. */
const shutdownForceMs = 8_000;
/**
 * How far the server's knowledge of a fan-out may lag behind: what ended since is asked again when this worker dies. Runs
 * that have nothing new to tell beat every two seconds.
 */
const heartbeatThrottleMs = 100;

/** Sets up the SDK's one runtime per process; call it before the first connection. */
export function installRuntime(logLevel: LogLevel): void {
  const core = logLevel === 'INFO' ? 'WARN' : logLevel;
  const logging = { filter: makeTelemetryFilterString({ core, other: 'ERROR' }), forward: {} };
  Runtime.install({ logger: new DefaultLogger(logLevel), shutdownSignals: [], telemetryOptions: { logging } });
}

/** Connects a worker. The history need not be there: runs are then recorded when it is back. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { temporalAddress, namespace, taskQueue, databaseUrl } = options;
  const history = openHistory(databaseUrl);
  const connection = await NativeConnection.connect({ address: temporalAddress });
  const details = openDetailWriter(history);
  const leaving = new AbortController();
  setMaxListeners(0, leaving.signal);
  const self = await openSelfEndpoint(createSelfServices({ connection, namespace, taskQueue, databaseUrl }));
  // Definitions that look after the history itself find it by the name that it has everywhere.
  const environment = { ...options.environment, ACTCORE_DATABASE_URL: databaseUrl, ...self.variables };
  const listeners = createListeners({
    client: new Client({ connection, namespace }),
    environment,
    warn: (message) => Runtime.instance().logger.warn(message),
  });
  const activities = createActivities({
    ledger: createLedger(history),
    details,
    watch: createWatchLedger(history),
    readResults: (runId, scheduledAt) => readResults(history, runId, scheduledAt),
    environment,
    now: () => new Date(),
    leaving: leaving.signal,
    listeners,
  });
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
    workflowBundle: await obtainBundle(),
    maxHeartbeatThrottleInterval: heartbeatThrottleMs,
    shutdownGraceTime: shutdownGraceMs,
    shutdownForceTime: shutdownForceMs,
  });
  return {
    async run() {
      try {
        await worker.run();
      } finally {
        await listeners.close();
        await self.close();
        await connection.close();
        await details.close();
        await history.end();
      }
    },
    shutdown: () => {
      if (worker.getState() !== 'RUNNING') return;
      leaving.abort();
      // Another worker hears them from now on.
      void listeners.close();
      worker.shutdown();
    },
  };
}
