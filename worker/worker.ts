import { setMaxListeners } from 'node:events';
import { Client } from '@temporalio/client';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { WorkerOptions as SdkOptions } from '@temporalio/worker';
import { createActivities } from '../activities/index.ts';
import { createListeners } from '../activities/watchdog/listeners.ts';
import { openHistory } from '../history/database.ts';
import { openDetailWriter } from '../history/detail-writer.ts';
import type { DetailWriter } from '../history/detail-writer.ts';
import { createLedger } from '../history/ledger.ts';
import { readResults } from '../history/results.ts';
import { createWatchLedger } from '../history/watch-ledger.ts';
import { obtainBundle } from './bundle.ts';
import type { Vitals } from './readiness.ts';
import { countRuns } from './run-metrics.ts';
import { RunTally } from './run-tally.ts';
import { openSelfEndpoint } from './self-endpoint.ts';
import { createSelfServices } from './self-services.ts';
import { namePhase, runToEnd, usualDrainMs } from './shutdown.ts';
import { followAccess, holdConnection } from './temporal-link.ts';
import type { TemporalAccess } from './temporal-link.ts';

/** The version of a worker deployment: a worker of one gets runs as the server's settings for it say. */
export interface DeploymentVersion {
  name: string;
  buildId: string;
}

export interface WorkerOptions {
  temporalAddress: string;
  /** Reads TLS and API key; called again while the worker runs, since both are renewed. Plain where absent. */
  readAccess?: () => TemporalAccess;
  /** How often that is; a minute when absent. */
  renewalMs?: number;
  namespace: string;
  taskQueue: string;
  databaseUrl: string;
  /** Where the variables of definitions are looked up, after those by which a run finds its own worker. */
  environment: Record<string, string | undefined>;
  /** How long runs in flight get to end when the worker is told to stop; 3 s when absent. */
  drainMs?: number;
  deployment?: DeploymentVersion;
}

/** A worker that is connected; `run` resolves when it has shut down. */
export interface RunningWorker {
  /** @throws UndrainedError */
  run(): Promise<void>;
  /** Stops polling; runs in flight get the drain time to end, then are handed over, or cancelled and recorded as such. */
  shutdown(): void;
  /** Ends the drain time now. */
  hurry(): void;
  vitals: Vitals;
  details: Pick<DetailWriter, 'metrics'>;
  runs: Pick<RunTally, 'families'>;
}

/**
 * How far the server's knowledge of a fan-out may lag behind: what ended since is asked again when this worker dies. Runs
 * that have nothing new to tell beat every two seconds.
 */
const heartbeatThrottleMs = 100;
const askLimitMs = 2_500;

/** Connects a worker. The history need not be there: runs are then recorded when it is back. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { temporalAddress, readAccess = () => ({}), namespace, taskQueue, drainMs = usualDrainMs } = options;
  const access = readAccess();
  const connect = (how: TemporalAccess) => NativeConnection.connect({ address: temporalAddress, ...how });
  const first = await connect(access);
  const link = holdConnection(first);
  const parts = await openParts(options, link.connection);
  const worker = await Worker.create({
    ...{ connection: first, namespace, taskQueue, activities: parts.activities },
    workflowBundle: await obtainBundle(),
    maxHeartbeatThrottleInterval: heartbeatThrottleMs,
    shutdownGraceTime: drainMs,
    ...describeDeployment(options.deployment),
  });
  const apply = async (fresh: TemporalAccess) => {
    const renewed = await connect(fresh);
    worker.connection = renewed;
    link.exchange(renewed);
  };
  const stopFollowing = followAccess({ access, read: readAccess, apply, warn, everyMs: options.renewalMs });
  return {
    async run() {
      try {
        await runToEnd(worker, { leaving: parts.leaving.signal, cutShort: parts.cutShort.signal, drainMs });
      } finally {
        stopFollowing();
        await parts.closeServices();
        await link.close();
        await parts.closeHistory();
      }
    },
    shutdown() {
      if (worker.getState() !== 'RUNNING') return;
      parts.leave();
      worker.shutdown();
    },
    // The SDK's own word for it, by which a run knows why it is interrupted.
    hurry: () => parts.cutShort.abort(new Error('WORKER_SHUTDOWN')),
    vitals: {
      phase: () => namePhase(worker),
      askTemporal: () =>
        link.connection.withDeadline(Date.now() + askLimitMs, () => link.connection.workflowService.getSystemInfo({})),
      askHistory: parts.askHistory,
    },
    ...{ details: parts.details, runs: parts.runs },
  };
}

function warn(message: string): void {
  Runtime.instance().logger.warn(message);
}

/** What the activities of a worker work with. */
async function openParts(options: WorkerOptions, connection: NativeConnection) {
  const { namespace, taskQueue, databaseUrl } = options;
  const history = openHistory(databaseUrl);
  const details = openDetailWriter(history);
  const [leaving, cutShort] = [new AbortController(), new AbortController()];
  for (const { signal } of [leaving, cutShort]) setMaxListeners(0, signal);
  const self = await openSelfEndpoint(createSelfServices({ connection, namespace, taskQueue, databaseUrl }));
  // Definitions that look after the history itself find it by the name that it has everywhere.
  const environment = { ...options.environment, ACTCORE_DATABASE_URL: databaseUrl, ...self.variables };
  const listeners = createListeners({ client: new Client({ connection, namespace }), environment, warn });
  const runs = new RunTally();
  const activities = createActivities({
    ledger: createLedger(history),
    details,
    watch: createWatchLedger(history),
    readResults: (runId, scheduledAt) => readResults(history, runId, scheduledAt),
    environment,
    now: () => new Date(),
    leaving: leaving.signal,
    cutShort: cutShort.signal,
    listeners,
  });
  return {
    ...{ details, runs, leaving, cutShort, activities: countRuns(activities, runs) },
    askHistory: () => history.query('SELECT 1'),
    leave() {
      leaving.abort();
      // Another worker hears them from now on.
      void listeners.close();
    },
    async closeServices() {
      await listeners.close();
      await self.close();
    },
    async closeHistory() {
      await details.close();
      await history.end();
    },
  };
}

/**
 * A run goes on with the workflow code of the version that is current: one that had to stay with its own would wait for
 * ever where the last worker of that version has gone.
 */
function describeDeployment(version: DeploymentVersion | undefined): Pick<SdkOptions, 'workerDeploymentOptions'> {
  if (version === undefined) return {};
  const { name: deploymentName, buildId } = version;
  return {
    workerDeploymentOptions: {
      version: { deploymentName, buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  };
}
