import { expect, test } from 'vitest';
import { findClosestName, suggestName } from '../../expressions/closest-name.ts';

const keys = ['misfire_policy', 'misfire_grace', 'budget', 'owner', 'title'];

test.each([
  ['ownr', 'owner'],
  ['onwer', 'owner'],
  ['BUDGET', 'budget'],
  ['misfire_polcy', 'misfire_policy'],
  ['misfiregrace', 'misfire_grace'],
])('%s was probably meant to be %s', (word, meant) => {
  expect(findClosestName(word, keys)).toBe(meant);
});

test.each(['x', 'schedule', 'sweep', ''])('nothing is suggested for %j', (word) => {
  expect(findClosestName(word, keys)).toBeUndefined();
});

test('a very long word is not compared at all', () => {
  expect(findClosestName('o'.repeat(100_000), keys)).toBeUndefined();
});

test('where nothing is near, the hint says what is allowed', () => {
  expect(suggestName('zzz', keys, 'allowed: a, b')).toBe('allowed: a, b');
  expect(suggestName('titel', keys, 'allowed: a, b')).toBe('did you mean `title`?');
});
