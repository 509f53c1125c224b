import { setTimeout as sleep } from 'node:timers/promises';
import { forEachAtOnce } from '../schedules/each.ts';
import { formatElapsed } from '../dev/progress.ts';
import type { Progress } from '../dev/progress.ts';
import { takeAccount } from './account.ts';
import type { TickAccount } from './account.ts';
import type { MemoryUse, Result } from './result.ts';
import { countCompleted } from './rows.ts';
import type { Stage } from './stage.ts';
import { startTarget } from './target.ts';
import type { DrillTarget } from './target.ts';
import { startWorkerProcess } from './worker-process.ts';
import type { Surroundings, WorkerProcess } from './worker-process.ts';

/** How a drill is run. */
export interface DrillOptions {
  /** What the lengths of faults are multiplied by. */
  scale: number;
  signal: AbortSignal;
  onProgress: Progress;
}

/** What a scenario has to play with. */
export interface Scene {
  name: string;
  stage: Stage;
  around: Surroundings;
  target: DrillTarget;
  /** Those that are alive, in the order in which they were started. */
  workers: WorkerProcess[];
  options: DrillOptions;
  startWorker: () => Promise<void>;
  /** Kills a worker (-9) and forgets it. */
  killWorker: (worker: WorkerProcess) => Promise<void>;
  wait: (ms: number) => Promise<void>;
  say: (text: string) => void;
  /** Called when all is steady: what memory is compared with from then on. */
  weigh: () => void;
  memory: () => MemoryUse;
}

/** Sets a scene with its own target and task queue, plays it, and clears it away on every way out. */
export async function playScene(
  name: string,
  stage: Stage,
  options: DrillOptions,
  play: (scene: Scene) => Promise<Omit<Result, 'scenario' | 'tookMs'>>,
): Promise<Result> {
  const startedAt = Date.now();
  const { signal } = options;
  const target = await startTarget();
  const folder = await stage.makeFolder(name);
  const environment = { TARGET_URL: target.url };
  const around: Surroundings = { stage, signal, taskQueue: `drill-${name}`, folder, environment, applied: [] };
  const scene = openScene(name, around, target, options);
  try {
    const played = await play(scene);
    return { scenario: name, ...played, tookMs: Date.now() - startedAt };
  } finally {
    if (!signal.aborted) await removeSchedules(around);
    await Promise.all(scene.workers.map((worker) => worker.end()));
    await target.close();
  }
}

/** Takes them off the server, so that they do not disturb the next scenario. */
async function removeSchedules({ stage, applied }: Surroundings): Promise<void> {
  const { schedule } = stage.client;
  await forEachAtOnce(applied, (id) =>
    schedule
      .getHandle(id)
      .delete()
      .catch(() => {}),
  );
}

function openScene(name: string, around: Surroundings, target: DrillTarget, options: DrillOptions): Scene {
  const { stage, signal } = around;
  const workers: WorkerProcess[] = [];
  const peaks: number[] = [];
  let before = 0;
  return {
    ...{ name, stage, around, target, workers, options },
    async startWorker() {
      workers.push(await startWorkerProcess(around));
    },
    async killWorker(worker) {
      await worker.kill();
      peaks.push(worker.memory.peak());
      workers.splice(workers.indexOf(worker), 1);
    },
    wait: (ms) => sleep(ms, undefined, { signal }),
    say: (text) => options.onProgress(`[${name}] ${text}`),
    weigh: () => (before = Math.max(...workers.map(({ memory }) => memory.now()))),
    memory: () => ({
      beforeBytes: before,
      afterBytes: Math.max(...workers.map(({ memory }) => memory.now())),
      peakBytes: Math.max(...peaks, ...workers.map(({ memory }) => memory.peak())),
    }),
  };
}

/** What is drilled: a definition and its period. */
export type Drilled = { id: string; everyMs: number };

/** Waits until each definition has so many completed runs since then; the ids of those that do not in time. */
export async function awaitCompleted(
  { stage, wait }: Scene,
  definitions: Drilled[],
  { sinceMs, atLeast, patienceMs }: { sinceMs: number; atLeast: (definition: Drilled) => number; patienceMs: number },
): Promise<string[]> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const waiting: string[] = [];
    for (const definition of definitions) {
      const completed = await countCompleted(stage.history, definition.id, sinceMs).catch(() => 0);
      if (completed < atLeast(definition)) waiting.push(definition.id);
    }
    if (waiting.length === 0 || Date.now() > deadline) return waiting;
    await wait(500);
  }
}

const accountAfterMs = 12_000;

/** Which ticks are accounted for; until now where no end is said. */
interface AccountedTime {
  sinceMs: number;
  untilMs?: number;
  mayGoUnheard?: boolean;
}

/** Waits until the last ticks have ended, then takes the account of each definition. */
export async function accountAll(
  { stage, around, target, wait, say }: Scene,
  definitions: Drilled[],
  { sinceMs, untilMs = Date.now(), mayGoUnheard = false }: AccountedTime,
): Promise<TickAccount[]> {
  say(`waiting ${formatElapsed(accountAfterMs)} for the last runs, then accounting`);
  await wait(accountAfterMs);
  const { taskQueue, signal } = around;
  const { calls } = target;
  return forEachAtOnce(definitions, (definition) => {
    const { everyMs } = definition;
    const span = {
      fromMs: Math.ceil(sinceMs / everyMs) * everyMs,
      toMs: Math.floor(untilMs / everyMs) * everyMs,
    };
    return takeAccount({ stage, taskQueue, definition, span, calls, mayGoUnheard, signal });
  });
}
