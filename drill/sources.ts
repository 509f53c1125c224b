import { formatElapsed } from '../dev/progress.ts';
import { ownSource } from '../workflows/contract.ts';
import { askActcore, awaitQuiet, awaitVerdict, retireTimer, takeBack, tryEarlyConfirm } from './cutover-steps.ts';
import type { Verdict } from './cutover-steps.ts';
import { applyFiles } from './definitions.ts';
import type { Result } from './result.ts';
import { listRows } from './rows.ts';
import { accountAll, awaitCompleted, playScene } from './scene.ts';
import type { DrillOptions, Scene } from './scene.ts';
import { judgeComparison, takeOutsideAccount } from './source-account.ts';
import type { ToldComparison } from './source-account.ts';
import type { Span } from './span.ts';
import type { Stage } from './stage.ts';
import { lockedPath } from './target.ts';
import { startTimer } from './timer-process.ts';
import type { TimerJob } from './timer-process.ts';

const everyMs = 20_000;
const job: TimerJob = { id: 'drill.sources.every-20s', source: 'local-timer', everyMs };
const minuteMs = 60_000;
/** Shorter than these they would hold too few ticks. */
const shortest = { outageMs: 2 * everyMs, windowMs: minuteMs, steadyMs: 2 * everyMs };
const steadyPatienceMs = 180_000;
/** A check looks at what is a minute and a half old, and no run goes on for longer. */
const verdictPatienceMs = 240_000;

const writeDefinition = (windowMs: number) => `---
id: ${job.id}
title: Drill ${job.id}
owner: drill
kind: sweep
enabled: true
schedule: { every: ${everyMs / 1_000}s }
sources: { ${job.source}: { every: ${everyMs / 1_000}s } }
cutover: { window: ${windowMs / 1_000}s, min_pairs: ${Math.floor(windowMs / everyMs) - 1} }
misfire_policy: skip
misfire_grace: 10s
budget: { max_seconds: 8, hard_timeout: 10s }
env: [TARGET_URL]
sweep:
  request:
    method: POST
    url: \${TARGET_URL}${lockedPath}
    body: { definition: "\${definition.id}", scheduled_at: "\${run.scheduled_at}", source: "\${run.source}" }
  outcome:
    lock_skipped: body.status == "lock_skipped"
    automation_error: body.automation_error != null
---
# A target that takes a lock

## On automation error
## On assessment failure
`;

/**
 * A timer outside beside our own schedule, and a worker that is killed at work and gone for a minute: the comparison, the cutover
 * when it has recovered, what a retired timer brings about, and the way back.
 */
export function playSources(stage: Stage, options: DrillOptions): Promise<Result> {
  return playScene('sources', stage, options, async (scene) => {
    scene.around.environment['ACTCORE_SPOOL_DIR'] = `${scene.around.folder}/spool`;
    const timer = { stop: async () => {} };
    try {
      return await runInParallel(scene, timer);
    } finally {
      await timer.stop();
    }
  });
}

/** A timer that may have been started. */
interface Timer {
  stop: () => Promise<void>;
}

async function runInParallel(scene: Scene, timer: Timer) {
  const { options, say, wait, stage } = scene;
  const scaled = (ms: number, leastMs = 0) => Math.max(leastMs, Math.round((ms * options.scale) / everyMs) * everyMs);
  const windowMs = scaled(3 * minuteMs, shortest.windowMs);
  const faults: string[] = [];
  const fromMs = await bringUp(scene, timer, windowMs, faults);
  say('both are at it');
  await wait(Math.max(0, fromMs + scaled(2 * minuteMs, shortest.steadyMs) - Date.now()));
  const away = await killAtWork(scene, scaled(minuteMs, shortest.outageMs));
  say('the worker is back, waiting for a check that says no-go');
  const tellsOutage = ({ unmet }: Verdict) => unmet.includes('agreement') && unmet.includes('completion');
  const noGo = await awaitVerdict(scene, job, tellsOutage, verdictPatienceMs);
  if (noGo === undefined) faults.push('no check says no-go for want of agreement, and as ours did less than the timer');
  faults.push(...(await tryEarlyConfirm(scene, job)));
  say(`no-go for ${noGo?.unmet.join(', ')}; waiting for a go`);
  const go = await awaitVerdict(scene, job, ({ isGo }) => isGo, verdictPatienceMs + windowMs);
  if (go === undefined) faults.push('no check says go');
  else say('go');
  await wait(Math.max(0, fromMs + scaled(10 * minuteMs) - Date.now()));
  await awaitQuiet(scene, everyMs);
  const span = { fromMs, toMs: Math.ceil(Date.now() / everyMs) * everyMs };
  const accounts = await accountBoth(scene, span);
  const told = await compareBoth(scene, span);
  if (typeof told === 'string') faults.push(told);
  else faults.push(...judgeComparison(told, { job, span, calls: scene.target.calls, away }));
  faults.push(...(await retireTimer(scene, job, timer.stop)), ...(await takeBack(scene, job)));
  const notes = [
    ...(typeof told === 'string' ? [] : describePair(told)),
    `check: no-go for ${noGo?.unmet.join(', ')}; go ${describeSince(go?.atMs, away.toMs)} after the worker was back`,
  ];
  const rows = await listRows(stage.history, job.id, span);
  if (rows.every(({ outcome }) => outcome === 'completed')) faults.push('the fault did not show');
  return { accounts, memory: scene.memory(), notes, faults };
}

