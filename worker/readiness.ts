import { setTimeout as sleep } from 'node:timers/promises';

/** Where a worker is in its life. */
export type WorkerPhase = 'starting' | 'polling' | 'draining' | 'ended';

/** What /readyz shows: words of our own, since an error's text may name users and hosts. */
export interface Readiness {
  isReady: boolean;
  status: 'ready' | 'degraded' | 'unready' | Exclude<WorkerPhase, 'polling'>;
  temporal?: Answer;
  history?: Answer;
}

type Answer = 'answers' | 'does not answer';

/** What is asked of a worker to know whether it can work. */
export interface Vitals {
  phase: () => WorkerPhase;
  /** Rejects where Temporal does not answer. */
  askTemporal: () => Promise<unknown>;
  /** Rejects where the history does not answer. */
  askHistory: () => Promise<unknown>;
}

/** Together with the way there this stays within what a probe usually waits. */
const answerLimitMs = 2_500;
/** Whoever asks more often gets the answer of before: the port is open to all. */
const freshMs = 1_000;

/** How a worker is, for whoever asks. */
export interface Readings {
  readiness: () => Promise<Readiness>;
}

/**
 * Says whether a worker polls and Temporal answers. A history that is away does not make it unready, since runs are then
 * recorded later; it is shown.
 */
export function createReadiness(vitals: Vitals): Readings {
  const temporal = remember(() => judge(vitals.askTemporal));
  const history = remember(() => judge(vitals.askHistory));
  return {
    async readiness() {
      if (vitals.phase() !== 'polling') return describePhase(vitals.phase());
      const [ofTemporal, ofHistory] = await Promise.all([temporal(), history()]);
      const phase = vitals.phase();
      if (phase !== 'polling') return describePhase(phase);
      const isReady = ofTemporal === 'answers';
      const status = isReady ? (ofHistory === 'answers' ? 'ready' : 'degraded') : 'unready';
      return { isReady, status, temporal: ofTemporal, history: ofHistory };
    },
  };
}

function describePhase(phase: WorkerPhase): Readiness {
  return { isReady: false, status: phase === 'polling' ? 'unready' : phase };
}

async function judge(ask: () => Promise<unknown>): Promise<Answer> {
  const late = sleep(answerLimitMs, 'late', { ref: false });
  const answered = ask().then(
    () => 'answered',
    () => 'failed',
  );
  return (await Promise.race([answered, late])) === 'answered' ? 'answers' : 'does not answer';
}

/** One question at a time, and not a new one every time. */
function remember<Value>(ask: () => Promise<Value>): () => Promise<Value> {
  let last: Promise<Value> | undefined;
  let until = 0;
  return () => {
    if (last !== undefined && Date.now() < until) return last;
    until = Number.POSITIVE_INFINITY;
    last = ask().finally(() => (until = Date.now() + freshMs));
    return last;
  };
}
