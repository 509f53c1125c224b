import { DefaultLogger, NativeConnection, Runtime, Worker, makeTelemetryFilterString } from '@temporalio/worker';
import type { LogLevel } from '@temporalio/worker';
import { createActivities } from '../activities/index.ts';
import { openHistory } from '../history/database.ts';
import { createLedger } from '../history/ledger.ts';
import { obtainBundle } from './bundle.ts';

export interface WorkerOptions {
  temporalAddress: string;
  namespace: string;
  taskQueue: string;
  databaseUrl: string;
  /** Where the variables of definitions are looked up. */
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
/** How fast a cancellation from the Temporal UI reaches a run: it comes back with a heartbeat. */
const heartbeatThrottleMs = 1_500;

/** Sets up the SDK's one runtime per process; call it before the first connection. */
export function installRuntime(logLevel: LogLevel): void {
  const core = logLevel === 'INFO' ? 'WARN' : logLevel;
  const logging = { filter: makeTelemetryFilterString({ core, other: 'ERROR' }), forward: {} };
  Runtime.install({ logger: new DefaultLogger(logLevel), shutdownSignals: [], telemetryOptions: { logging } });
}

/** Connects a worker. The history need not be there: runs are then recorded when it is back. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { temporalAddress, namespace, taskQueue, environment } = options;
  const history = openHistory(options.databaseUrl);
  const connection = await NativeConnection.connect({ address: temporalAddress });
  const activities = createActivities({ ledger: createLedger(history), environment, now: () => new Date() });
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
        await connection.close();
        await history.end();
      }
    },
    shutdown: () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    },
  };
}
