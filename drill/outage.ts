import { formatElapsed } from '../dev/progress.ts';
import { applySweeps, definePair } from './definitions.ts';
import type { Result } from './result.ts';
import { listRows } from './rows.ts';
import { accountAll, awaitCompleted, playScene } from './scene.ts';
import type { DrillOptions, Drilled, Scene } from './scene.ts';
import type { Stage } from './stage.ts';
import type { Call } from './target.ts';

/** Something that goes wrong for a while under a definition of 5 s and one of 30 s. */
export interface Outage {
  name: string;
  workers: number;
  lengthMs: number;
  /** Whether requests are tried again. */
  retries?: boolean;
  /** Whether a worker may be gone, or frozen, before it has heard an answer. */
  mayGoUnheard?: boolean;
  /** Brings it about, waits for so long, and puts it right. */
  strike(scene: Scene, lengthMs: number): Promise<void>;
  /** Why it was none, or not borne as it has to be; undefined where all is as it should be. */
  judge(during: During): string | undefined;
}

/** What happened between the beginning and the end of an outage. */
export interface During {
  /** Requests that reached the target. */
  calls: Call[];
  /** The outcomes of the ticks of the definition of 5 s, from one period after the beginning to one before the end. */
  outcomes: (string | null)[];
  scene: Scene;
}

/** A shorter one would hardly hold a tick. */
const shortestMs = 20_000;
const steadyPatienceMs = 120_000;
const recoveryPatienceMs = 180_000;

/** Plays an outage: steady first, then the fault, until both definitions have completed again; then the account. */
export function playOutage(outage: Outage, stage: Stage, options: DrillOptions): Promise<Result> {
  const { name, workers, lengthMs: fullMs, mayGoUnheard = false } = outage;
  return playScene(name, stage, options, async (scene) => {
    const { say } = scene;
    const sweeps = definePair(name, outage.retries === undefined ? {} : { retries: outage.retries });
    for (let count = 0; count < workers; count += 1) await scene.startWorker();
    await applySweeps(scene.around, sweeps);
    const sinceMs = Date.now();
    say('applied, waiting for completed runs');
    const faults = await describeWaiting(scene, sweeps, sinceMs);
    scene.weigh();
    const lengthMs = Math.max(shortestMs, fullMs * options.scale);
    say(`begins, for ${formatElapsed(lengthMs)}`);
    const beganMs = Date.now();
    await outage.strike(scene, lengthMs);
    const endedMs = Date.now();
    say('is over, waiting for completed runs');
    const once = { sinceMs: endedMs, atLeast: () => 1, patienceMs: recoveryPatienceMs };
    for (const id of await awaitCompleted(scene, sweeps, once)) faults.push(`${id} did not recover`);
    const accounts = await accountAll(scene, sweeps, { sinceMs, mayGoUnheard });
    const during = await describeDuring(scene, sweeps, beganMs, endedMs);
    const fault = outage.judge(during);
    if (fault !== undefined) faults.push(fault);
    const memory = scene.memory();
    return { accounts, memory, notes: [`${during.calls.length} requests meanwhile`], faults };
  });
}

async function describeWaiting(scene: Scene, sweeps: Drilled[], sinceMs: number): Promise<string[]> {
  const atLeast = ({ everyMs }: Drilled) => (everyMs < 30_000 ? 3 : 1);
  const waiting = await awaitCompleted(scene, sweeps, { sinceMs, atLeast, patienceMs: steadyPatienceMs });
  return waiting.map((id) => `${id} did not complete before the fault`);
}

async function describeDuring(scene: Scene, sweeps: Drilled[], beganMs: number, endedMs: number): Promise<During> {
  const { target, stage } = scene;
  const [short] = sweeps;
  const periodMs = short?.everyMs ?? 0;
  const span = { fromMs: beganMs + periodMs, toMs: Math.max(beganMs + periodMs, endedMs - periodMs) };
  const rows = await listRows(stage.history, short?.id ?? '', span);
  const calls = target.calls.filter(({ at }) => at >= beganMs && at < endedMs);
  return { calls, outcomes: rows.map(({ outcome }) => outcome), scene };
}
