import fc from 'fast-check';
import { expect, it } from 'vitest';
import { simulateTicks } from '../../simulation/model.ts';
import type { Outage, OutageOf } from '../../simulation/outages.ts';
import { listTicks } from '../../ticks/ticks.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';

const minute = 60_000;
const midnight = Date.parse('2026-03-01T00:00:00Z');

/** `02:50` of the day, or `1 02:50` of the day after. */
function at(text: string): number {
  const [, days = '0', time = ''] = /^(?:(\d) )?(.+)$/.exec(text) ?? [];
  return Date.parse(`2026-03-01T${time}Z`) + Number(days) * 1_440 * minute;
}

const time = (instantMs: number) => new Date(instantMs).toISOString().slice(11, 19).replace(/:00$/, '');

function away(of: OutageOf, from: string, to: string): Outage {
  return { of, fromMs: at(from), toMs: at(to) };
}

interface Case {
  keys?: Frontmatter;
  from?: string;
  to: string;
  outages?: Outage[];
  runtimeMs?: number;
}

function simulate({ keys = {}, from = '00:00', to, outages = [], runtimeMs = 1_000 }: Case) {
  const { order } = defineSweep('test.simulated', { schedule: '{ cron: "*/10 * * * *" }', ...keys });
  const list = listTicks(order.cadence, at(from), at(to), 20_000);
  if ('tooMany' in list) throw new Error('too many ticks');
  return simulateTicks(order, list.ticksMs, { outages, runtimeMs, nameTick: time });
}

/** Each tick as `tick fate started-ended`. */
function play(simulated: Case): string[] {
  return simulate(simulated).map(({ tickMs, fate, startedMs, endedMs }) =>
    [time(tickMs), fate, startedMs && `${time(startedMs)}-${endedMs ? time(endedMs) : ''}`].filter(Boolean).join(' '),
  );
}

it('without an outage each tick runs on time, and says nothing', () => {
  expect(play({ to: '00:30' })).toEqual([
    '00:00 ran 00:00-00:00:01',
    '00:10 ran 00:10-00:10:01',
    '00:20 ran 00:20-00:20:01',
  ]);
  expect(simulate({ to: '00:30' }).map(({ reason }) => reason)).toEqual(['', '', '']);
});

it('a run that is longer than the interval makes the next ticks skip, one that is as long as it too', () => {
  const keys = { budget: '{ max_seconds: 3000 }' };
  const ends = (runtimeMs: number) => simulate({ to: '01:00', keys, runtimeMs }).map(({ fate }) => fate);
  expect(ends(10 * minute - 1)).toEqual(['ran', 'ran', 'ran', 'ran', 'ran', 'ran']);
  const every2nd = ['ran', 'overlap_skipped', 'ran', 'overlap_skipped', 'ran', 'overlap_skipped'];
  expect(ends(10 * minute)).toEqual(every2nd);
  expect(ends(10 * minute + 1)).toEqual(every2nd);
  expect(ends(25 * minute)).toEqual([
    ...['ran', 'overlap_skipped', 'overlap_skipped'],
    ...['ran', 'overlap_skipped', 'overlap_skipped'],
  ]);
  expect(simulate({ to: '00:20', keys, runtimeMs: 10 * minute + 1 })[1]?.reason).toBe(
    'the run of 00:00 was still open',
  );
});

it('a runtime beyond the hard timeout ends then, as timed_out', () => {
  expect(play({ to: '00:20', runtimeMs: 40_001 })).toEqual([
    '00:00 timed_out 00:00-00:00:40',
    '00:10 timed_out 00:10-00:10:40',
  ]);
  expect(play({ to: '00:10', runtimeMs: 40_000 })).toEqual(['00:00 ran 00:00-00:00:40']);
});

it('under `on_failure: pause` a timeout does not pause the schedule', () => {
  const keys = { on_failure: 'pause', schedule: '{ every: 30s }' };
  expect(play({ to: '00:02', runtimeMs: 50_000, keys })).toEqual([
    '00:00 timed_out 00:00-00:00:40',
    '00:00:30 overlap_skipped',
    '00:01 timed_out 00:01-00:01:40',
    '00:01:30 overlap_skipped',
  ]);
});

