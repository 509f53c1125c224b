import type { DetailMetrics } from './detail-metrics.ts';

/** What each metric means, as Prometheus shows it beside the number. */
const families = {
  actcore_ledger_writes_total: {
    type: 'counter',
    help: 'Rows of details by how an attempt to write them ended; written is final, failed is tried again or dropped.',
  },
  actcore_ledger_drops_total: { type: 'counter', help: 'Rows of details that the history did not get.' },
  actcore_ledger_queue_depth: { type: 'gauge', help: 'Rows of details that are neither written nor dropped yet.' },
  actcore_ledger_write_latency_ms: { type: 'histogram', help: 'Milliseconds that a statement took to write details.' },
} as const;

/**
 * The metrics of a detail writer in the text format of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), for whoever serves them. Ends in a line break.
 */
export function exposeDetailMetrics(metrics: DetailMetrics): string {
  const latencies = metrics.actcore_ledger_write_latency_ms.flatMap(({ op, buckets, sum, count }) => [
    ...buckets.map((bucket) => writeSample('_bucket', { op, le: writeNumber(bucket.le) }, bucket.count)),
    writeSample('_sum', { op }, sum),
    writeSample('_count', { op }, count),
  ]);
  return [
    writeFamily(
      'actcore_ledger_writes_total',
      metrics.actcore_ledger_writes_total.map(({ op, result, value }) => writeSample('', { op, result }, value)),
    ),
    writeFamily(
      'actcore_ledger_drops_total',
      metrics.actcore_ledger_drops_total.map(({ op, value }) => writeSample('', { op }, value)),
    ),
    writeFamily('actcore_ledger_queue_depth', [writeSample('', {}, metrics.actcore_ledger_queue_depth)]),
    writeFamily('actcore_ledger_write_latency_ms', latencies),
  ].join('');
}

function writeFamily(name: keyof typeof families, samples: string[]): string {
  const { type, help } = families[name];
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map((sample) => name + sample), ''].join('\n');
}

/** What follows the name of its family. The labels are words of our own: there is nothing in them to escape. */
function writeSample(suffix: string, labels: Record<string, string>, value: number): string {
  const named = Object.entries(labels).map(([name, text]) => `${name}="${text}"`);
  return `${suffix}${named.length === 0 ? '' : `{${named.join(',')}}`} ${writeNumber(value)}`;
}

function writeNumber(value: number): string {
  return value === Infinity ? '+Inf' : String(value);
}
