import { expect, it } from 'vitest';
import { listDifferences } from '../../schedules/difference.ts';

const range = (start: number, end = start, step = 1) => ({ start, end, step });

it.each<[string, unknown, unknown, string[]]>([
  ['equal values', { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, []],
  ['a leaf', { a: { b: 1 } }, { a: { b: 2 } }, ['a.b: 1 -> 2']],
  ['an added and a removed key', { a: 1 }, { b: 'x' }, ['a: 1 -> nothing', 'b: nothing -> "x"']],
  ['a range of a calendar', { m: [range(0)] }, { m: [range(0, 59, 15), range(7)] }, ['m: 0 -> 0-59/15,7']],
  ['one of two in a list', [{ a: 1 }, { a: 2 }], [{ a: 1 }, { a: 3 }], ['[1].a: 2 -> 3']],
  ['lists of different length', { a: ['x'] }, { a: ['x', 'y'] }, ['a: ["x"] -> ["x","y"]']],
  ['hashes', { revision: 'a', contractHash: 'b' }, { revision: 'c', contractHash: 'd' }, []],
])('%s', (_, before, after, expected) => {
  expect(listDifferences(before, after)).toEqual(expected);
});

it('long values are shown where they begin to differ', () => {
  const same = 's'.repeat(300);
  const [line = ''] = listDifferences({ url: `${same}-old-${same}` }, { url: `${same}-new-${same}` });
  expect(line).toMatch(/^url: …s{19}-old-s+… -> …s{19}-new-s+…$/);
  expect(line.length).toBeLessThan(200);
});
