import fc from 'fast-check';
import { expect, it } from 'vitest';
import { comparePair, compareSources } from '../../comparison/compare.ts';
import { makeSource, makeTick } from './support/ticks.ts';
import type { Fate } from './support/ticks.ts';

const minute = 60_000;

it('a source is counted by what became of its ticks, how long it took and how late it was', () => {
  const ticks = [
    makeTick(0, 'completed', { afterMs: 100, tookMs: 1_000 }),
    makeTick(minute, 'completed', { afterMs: 300, tookMs: 3_000 }, { flags: ['late', 'spooled'] }),
    makeTick(2 * minute, 'completed', { afterMs: 200, tookMs: 2_000 }, { assessment: 'failed', flags: ['late'] }),
    makeTick(3 * minute, 'timed_out', { afterMs: 9_000, tookMs: 40_000 }),
    makeTick(4 * minute, 'missed'),
    makeTick(5 * minute, 'nothing'),
    { ...makeTick(5.5 * minute, 'completed', { afterMs: 0, tookMs: 4_000 }), isExpected: false },
    makeTick(6 * minute, 'running'),
    makeTick(7 * minute, 'completed'),
  ];
  const source = makeSource('local-timer', ticks, { settledMs: 7 * minute });
  expect(compareSources([source], 0, minute).sources).toEqual([
    {
      source: 'local-timer',
      expected: 7,
      unexpected: 1,
      pending: 1,
      rows: 7,
      states: { completed: 4, missed: 1, running: 1, timed_out: 1, unaccounted: 1 },
      assessmentFailed: 1,
      duration: { p50Ms: 2_000, p95Ms: 4_000 },
      lateness: { p50Ms: 100, p95Ms: 9_000 },
      flags: { late: 2, spooled: 1 },
    },
  ]);
});

it('a source without a run has no figures of runs, and agrees with nobody', () => {
  const { sources, pairs } = compareSources([makeSource('a', []), makeSource('b', [])], 0, minute);
  expect(sources[0]).toMatchObject({ expected: 0, duration: { p50Ms: null, p95Ms: null }, lateness: { p50Ms: null } });
  expect(pairs[0]).toMatchObject({ judged: 0, agreementPercent: null, instants: [] });
});

it('of three sources every two are held against each other', () => {
  const of = (name: string, fate: Fate, afterMs: number) => makeSource(name, [makeTick(minute, fate, { afterMs })]);
  const { pairs } = compareSources(
    [of('a', 'completed', 0), of('b', 'completed', 5_000), of('c', 'missed', 0)],
    ...([0, minute] as const),
  );
  expect(pairs.map(({ sources, agreementPercent }) => [...sources, agreementPercent])).toEqual([
    ['a', 'b', 100],
    ['a', 'c', 0],
    ['b', 'c', 0],
  ]);
});

it('what both found wrong in the data is no difference; what only one found is, with its target and rule', () => {
  const both = { target: 'repo-1', rule: 'C-13' };
  const mine = { target: 'repo-2', rule: 'C-13' };
  const theirs = { target: 'repo-1', rule: 'C-15' };
  const found = (failures: (typeof both)[]) => ({ assessment: 'failed', failures }) as const;
  const left = makeSource('a', [
    makeTick(0, 'completed', {}, found([both, mine])),
    makeTick(minute, 'completed', {}, found([both])),
    makeTick(2 * minute, 'completed', {}, found([both])),
    makeTick(3 * minute, 'lock_skipped', { afterMs: 100, tookMs: 10 }, { assessment: 'none' }),
    makeTick(4 * minute, 'completed', {}, { assessment: 'none' }),
  ]);
  const right = makeSource('b', [
    makeTick(0, 'completed', { afterMs: 5_000 }, found([both, both, theirs])),
    makeTick(minute, 'completed', { afterMs: 5_000 }),
    makeTick(2 * minute, 'completed', { afterMs: 5_000 }, found([both])),
    makeTick(3 * minute, 'completed', {}, found([both])),
    makeTick(4 * minute, 'completed', { afterMs: 5_000 }, found([both])),
  ]);
  const { assessmentDifferences, agreementPercent } = comparePair(left, right, 0, minute);
  expect(assessmentDifferences.map(({ atMs, only }) => ({ atMs, only }))).toEqual([
    { atMs: 0, only: [[mine], [theirs]] },
    { atMs: minute, only: [[both], []] },
  ]);
  expect(agreementPercent).toBe(100);
});

