import { exposeDetailMetrics } from '../history/detail-exposition.ts';
import type { DetailMetrics } from '../history/detail-metrics.ts';
import { writeExposition, writeNumber } from './exposition.ts';
import type { Family } from './exposition.ts';
import type { Readiness } from './readiness.ts';
import { readSdkMetrics } from './sdk-metrics.ts';

/** What this program is, as labels. */
export interface BuildInfo {
  version: string;
  /** The version of a worker deployment, where the worker is one of it. */
  deployment?: { name: string; buildId: string };
}

/** Where the metrics of a worker come from. */
export interface MetricSources {
  build: BuildInfo;
  readiness: () => Promise<Readiness>;
  /** Absent while the worker starts. */
  worker: () => { runs: Family[]; details: DetailMetrics } | undefined;
  /** Where the SDK exposes its own. */
  sdkAddress: string;
}

/** The metrics of a worker, with those of Temporal's SDK after them, in the text format of Prometheus. */
export async function exposeMetrics({ build, readiness, worker, sdkAddress }: MetricSources): Promise<string> {
  const [state, sdk] = await Promise.all([readiness(), readSdkMetrics(sdkAddress)]);
  const own = worker();
  return [
    writeExposition([describeBuild(build), ...describeState(state), ...describeProcess()]),
    own === undefined ? '' : writeExposition(own.runs) + exposeDetailMetrics(own.details),
    writeExposition([
      writeNumber(
        'actcore_sdk_metrics_up',
        'gauge',
        'Whether the metrics of the SDK follow.',
        sdk === undefined ? 0 : 1,
      ),
    ]),
    sdk ?? '',
  ].join('');
}

function describeBuild({ version, deployment }: BuildInfo): Family {
  const versioned = deployment === undefined ? {} : { deployment: deployment.name, build_id: deployment.buildId };
  const labels = { version, node: process.versions.node, ...versioned };
  return {
    name: 'actcore_build_info',
    type: 'gauge',
    help: 'What this worker is; the value is always 1.',
    samples: [{ labels, value: 1 }],
  };
}

/** What is not asked, because the worker does not poll, is not shown. */
function describeState({ isReady, status, temporal, history }: Readiness): Family[] {
  const asked = (name: string, help: string, answer: string | undefined) =>
    answer === undefined ? [] : [writeNumber(name, 'gauge', help, answer === 'answers' ? 1 : 0)];
  return [
    writeNumber('actcore_worker_ready', 'gauge', 'Whether /readyz answers 200.', isReady ? 1 : 0),
    writeNumber(
      'actcore_worker_draining',
      'gauge',
      'Whether the worker was told to stop and ends what it is at.',
      status === 'draining' ? 1 : 0,
    ),
    ...asked('actcore_temporal_up', 'Whether Temporal answers this worker.', temporal),
    ...asked('actcore_history_up', 'Whether the history answers this worker.', history),
  ];
}

function describeProcess(): Family[] {
  const { user, system } = process.cpuUsage();
  const startedAt = Date.now() / 1_000 - process.uptime();
  return [
    writeNumber('process_cpu_seconds_total', 'counter', 'User and system CPU time.', (user + system) / 1e6),
    writeNumber('process_resident_memory_bytes', 'gauge', 'Resident memory.', process.memoryUsage.rss()),
    writeNumber('process_start_time_seconds', 'gauge', 'When the process began, in Unix time.', startedAt),
  ];
}
