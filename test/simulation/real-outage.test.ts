import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { TestContext } from 'vitest';
import { simulateTicks } from '../../simulation/model.ts';
import type { Outage } from '../../simulation/outages.ts';
import { listTicks } from '../../ticks/ticks.ts';
import type { RunRow } from '../../history/queries.ts';
import type { Order } from '../../workflows/contract.ts';
import { defineSweep } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { healthy, sendJson } from '../support/target.ts';
import { startOwnTemporalServer } from '../support/temporal-server.ts';
import { latenessMs, startTicking } from '../support/ticking.ts';

const everyMs = 10_000;
const graceMs = 10_000;
/** By definition, how long its target takes: one that is idle when the outage begins, under each policy. */
const idle = [
  { id: 'test.skip', policy: 'skip', runtimeMs: 500 },
  { id: 'test.run-once', policy: 'run_once', runtimeMs: 500 },
];
/** One that is at work then. What becomes of it when a server returns is a race, which no simulation can foretell. */
const busy = { id: 'test.busy', policy: 'skip', runtimeMs: 17_000 };

const until = (instantMs: number) => sleep(Math.max(0, instantMs - Date.now()));

/** Both tests wait for most of their time, so they wait together: each has servers of its own. */
async function startSubjects(subjects: (typeof busy)[], { onTestFinished }: TestContext) {
  const server = await startOwnTemporalServer();
  const runner = await startRunner(server.address);
  onTestFinished(async () => {
    await runner.close();
    await server.remove();
  }, 60_000);
  await runner.startWorker();
  await Promise.all(subjects.map(({ id, policy }) => startTicking(runner, id, { misfire_policy: policy })));
  runner.target.answer = async ({ body }, response) => {
    const called = (JSON.parse(body) as { definition: string }).definition;
    await sleep(subjects.find(({ id }) => id === called)?.runtimeMs ?? 0);
    if (!response.destroyed) sendJson(response, healthy);
  };
  return { server, runner, subjects };
}

/** What the server has counted of a schedule so far. */
async function readCounters(runner: Runner, id: string) {
  const { info } = await runner.client.schedule.getHandle(id).describe();
  return { overlapSkipped: info.numActionsSkippedOverlap, dropped: info.numActionsMissedCatchupWindow };
}

/** Waits until a worker has polled for workflows and for activities since then: a connection that was lost is tried in its own time. */
async function awaitPollers(runner: Runner, sinceMs: number): Promise<number> {
  const since = Math.floor(sinceMs / 1_000);
  const hasPolled = async (taskQueueType: 1 | 2) => {
    const taskQueue = { name: runner.taskQueue };
    const { workflowService } = runner.connection;
    const { pollers } = await workflowService.describeTaskQueue({ namespace: 'default', taskQueue, taskQueueType });
    return pollers?.some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) >= since);
  };
  await eventually(async () => (await hasPolled(1)) && (await hasPolled(2)), { withinMs: 40_000 });
  return Date.now();
}

function nameRow(row: RunRow | undefined): string {
  if (row === undefined) return 'no row';
  if (row.outcome !== 'completed' && row.outcome !== null) return row.outcome;
  return latenessMs(row) > graceMs ? 'late_run' : 'ran';
}

/** The simulated ticks as far as rows and counters tell. */
function foretell(order: Order, ticksMs: number[], outages: Outage[], runtimeMs: number) {
  const ticks = simulateTicks(order, ticksMs, { outages, runtimeMs, nameTick: String });
  const count = (wanted: string) => ticks.filter(({ fate }) => fate === wanted).length;
  const leavesRow = (fate: string) => fate !== 'overlap_skipped' && fate !== 'dropped';
  return {
    rows: ticks.map(({ tickMs, fate }) => `${new Date(tickMs).toISOString()} ${leavesRow(fate) ? fate : 'no row'}`),
    counters: { overlapSkipped: count('overlap_skipped'), dropped: count('dropped') },
  };
}

/**
 * Puts the subjects through an outage from 25 s after a tick to `lastsMs` later, and compares what became of each tick
 * with what the simulation says. `outagesOf` gets the moments: down, up, and the worker polling again.
 */
async function expectAsForetold(
  { runner, subjects }: { runner: Runner; subjects: (typeof busy)[] },
  lastsMs: number,
  down: () => Promise<void>,
  up: () => Promise<void>,
  outagesOf: (downMs: number, upMs: number, polledMs: number) => Outage[],
) {
  const firstMs = Math.ceil((Date.now() + 2_000) / everyMs) * everyMs;
  const before = await Promise.all(subjects.map(({ id }) => readCounters(runner, id)));
  await until(firstMs + 25_000);
  const downMs = Date.now();
  await down();
  await until(downMs + lastsMs);
  const upFromMs = Date.now();
  await up();
  const upMs = Date.now();
  const polledMs = await awaitPollers(runner, upFromMs);
  const lastMs = Math.ceil(polledMs / everyMs) * everyMs + 30_000;
  await until(lastMs + 5_000);
  for (const [index, { id, policy, runtimeMs }] of subjects.entries()) {
    const changes = { schedule: '{ every: 10s }', misfire_grace: '10s', misfire_policy: policy };
    const { order } = defineSweep(id, changes);
    const list = listTicks(order.cadence, firstMs, lastMs + 1, 1_000);
    const ticksMs = 'ticksMs' in list ? list.ticksMs : [];
    const rows = new Map((await runner.runsOf(id)).map((row) => [Date.parse(row.scheduledAt), row]));
    const after = await readCounters(runner, id);
    const real = {
      rows: ticksMs.map((tickMs) => `${new Date(tickMs).toISOString()} ${nameRow(rows.get(tickMs))}`),
      counters: {
        overlapSkipped: after.overlapSkipped - (before[index]?.overlapSkipped ?? 0),
        dropped: after.dropped - (before[index]?.dropped ?? 0),
      },
    };
    // A poll is seen a little after it was made, and its first task is done a little after that.
    const foretold = [polledMs - 1_500, polledMs, polledMs + 3_000].map((backMs) =>
      foretell(order, ticksMs, outagesOf(downMs, upMs, Math.max(backMs, upMs)), runtimeMs),
    );
    const wanted = foretold.find((said) => JSON.stringify(said) === JSON.stringify(real)) ?? foretold[1];
    expect({ id, ...real }).toEqual({ id, ...wanted });
  }
}

it.concurrent(
  'workers stopped for 46 s: each tick fares as the simulation says',
  async (context) => {
    const started = await startSubjects([...idle, busy], context);
    const { runner } = started;
    await expectAsForetold(
      started,
      46_000,
      () => runner.stopWorker(),
      () => runner.startWorker(),
      (downMs, _, polledMs) => [{ of: 'worker', fromMs: downMs, toMs: polledMs }],
    );
  },
  240_000,
);

it.concurrent(
  'the Temporal server stopped for 86 s, beyond its catch-up window: each tick fares as the simulation says',
  async (context) => {
    const started = await startSubjects(idle, context);
    const { server } = started;
    await expectAsForetold(started, 86_000, server.stop, server.start, (downMs, upMs, polledMs) => [
      { of: 'server', fromMs: downMs, toMs: upMs },
      { of: 'worker', fromMs: upMs - 1, toMs: polledMs },
    ]);
  },
  300_000,
);
