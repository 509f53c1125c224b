import type pg from 'pg';
import { closeGate } from './remedy-gate.ts';
import type { Gate, RemedyPoint } from './remedy-gate.ts';
import type { Drilled, Scene } from './scene.ts';
import { runActcore } from './worker-process.ts';
import type { WorkerProcess } from './worker-process.ts';

/** What was done at one tick of the watchdog. */
export interface Strike {
  /** Where the worker was killed, or that a run by hand came while another was at work. */
  kind: RemedyPoint | 'contest';
  /** The id of the run that was killed. */
  run?: string;
  /** Why it could not be done. */
  fault?: string;
}

/** One for each tick; the drill is long enough for the first ten. */
const plan: (Strike['kind'] | 'leave')[] = [
  ...(['commit', 'contest', 'prepare', 'leave', 'update', 'contest', 'audit', 'commit', 'leave'] as const),
];

/** Before a tick by so much the place is closed. */
const aheadMs = 2_000;
const holdPatienceMs = 20_000;

/** Disturbs the runs of so many ticks, each in its own way; the first one in every case is killed while it commits. */
export async function strikeRemedies(
  scene: Scene,
  ledger: pg.Pool,
  definition: Drilled,
  count: number,
): Promise<Strike[]> {
  const strikes: Strike[] = [];
  for (let index = 0; index < count; index += 1) {
    const kind = plan[index % plan.length] ?? 'leave';
    const { everyMs } = definition;
    const tickMs = Math.ceil((Date.now() + aheadMs + 500) / everyMs) * everyMs;
    await scene.wait(tickMs - aheadMs - Date.now());
    if (kind === 'leave') await scene.wait(aheadMs);
    else strikes.push(await strike(scene, ledger, definition, kind));
  }
  return strikes;
}

async function strike(scene: Scene, ledger: pg.Pool, definition: Drilled, kind: Strike['kind']): Promise<Strike> {
  const { stage, say } = scene;
  const gate = await closeGate(kind === 'contest' ? 'update' : kind, ledger, stage.history);
  let killed: { run: string; worker: WorkerProcess } | undefined;
  try {
    if (!(await awaitHeld(scene, gate))) return { kind, fault: 'no remedy came by' };
    if (kind === 'contest') return { kind, ...(await contest(scene, definition)) };
    killed = await findAtWork(scene, definition);
    if (killed === undefined) return { kind, fault: 'nobody knows which worker was at it' };
    await scene.killWorker(killed.worker);
    say(`worker ${killed.worker.pid} killed inside a remedy (${kind})`);
  } finally {
    await gate.release();
  }
  await scene.startWorker();
  return { kind, run: killed.run };
}

async function awaitHeld({ wait }: Scene, gate: Gate): Promise<boolean> {
  const deadline = Date.now() + aheadMs + holdPatienceMs;
  while (Date.now() < deadline) {
    if (await gate.isHolding()) return true;
    await wait(50);
  }
  return false;
}

/** The worker that has the run of the schedule, as the server knows it. */
async function findAtWork(
  { stage, workers }: Scene,
  { id }: Drilled,
): Promise<{ run: string; worker: WorkerProcess } | undefined> {
  const { info, action } = await stage.client.schedule.getHandle(id).describe();
  const [running] = info.runningActions;
  if (running === undefined || action.type !== 'startWorkflow') return undefined;
  const { raw } = await stage.client.workflow.getHandle(running.workflow.workflowId).describe();
  const identity = raw.pendingActivities?.[0]?.lastWorkerIdentity ?? '';
  const worker = workers.find(({ pid }) => identity.startsWith(`${pid}@`));
  const { rows } = await stage.history.query<{ id: string }>(
    `SELECT id FROM actcore.runs WHERE workflow_id = $1 ORDER BY started_at DESC LIMIT 1`,
    [running.workflow.workflowId],
  );
  const run = rows[0]?.id;
  return worker === undefined || run === undefined ? undefined : { run, worker };
}

/** Fires by hand while a run is held in its remedy. */
async function contest({ around, say }: Scene, { id }: Drilled): Promise<Pick<Strike, 'fault'>> {
  const { exitCode, stderr } = await runActcore(around, ['trigger', id, '--allow-overlap', '--follow']);
  say('a run by hand has met one that was at work');
  return exitCode === 0 ? {} : { fault: `the run by hand ended with ${exitCode}: ${stderr}` };
}