it('what is too young is pending, also a tick alone whose other half may be due a little later', () => {
  const times = [0, 1, 2, 3, 4].map((at) => at * minute);
  const left = makeSource('a', [...times.map((at) => makeTick(at, 'completed')), makeTick(2.4 * minute, 'completed')], {
    settledMs: 4.5 * minute,
  });
  const right = makeSource(
    'b',
    times.slice(0, 4).map((at) => makeTick(at + 10_000, 'completed')),
    {
      settledMs: 3 * minute,
    },
  );
  const { instants, pending, judged } = comparePair(left, right, minute, 30_000);
  expect(instants.map(({ atMs, verdict }) => `${atMs / minute} ${verdict.kind}`)).toEqual([
    '1 agree',
    '2 agree',
    '2.4 alone',
    '3 pending',
    '4 pending',
  ]);
  expect({ pending, judged }).toEqual({ pending: 2, judged: 2 });
});

const fates: Fate[] = [
  ...(['completed', 'completed', 'lock_skipped', 'automation_error', 'timed_out', 'cancelled'] as const),
  ...(['missed', 'paused', 'overlap_skipped', 'misfire_skipped', 'running', 'nothing', 'silent_missed'] as const),
];
const source = (name: string) =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 12 })
    .chain((times) =>
      fc.tuple(
        ...times.map((time) =>
          fc
            .tuple(fc.constantFrom(...fates), fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 90_000 }))
            .chain(([fate, afterMs, tookMs]) =>
              fc.boolean().map((isExpected) => ({
                ...makeTick(time * 20_000, fate, { afterMs, tookMs }),
                isExpected: isExpected || fate === 'nothing' || fate === 'silent_missed',
              })),
            ),
        ),
      ),
    )
    .chain((ticks) =>
      fc.integer({ min: 200_000, max: 700_000 }).map((settledMs) =>
        makeSource(
          name,
          ticks.toSorted((one, other) => one.tickMs - other.tickMs),
          { settledMs },
        ),
      ),
    );

it('whatever befell two sources, every tick is in one place and agreement is a share', () => {
  fc.assert(
    fc.property(source('a'), source('b'), fc.integer({ min: 0, max: 60_000 }), (left, right, toleranceMs) => {
      const pair = comparePair(left, right, 0, toleranceMs);
      const { instants, judged, agreeing, open, pending, agreementPercent: percent } = pair;
      for (const [side, { ticks }] of [left, right].entries()) {
        const placed = instants.flatMap((instant) => instant.ticks[side] ?? []);
        expect(placed.toSorted((one, other) => one.tickMs - other.tickMs)).toEqual(ticks);
      }
      const alone = instants.filter(({ verdict }) => verdict.kind === 'alone').length;
      expect(judged + open + pending + alone).toBe(instants.length);
      expect(Object.values(pair.agreements).reduce((sum, count) => sum + count, 0)).toBe(agreeing);
      expect(Object.values(pair.disagreements).reduce((sum, count) => sum + count, 0)).toBe(judged - agreeing);
      expect(percent === null).toBe(judged === 0);
      expect(percent ?? 0).toBeGreaterThanOrEqual(0);
      expect(percent ?? 0).toBeLessThanOrEqual(100);
      for (const did of pair.didPart) expect(did).toBeLessThanOrEqual(judged);
    }),
    { numRuns: 300 },
  );
});

it('whichever source is named first, the same is said', () => {
  const swap = <Value>([one, other]: [Value, Value]) => [other, one];
  fc.assert(
    fc.property(source('a'), source('b'), fc.integer({ min: 0, max: 60_000 }), (left, right, toleranceMs) => {
      const [pair, other] = [comparePair(left, right, 0, toleranceMs), comparePair(right, left, 0, toleranceMs)];
      const { instants, sources, didPart, ranAlone, wins, alone, onlyFailures, doubles, ...same } = pair;
      expect(other).toMatchObject({
        ...{ judged: same.judged, agreementPercent: same.agreementPercent, done: same.done, open: same.open },
        ...{ agreements: same.agreements, disagreements: same.disagreements, pending: same.pending },
        ...{ sources: swap(sources), didPart: swap(didPart), ranAlone: swap(ranAlone), wins: swap(wins) },
        ...{ alone: swap(alone), onlyFailures: swap(onlyFailures) },
      });
      const keyOf = (list: typeof doubles) => list.map((double) => JSON.stringify(double)).sort();
      expect(keyOf(other.doubles)).toEqual(keyOf(doubles));
      const verdicts = (list: typeof instants) =>
        list.map(({ atMs, verdict }) => JSON.stringify([atMs, verdict])).sort();
      expect(verdicts(other.instants)).toEqual(verdicts(instants));
    }),
    { numRuns: 300 },
  );
});
