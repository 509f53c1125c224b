import type { HttpAddress, HttpListener } from '../worker/http-listener.ts';
import { openHttpPort, showAddress } from '../worker/http-port.ts';
import { exposeMetrics } from '../worker/metrics.ts';
import { createReadiness } from '../worker/readiness.ts';
import type { DeploymentVersion, RunningWorker } from '../worker/worker.ts';
import type { Output } from './output.ts';
import { version } from './version.ts';

interface PortOptions {
  http: HttpAddress | undefined;
  /** Where the SDK exposes its metrics; there wherever the port is. */
  sdkAddress: string | undefined;
  deployment: DeploymentVersion | undefined;
  output: Output;
  /** Undefined while it starts: the port is there before it, so that a start that takes long is seen. */
  worker: () => RunningWorker | undefined;
}

/** Opens the worker's port where one is wanted. */
export async function openWorkerPort(options: PortOptions): Promise<HttpListener | undefined> {
  const { http, sdkAddress, deployment, output, worker } = options;
  if (http === undefined || sdkAddress === undefined) return undefined;
  const { readiness } = createReadiness({
    phase: () => worker()?.vitals.phase() ?? 'starting',
    askTemporal: async () => worker()?.vitals.askTemporal(),
    askHistory: async () => worker()?.vitals.askHistory(),
  });
  const metrics = () =>
    exposeMetrics({
      build: { version, ...(deployment === undefined ? {} : { deployment }) },
      ...{ readiness, sdkAddress },
      worker() {
        const running = worker();
        return running && { runs: running.runs.families(), details: running.details.metrics() };
      },
    });
  const port = await openHttpPort(http, { readiness, metrics });
  output.note(`probes and metrics on http://${showAddress({ ...http, port: port.port })}`);
  return port;
}