/** Brings both to work; the tick from which on they are accounted for. */
async function bringUp(scene: Scene, timer: Timer, windowMs: number, faults: string[]): Promise<number> {
  await scene.startWorker();
  await applyFiles(scene.around, [{ id: job.id, text: writeDefinition(windowMs) }]);
  const appliedMs = Date.now();
  timer.stop = startTimer(scene, job);
  const once = { sinceMs: appliedMs, atLeast: () => 1, patienceMs: steadyPatienceMs };
  for (const id of await awaitCompleted(scene, [job], once)) faults.push(`${id} did not complete before the fault`);
  scene.weigh();
  await awaitQuiet(scene, everyMs);
  return Math.ceil(Date.now() / everyMs) * everyMs;
}

/** Kills the worker while the target works for it, and starts another one after so long. */
async function killAtWork(scene: Scene, lengthMs: number): Promise<Span> {
  const { target, workers, wait, say } = scene;
  const deadline = Date.now() + 3 * everyMs;
  const isAtWork = () =>
    target.calls.some(
      ({ source, isTurnedAway, endedAt }) => source === ownSource && !isTurnedAway && endedAt === undefined,
    );
  while (!isAtWork() && Date.now() < deadline) await wait(50);
  const fromMs = Date.now();
  say(`the worker is killed at work, for ${formatElapsed(lengthMs)}`);
  for (const worker of [...workers]) await scene.killWorker(worker);
  await wait(lengthMs);
  await scene.startWorker();
  return { fromMs, toMs: Date.now() };
}

async function accountBoth(scene: Scene, span: Span): Promise<Result['accounts']> {
  const { stage, target } = scene;
  await scene.wait(Math.max(0, span.toMs - Date.now()));
  const own = await accountAll(scene, [job], { sinceMs: span.fromMs, untilMs: span.toMs, mayGoUnheard: true });
  return [...own, await takeOutsideAccount(stage, job, span, target.calls)];
}

async function compareBoth(scene: Scene, { fromMs, toMs }: Span): Promise<ToldComparison | string> {
  // An outside run may take its grace and its hard timeout beyond that to be told.
  await scene.wait(Math.max(0, toMs + 30_000 - Date.now()));
  const [since, until] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
  const args = ['compare', job.id, '--since', since, '--until', until, '--settle', '5s'];
  const { exitCode, told, stderr } = await askActcore(scene, args);
  return exitCode === 0 ? (told as ToldComparison) : `compare ended with ${exitCode}: ${stderr}`;
}

function describePair({ pairs: [pair] }: ToldComparison): string[] {
  if (pair === undefined) return [];
  const words = (counts: Record<string, number | undefined>) =>
    Object.entries(counts).map(([word, count]) => `${count} ${word}`);
  const told = [...words(pair.agreements), ...words(pair.disagreements)].join(', ');
  return [
    `compare: ${pair.agreeing} of ${pair.judged} pairs agree: ${told}; the lock was held by ${words(pair.wins).join(', ')}`,
  ];
}

const describeSince = (atMs: number | undefined, sinceMs: number) =>
  atMs === undefined ? 'never' : formatElapsed(atMs - sinceMs);