it('a server that was away drops what is beyond its window, starts the first of the rest, and skips the others', () => {
  const outages = [away('server', '00:05', '00:41')];
  const keys = { schedule: '{ cron: "*/5 * * * *" }', misfire_grace: '15m' };
  expect(play({ to: '00:50', outages, keys })).toEqual([
    '00:00 ran 00:00-00:00:01',
    ...['00:05 dropped', '00:10 dropped', '00:15 dropped', '00:20 dropped'],
    '00:25 misfire_skipped',
    ...['00:30 overlap_skipped', '00:35 overlap_skipped', '00:40 overlap_skipped'],
    '00:45 ran 00:45-00:45:01',
  ]);
});

it('under run_once a server that was away makes one late run, of the first tick', () => {
  const outages = [away('server', '00:05', '12:01')];
  const keys = { schedule: '{ cron: "0 */3 * * *" }', misfire_policy: 'run_once' };
  expect(play({ from: '00:00', to: '18:00', outages, keys })).toEqual([
    '00:00 ran 00:00-00:00:01',
    '03:00 late_run 12:01-12:01:01',
    ...['06:00 overlap_skipped', '09:00 overlap_skipped', '12:00 overlap_skipped'],
    '15:00 ran 15:00-15:00:01',
  ]);
});

it.each([
  ['skip', '00:10 misfire_skipped'],
  ['run_once', '00:10 late_run 00:41-00:41:01'],
])('with the workers away the run of the first tick waits, and under %s: %s', (misfire_policy, first) => {
  const outages = [away('worker', '00:05', '00:41')];
  expect(play({ to: '01:00', outages, keys: { misfire_policy } })).toEqual([
    '00:00 ran 00:00-00:00:01',
    first,
    ...['00:20 overlap_skipped', '00:30 overlap_skipped', '00:40 overlap_skipped'],
    '00:50 ran 00:50-00:50:01',
  ]);
});

it('a start that is late within the grace runs, and says how late it was', () => {
  for (const of of ['server', 'worker'] as const) {
    const [tick] = simulate({ to: '00:10', outages: [away(of, '00:00', '00:01')] });
    expect(tick).toMatchObject({ fate: 'ran', startedMs: at('00:01') });
    expect(tick?.reason).toBe('started 1m after its tick, within the grace of 1m');
    const [late] = simulate({ to: '00:10', outages: [away(of, '00:00', '00:01:01')] });
    expect(late).toMatchObject({
      fate: 'misfire_skipped',
      reason: 'would have started 1m1s after its tick; the grace is 1m',
    });
  }
});

it('an outage is over at its end, and has begun at its beginning', () => {
  const fates = (from: string, to: string) =>
    simulate({ to: '00:30', outages: [away('worker', from, to)] }).map(({ fate }) => fate);
  expect(fates('00:10', '00:19:59')).toEqual(['ran', 'misfire_skipped', 'ran']);
  expect(fates('00:10:02', '00:20')).toEqual(['ran', 'ran', 'ran']);
});

it('a run at work when the server leaves ends by itself, and is open until the server is back', () => {
  const keys = { schedule: '{ every: 1m }', budget: '{ max_seconds: 3000 }', misfire_policy: 'run_once' };
  const outages = [away('server', '00:00:30', '00:03:30')];
  expect(play({ to: '00:05', keys, outages, runtimeMs: 59_000 })).toEqual([
    '00:00 ran 00:00-00:00:59',
    ...['00:01 overlap_skipped', '00:02 overlap_skipped', '00:03 overlap_skipped'],
    '00:04 ran 00:04-00:04:59',
  ]);
});

it('a run that outlasts the absence of the server is given up, unless the absence was short', () => {
  const keys = { budget: '{ max_seconds: 3000 }' };
  const play1 = (to: string) =>
    play({ to: '00:10', keys, outages: [away('server', '00:00:30', to)], runtimeMs: 5 * minute });
  expect(play1('00:02')).toEqual(['00:00 cancelled 00:00-00:02']);
  expect(play1('00:00:40')).toEqual(['00:00 ran 00:00-00:05']);
});

it('a worker that is stopped gives its run 3 s, and the workflow closes when one is back', () => {
  const keys = { schedule: '{ every: 10s }', misfire_policy: 'run_once' };
  const outages = [away('worker', '00:00:02', '00:00:25')];
  const rest = ['00:00:10 overlap_skipped', '00:00:20 overlap_skipped'];
  expect(play({ to: '00:00:30', keys, outages, runtimeMs: 5_000 })).toEqual(['00:00 ran 00:00-00:00:05', ...rest]);
  expect(play({ to: '00:00:30', keys, outages, runtimeMs: 5_001 })).toEqual([
    '00:00 cancelled 00:00-00:00:05',
    ...rest,
  ]);
});

