import { writeNumber } from './exposition.ts';
import type { Family } from './exposition.ts';

/** What is counted of a run that has ended; the report has it. */
export interface CountedRun {
  trigger: string;
  outcome: string;
  assessment: string;
  /** ISO. */
  startedAt: string;
  finishedAt: string;
  latenessMs: number;
  recorded: boolean;
}

/** Upper bounds in seconds: a tick is on time within the first few, and a misfire after the grace of 60 s by default. */
const latenessBounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3_600] as const;
/** Names come with the orders, and whoever sends many must not fill the memory: those beyond share one. */
const mostDefinitions = 2_000;
const others = '(others)';

/** The counters of the runs of one worker. */
export class RunTally {
  inFlight = 0;
  handedOver = 0;
  defects = 0;
  #unrecorded = 0;
  readonly #ended = new Map<string, { labels: Record<string, string>; runs: number }>();
  readonly #durations = new Map<string, { seconds: number; runs: number }>();
  readonly #lateness = { counts: [...latenessBounds, Infinity].map(() => 0), seconds: 0 };

  count(id: string, run: CountedRun): void {
    const definition = this.#durations.has(id) || this.#durations.size < mostDefinitions ? id : others;
    const labels = { definition, outcome: run.outcome, assessment: run.assessment };
    const key = JSON.stringify(Object.values(labels));
    const ended = this.#ended.get(key) ?? { labels, runs: 0 };
    ended.runs += 1;
    this.#ended.set(key, ended);
    const duration = this.#durations.get(definition) ?? { seconds: 0, runs: 0 };
    duration.seconds += Math.max(0, Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1_000;
    duration.runs += 1;
    this.#durations.set(definition, duration);
    if (!run.recorded) this.#unrecorded += 1;
    if (run.trigger === 'schedule') this.#countLateness(Math.max(0, run.latenessMs) / 1_000);
  }

  #countLateness(seconds: number): void {
    const place = latenessBounds.findIndex((bound) => seconds <= bound);
    const index = place === -1 ? latenessBounds.length : place;
    this.#lateness.counts[index] = (this.#lateness.counts[index] ?? 0) + 1;
    this.#lateness.seconds += seconds;
  }

  families(): Family[] {
    const total = (name: string, help: string, value: number) => writeNumber(name, 'counter', help, value);
    return [
      {
        name: 'actcore_runs_total',
        type: 'counter',
        help: 'Runs that ended on this worker, or whose end it concluded.',
        samples: [...this.#ended.values()].map(({ labels, runs }) => ({ labels, value: runs })),
      },
      {
        name: 'actcore_run_duration_seconds',
        type: 'summary',
        help: 'Time from the start of a run to its end.',
        samples: [...this.#durations].flatMap(([definition, { seconds, runs }]) => [
          { suffix: '_sum' as const, labels: { definition }, value: seconds },
          { suffix: '_count' as const, labels: { definition }, value: runs },
        ]),
      },
      this.#describeLateness(),
      writeNumber('actcore_runs_in_flight', 'gauge', 'Runs that this worker is at.', this.inFlight),
      total('actcore_runs_handed_over_total', 'Runs left to another worker at the end of this one.', this.handedOver),
      total('actcore_runs_unrecorded_total', 'Runs whose row the history did not take at once.', this.#unrecorded),
      total('actcore_run_defects_total', 'Runs that ended in a defect of the worker.', this.defects),
    ];
  }

  #describeLateness(): Family {
    const { counts, seconds } = this.#lateness;
    let runs = 0;
    const buckets = [...latenessBounds, Infinity].map((bound, index) => ({
      suffix: '_bucket' as const,
      labels: { le: bound === Infinity ? '+Inf' : String(bound) },
      value: (runs += counts[index] ?? 0),
    }));
    return {
      name: 'actcore_run_lateness_seconds',
      type: 'histogram',
      help: 'Time from a tick to the start of its run; of runs that a schedule fired.',
      samples: [...buckets, { suffix: '_sum', value: seconds }, { suffix: '_count', value: runs }],
    };
  }
}
