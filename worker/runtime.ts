import { DefaultLogger, Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import type { LogLevel } from '@temporalio/worker';
import { chooseLoopbackAddress } from './sdk-metrics.ts';

/** Between the choice of a port and its use another process can come first. */
const portAttempts = 3;

/**
 * Sets up the SDK's one runtime per process; call it before the first connection. It exposes its metrics at
 * `metricsAddress` (host:port), and nowhere where that is absent.
 */
export function installRuntime(logLevel: LogLevel, metricsAddress?: string): void {
  const core = logLevel === 'INFO' ? 'WARN' : logLevel;
  const logging = { filter: makeTelemetryFilterString({ core, other: 'ERROR' }), forward: {} };
  // The names of units and counters as Prometheus wants them.
  const naming = { countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true };
  const metrics =
    metricsAddress === undefined ? {} : { metrics: { prometheus: { bindAddress: metricsAddress, ...naming } } };
  Runtime.install({
    logger: new DefaultLogger(logLevel),
    shutdownSignals: [],
    telemetryOptions: { logging, ...metrics },
  });
}

/** The same, with metrics on a port of loopback that is free; resolves to its address. */
export async function installMeteredRuntime(logLevel: LogLevel): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const address = await chooseLoopbackAddress();
    try {
      installRuntime(logLevel, address);
      return address;
    } catch (error) {
      if (attempt === portAttempts) throw error;
    }
  }
}
