import { afterEach, expect } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { startRunner } from '../../support/runner.ts';
import type { Runner } from '../../support/runner.ts';
import { startOwnTemporalServer } from '../../support/temporal-server.ts';
import { calledRuns, latenessMs, startTicking, ticksBetween } from '../../support/ticking.ts';

/** How long what is stopped stays away. */
export const outageMs = 60_000;
const graceMs = 10_000;
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** Two schedules of 10 s, one under each policy, on a server of their own. */
export async function startTwo() {
  const server = await startOwnTemporalServer();
  const runner = await startRunner(server.address);
  cleanups.push(
    () => runner.close(),
    () => server.remove(),
  );
  await runner.startWorker();
  await Promise.all([
    startTicking(runner, 'test.skip', { misfire_policy: 'skip' }),
    startTicking(runner, 'test.run-once', { misfire_policy: 'run_once' }),
  ]);
  return { server, runner };
}

/** Waits until both schedules run on time again, so that all there is to catch up has been. */
export async function awaitPunctual(runner: Runner, sinceMs: number): Promise<void> {
  for (const id of ['test.skip', 'test.run-once']) {
    const isPunctual = async () => {
      const runs = ticksBetween(await runner.runsOf(id), sinceMs + 5_000, Infinity);
      return runs.filter((run) => run.outcome === 'completed' && latenessMs(run) < graceMs).length >= 2;
    };
    await eventually(isPunctual, { withinMs: 60_000, everyMs: 500, what: `a punctual run of ${id}` });
  }
}

/** What an outage may leave: one skipped tick, one late run, and nothing that is run twice. */
export async function expectOneStaleTick(runner: Runner, downAt: number, upAt: number): Promise<void> {
  const skipped = await runner.runsOf('test.skip');
  const stale = skipped.filter(({ outcome }) => outcome === 'misfire_skipped');
  expect(stale).toHaveLength(1);
  expect(stale[0]?.reason).toMatch(/^it would have started [\d.]+ s after its tick; the grace is 10 s$/);
  expect(ticksBetween(stale, downAt - graceMs, upAt)).toHaveLength(1);
  expect(skipped.filter((run) => run.outcome === 'completed' && latenessMs(run) > graceMs)).toEqual([]);
  expect(calledRuns(runner, 'test.skip')).not.toContain(stale[0]?.id);

  const late = (await runner.runsOf('test.run-once')).filter((run) => latenessMs(run) > graceMs);
  expect(late).toMatchObject([{ outcome: 'completed', trigger: 'schedule' }]);
  expect(calledRuns(runner, 'test.run-once').filter((id) => id === late[0]?.id)).toHaveLength(1);

  for (const id of ['test.skip', 'test.run-once']) {
    const called = calledRuns(runner, id);
    expect(new Set(called).size).toBe(called.length);
    expect(ticksBetween(await runner.runsOf(id), downAt + graceMs, upAt - graceMs).length).toBeLessThanOrEqual(1);
  }
}
