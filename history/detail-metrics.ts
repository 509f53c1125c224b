/** What kind of detail is written; the label `op` of the metrics. */
export type DetailOperation = 'result';

/** Upper bounds in milliseconds; beyond the last one is `+Inf`. */
const bucketBoundsMs = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

/**
 * What the detail writer did since it was opened, under the names of its Prometheus metrics. Rows are counted, but for the
 * latency, which is that of one statement. Buckets are cumulative, as Prometheus has them; the last one is `+Inf`.
 */
export interface DetailMetrics {
  /** `written` is final; `failed` is an attempt of a row, which is then tried again or dropped. */
  actcore_ledger_writes_total: { op: DetailOperation; result: 'written' | 'failed'; value: number }[];
  actcore_ledger_drops_total: { op: DetailOperation; value: number }[];
  /** Rows that were taken and are neither written nor dropped yet. */
  actcore_ledger_queue_depth: number;
  actcore_ledger_write_latency_ms: {
    op: DetailOperation;
    buckets: { le: number; count: number }[];
    sum: number;
    count: number;
  }[];
}

/** The counters of one operation. */
export interface DetailCounters {
  written: number;
  failed: number;
  dropped: number;
  observeLatency(tookMs: number): void;
  read(queueDepth: number): DetailMetrics;
}

export function createCounters(op: DetailOperation): DetailCounters {
  const counts = [...bucketBoundsMs, Infinity].map(() => 0);
  let sum = 0;
  const counters: DetailCounters = {
    written: 0,
    failed: 0,
    dropped: 0,
    observeLatency(tookMs) {
      const place = bucketBoundsMs.findIndex((bound) => tookMs <= bound);
      const index = place === -1 ? bucketBoundsMs.length : place;
      counts[index] = (counts[index] ?? 0) + 1;
      sum += tookMs;
    },
    read(queueDepth) {
      let count = 0;
      const buckets = [...bucketBoundsMs, Infinity].map((le, index) => ({ le, count: (count += counts[index] ?? 0) }));
      return {
        actcore_ledger_writes_total: [
          { op, result: 'written', value: counters.written },
          { op, result: 'failed', value: counters.failed },
        ],
        actcore_ledger_drops_total: [{ op, value: counters.dropped }],
        actcore_ledger_queue_depth: queueDepth,
        actcore_ledger_write_latency_ms: [{ op, buckets, sum, count }],
      };
    },
  };
  return counters;
}
