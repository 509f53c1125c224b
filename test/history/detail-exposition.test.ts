import { expect, it } from 'vitest';
import { exposeDetailMetrics } from '../../history/detail-exposition.ts';
import { createCounters } from '../../history/detail-metrics.ts';

it('the metrics of the detail writer are exposed under their names, with labels and cumulative buckets from 0.1 ms', () => {
  const counters = createCounters('result');
  [counters.written, counters.failed, counters.dropped] = [12, 3, 2];
  for (const tookMs of [0.05, 0.1, 7, 20_000]) counters.observeLatency(tookMs);
  const text = exposeDetailMetrics(counters.read(5));
  const samples = text.split('\n').filter((line) => !line.startsWith('#'));
  expect(samples).toEqual([
    'actcore_ledger_writes_total{op="result",result="written"} 12',
    'actcore_ledger_writes_total{op="result",result="failed"} 3',
    'actcore_ledger_drops_total{op="result"} 2',
    'actcore_ledger_queue_depth 5',
    ...[0.1, 0.25, 0.5, 1, 2.5, 5].map((le) => `actcore_ledger_write_latency_ms_bucket{op="result",le="${le}"} 2`),
    ...[10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000].map(
      (le) => `actcore_ledger_write_latency_ms_bucket{op="result",le="${le}"} 3`,
    ),
    'actcore_ledger_write_latency_ms_bucket{op="result",le="+Inf"} 4',
    'actcore_ledger_write_latency_ms_sum{op="result"} 20007.15',
    'actcore_ledger_write_latency_ms_count{op="result"} 4',
    '',
  ]);
  const told = text.split('\n').filter((line) => line.startsWith('# TYPE'));
  expect(told).toEqual([
    '# TYPE actcore_ledger_writes_total counter',
    '# TYPE actcore_ledger_drops_total counter',
    '# TYPE actcore_ledger_queue_depth gauge',
    '# TYPE actcore_ledger_write_latency_ms histogram',
  ]);
});
