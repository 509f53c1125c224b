import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairTicks, timeOf } from '../../comparison/pairing.ts';
import type { ComparedTick } from '../../comparison/tick.ts';

const minute = 60_000;
const expected = (...minutes: number[]): ComparedTick[] =>
  minutes.map((at) => ({ tickMs: at * minute, isExpected: true }));
const recorded = (...minutes: number[]): ComparedTick[] =>
  minutes.map((at) => ({ tickMs: at * minute, isExpected: false }));

/** The pairs in minutes, `-` where there is none. */
const list = (left: ComparedTick[], right: ComparedTick[], toleranceMinutes: number) =>
  pairTicks(left, right, toleranceMinutes * minute).map((pair) =>
    pair.map((tick) => (tick === undefined ? '-' : tick.tickMs / minute)).join(' '),
  );

describe('ticks are paired', () => {
  it('at the same minute', () => {
    expect(list(expected(0, 15, 30), expected(0, 15, 30), 1)).toEqual(['0 0', '15 15', '30 30']);
  });

  it('where one source is two minutes behind the other, within the tolerance and not beyond it', () => {
    expect(list(expected(0, 15), expected(2, 17), 2)).toEqual(['0 2', '15 17']);
    expect(list(expected(0, 15), expected(2, 17), 1.9)).toEqual(['0 -', '- 2', '15 -', '- 17']);
  });

  it('one to one where one source fires more often', () => {
    expect(list(expected(0, 60), expected(0, 15, 30, 45, 60), 5)).toEqual(['0 0', '- 15', '- 30', '- 45', '60 60']);
  });

  it('the nearest first, though another one came before', () => {
    expect(list(expected(0, 10), expected(9), 9)).toEqual(['0 -', '10 9']);
    expect(list(expected(0, 4), expected(3, 9), 9)).toEqual(['0 9', '4 3']);
  });

  it('to the earlier one where two are as near', () => {
    expect(list(expected(0, 10), expected(5), 5)).toEqual(['0 5', '10 -']);
    expect(list(expected(5), expected(0, 10), 5)).toEqual(['5 0', '- 10']);
  });

  it('an expected tick to an expected one, though a row beside the schedule is nearer', () => {
    const right = [...expected(0), ...recorded(2)].sort((one, other) => one.tickMs - other.tickMs);
    expect(list(expected(3), right, 5)).toEqual(['3 0', '- 2']);
    expect(list(expected(3), recorded(2), 5)).toEqual(['3 2']);
  });
});

const ticks = fc
  .uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 14 })
  .chain((times) =>
    fc
      .array(fc.boolean(), { minLength: times.length, maxLength: times.length })
      .map((flags) =>
        times
          .map((tickMs, index) => ({ tickMs, isExpected: flags[index] ?? true }))
          .sort((a, b) => a.tickMs - b.tickMs),
      ),
  );

/** Nearest first by looking at every pair there could be. */
function pairSlowly(left: ComparedTick[], right: ComparedTick[], toleranceMs: number): [ComparedTick, ComparedTick][] {
  const taken = new Set<ComparedTick>();
  const round = (keep: (tick: ComparedTick) => boolean) =>
    left
      .filter(keep)
      .flatMap((one) => right.filter(keep).map((other): [ComparedTick, ComparedTick] => [one, other]))
      .filter(([one, other]) => Math.abs(one.tickMs - other.tickMs) <= toleranceMs)
      .sort((a, b) => {
        const apart = ([one, other]: typeof a) => Math.abs(one.tickMs - other.tickMs);
        return apart(a) - apart(b) || timeOf(a) - timeOf(b);
      })
      .filter((pair) => {
        if (pair.some((tick) => taken.has(tick))) return false;
        for (const tick of pair) taken.add(tick);
        return true;
      });
  return [...round(({ isExpected }) => isExpected), ...round((tick) => !taken.has(tick))];
}

it('one pass finds the pairs that looking at all of them would', () => {
  fc.assert(
    fc.property(ticks, ticks, fc.integer({ min: 0, max: 20 }), (left, right, toleranceMs) => {
      const found = pairTicks(left, right, toleranceMs).filter((pair) => pair.every((tick) => tick !== undefined));
      const keyOf = (pair: (ComparedTick | undefined)[]) => pair.map((tick) => tick?.tickMs).join(' ');
      expect(found.map(keyOf).sort()).toEqual(pairSlowly(left, right, toleranceMs).map(keyOf).sort());
    }),
    { numRuns: 500 },
  );
});

it('every tick is in exactly one pair or alone, and the order of the sources changes nothing but the order', () => {
  fc.assert(
    fc.property(ticks, ticks, fc.integer({ min: 0, max: 20 }), (left, right, toleranceMs) => {
      const pairs = pairTicks(left, right, toleranceMs);
      expect(pairs.flatMap(([one]) => one ?? []).sort((a, b) => a.tickMs - b.tickMs)).toEqual(left);
      expect(pairs.flatMap(([, other]) => other ?? []).sort((a, b) => a.tickMs - b.tickMs)).toEqual(right);
      const swapped = pairTicks(right, left, toleranceMs).map(([one, other]) => [other, one]);
      const sorted = (all: unknown[]) => all.map((pair) => JSON.stringify(pair)).sort();
      expect(sorted(swapped)).toEqual(sorted(pairs));
    }),
  );
});

it('a hundred thousand ticks of each are paired in one pass, however wide the tolerance', () => {
  const many = (offsetMs: number) =>
    Array.from({ length: 100_000 }, (_, index) => ({ tickMs: index * 2_000 + offsetMs, isExpected: true }));
  expect(pairTicks(many(0), many(700), 3_600_000)).toHaveLength(100_000);
});
