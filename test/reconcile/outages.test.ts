import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunRow } from '../../history/queries.ts';
import { reconcile } from '../../reconcile/pass.ts';
import type { PassHeld, Reconciliation } from '../../reconcile/pass.ts';
import { writeFolder } from '../cli/support/actcore.ts';
import { writeDefinition } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { applyFolder, audit, startOwnRunner, tickingSweep } from './support/ticks.ts';
import type { OwnRunner } from './support/ticks.ts';

let own: OwnRunner;
let away: { fromMs: number; toMs: number };
let passes: (Reconciliation | PassHeld)[];
let missed: RunRow[];

const folder = writeFolder({
  'activity-definitions/away.md': writeDefinition('test.away', tickingSweep('away', { schedule: '{ every: 3s }' })),
  'activity-definitions/gone.md': writeDefinition('test.gone', tickingSweep('gone', { schedule: '{ every: 3s }' })),
});
const runsOf = (name: string) => own.runner.runsOf(`test.${name}`);
const hasRunSince = (name: string, sinceMs: number) => async () =>
  (await runsOf(name)).some((run) => run.outcome === 'completed' && Date.parse(run.scheduledAt) > sinceMs);
const isIdle = (name: string) => async () =>
  (await own.runner.client.schedule.getHandle(`test.${name}`).describe()).info.runningActions.length === 0;
const isBetween = ({ scheduledAt }: RunRow, fromMs: number, toMs: number) =>
  Date.parse(scheduledAt) > fromMs && Date.parse(scheduledAt) < toMs;

/** The workers away, then the server for longer than its catch-up window; then two reconcilers at once. */
beforeAll(async () => {
  own = await startOwnRunner();
  const { runner, server } = own;
  await applyFolder(runner, folder);
  await eventually(hasRunSince('away', 0));
  await runner.stopWorker();
  const workersDownAt = Date.now();
  await sleep(10_000);
  await runner.startWorker();
  await eventually(hasRunSince('away', workersDownAt + 3_000), { withinMs: 30_000 });
  await runner.client.schedule.getHandle('test.away').update((previous) => ({
    ...previous,
    policies: { ...previous.policies, catchupWindow: '10s' },
  }));
  await eventually(isIdle('gone'));
  await runner.client.schedule.getHandle('test.gone').delete();
  await server.stop();
  const downAt = Date.now();
  await sleep(22_000);
  away = { fromMs: downAt, toMs: Date.now() };
  await server.start();
  await eventually(hasRunSince('away', away.toMs), { withinMs: 60_000 });
  await sleep(4_000);
  const request = { taskQueue: runner.taskQueue, settleMs: 3_000, now: new Date() };
  passes = await Promise.all([1, 2].map(() => reconcile(runner.client, runner.history, request)));
  missed = (await runsOf('away')).filter(({ outcome }) => outcome === 'missed');
}, 240_000);

afterAll(() => own.close());

it('of two reconcilers at once one does the work, and the other says who holds the lock', () => {
  expect(passes.map(({ status }) => status).sort()).toEqual(['completed', 'lock_skipped']);
  const held = passes.find((pass) => pass.status === 'lock_skipped');
  expect(held).toMatchObject({ holder: { name: expect.stringMatching(/^actcore reconcile on .*process \d+/) } });
});

it('ticks that the server could not start in time are rows that say so, and are told of', () => {
  const inside = missed.filter((run) => isBetween(run, away.fromMs + 1_000, away.toMs - 11_000));
  expect(inside.length).toBeGreaterThanOrEqual(2);
  for (const { reason } of inside) {
    expect(reason).toMatch(/^nothing fired: .* it says that it dropped \d+ in all$/);
  }
  const pass = passes.find((one) => one.status === 'completed');
  const told = pass?.assessment_failures.filter(({ target, rule }) => target === 'test.away' && rule === 'T-01');
  expect(told).toHaveLength(missed.length);
});

it('ticks while the workers were away name the run that waited for them', async () => {
  const skipped = (await runsOf('away')).filter(({ outcome }) => outcome === 'overlap_skipped');
  expect(skipped.length).toBeGreaterThanOrEqual(3);
  const waited = (await runsOf('away')).find(
    ({ certainty, startedAt, scheduledAt }) =>
      certainty === 'witnessed' && Date.parse(startedAt) - Date.parse(scheduledAt) > 5_000,
  );
  expect(skipped.filter(({ reason }) => reason.includes(waited?.id ?? 'no run'))).not.toEqual([]);
});

it('a schedule that somebody deleted on the server leaves missed ticks', async () => {
  const runs = (await runsOf('gone')).filter(({ outcome }) => outcome === 'missed');
  expect(runs.length).toBeGreaterThanOrEqual(5);
  expect(runs[0]?.reason).toMatch(/^nothing fired: the server has no schedule test\.gone/);
});

it('the account adds up after another reconciliation, of what was missed since then', async () => {
  // Nothing fires for the deleted schedule, so the next tick of it to come of age is missed.
  const { document } = await eventually(async () => {
    const audited = await audit(own.runner);
    return audited.exitCode === 1 && audited;
  });
  expect(document.addsUp).toBe(false);
  const late = document.definitions.flatMap(({ sources }) => sources.flatMap(({ differences }) => differences));
  expect(late.every(({ scheduledAt }) => Date.parse(scheduledAt) > away.toMs)).toBe(true);
  const fixed = await audit(own.runner, '--fix');
  expect({ exitCode: fixed.exitCode, addsUp: fixed.document.addsUp }).toEqual({ exitCode: 0, addsUp: true });
});

it('a run that shows up late takes the place of what was concluded', async () => {
  const [tick] = missed;
  const { schedule } = own.runner.client;
  const at = new Date(tick?.scheduledAt ?? '');
  await schedule.getHandle('test.away').backfill({
    start: new Date(at.getTime() - 1),
    end: new Date(at.getTime() + 1),
    overlap: 'ALLOW_ALL',
  });
  const witnessed = await eventually(async () =>
    (await runsOf('away')).find(({ id, certainty }) => id === tick?.id && certainty === 'witnessed'),
  );
  expect(witnessed).toMatchObject({ outcome: 'misfire_skipped', trigger: 'schedule' });
});