it('a worker that is back while the server is away waits for it', () => {
  const outages = [away('worker', '00:05', '00:15'), away('server', '00:12', '00:25')];
  expect(play({ to: '00:40', outages, keys: { misfire_policy: 'run_once' } })).toEqual([
    '00:00 ran 00:00-00:00:01',
    '00:10 late_run 00:25-00:25:01',
    '00:20 overlap_skipped',
    '00:30 ran 00:30-00:30:01',
  ]);
});

it('outages of one kind that touch or lie within each other are one', () => {
  const pieces = [away('worker', '00:20', '00:35'), away('worker', '00:05', '00:20'), away('worker', '00:06', '00:07')];
  const whole = [away('worker', '00:05', '00:35')];
  expect(play({ to: '01:00', outages: pieces })).toEqual(play({ to: '01:00', outages: whole }));
  const two = [away('server', '00:05', '00:11'), away('server', '00:25', '00:31')];
  expect(play({ to: '00:40', outages: two }).map((line) => line.split(' ')[1])).toEqual(['ran', 'ran', 'ran', 'ran']);
});

it('the server ends a run that waits for a worker for more than a day, and the next tick starts another', () => {
  const keys = { schedule: '{ cron: "0 */12 * * *" }' };
  const outages = [away('worker', '00:00', '1 15:00')];
  expect(play({ to: '2 01:00', outages, keys })).toEqual([
    '00:00 given_up',
    ...['12:00 overlap_skipped', '00:00 overlap_skipped'],
    '12:00 misfire_skipped',
    '00:00 ran 00:00-00:00:01',
  ]);
});

it('of one outage the server catches up on 1,000 ticks', () => {
  const keys = { schedule: '{ every: 1s }', misfire_policy: 'run_once' };
  const fates = simulate({ to: '00:20', keys, outages: [away('server', '00:00', '00:18:19')] }).map(({ fate }) => fate);
  expect(fates[0]).toBe('late_run');
  expect(fates.filter((fate) => fate === 'dropped')).toHaveLength(100);
  expect(fates.indexOf('dropped')).toBe(1_000);
});

it('whatever is away: each tick has one fate, no two runs are at work at once, and none begins before its tick or in an outage', () => {
  const arbitraryOutage = fc.record({
    of: fc.constantFrom<OutageOf>('server', 'worker'),
    fromMs: fc.integer({ min: 0, max: 7_200 }).map((seconds) => midnight + seconds * 1_000),
    lastsMs: fc.integer({ min: 1, max: 3_600_000 }),
  });
  const arbitraryWorld = fc.record({
    policy: fc.constantFrom('skip', 'run_once'),
    outages: fc.array(arbitraryOutage, { maxLength: 5 }),
    runtimeMs: fc.integer({ min: 0, max: 50_000 }),
  });
  const law = fc.property(arbitraryWorld, ({ policy, runtimeMs, outages: parts }) => {
    const outages = parts.map(({ of, fromMs, lastsMs }) => ({ of, fromMs, toMs: fromMs + lastsMs }));
    const keys = { misfire_policy: policy, schedule: '{ every: 20s }' };
    const ticks = simulate({ to: '02:00', keys, outages, runtimeMs });
    expect(ticks.map(({ tickMs }) => tickMs)).toEqual(
      Array.from({ length: 360 }, (_, index) => midnight + index * 20_000),
    );
    let freeMs = 0;
    for (const { tickMs, fate, startedMs, endedMs } of ticks) {
      expect(startedMs === undefined).toBe(!['ran', 'late_run', 'timed_out', 'cancelled'].includes(fate));
      if (startedMs === undefined || endedMs === undefined) continue;
      expect(startedMs).toBeGreaterThanOrEqual(Math.max(tickMs, freeMs));
      expect(outages.some(({ fromMs, toMs }) => fromMs <= startedMs && startedMs < toMs)).toBe(false);
      expect(endedMs - startedMs).toBeLessThanOrEqual(40_000);
      expect(fate === 'late_run' && policy === 'skip').toBe(false);
      freeMs = endedMs;
    }
  });
  fc.assert(law, { numRuns: 100 });
});
