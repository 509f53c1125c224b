import { describe, expect, it } from 'vitest';
import { change, compileGood, listProblems, sample } from './sample.ts';

const state = (lines: string, text = sample) => change('owner: team', `owner: team\n${lines}`, text);
const termsOf = (text: string) => compileGood(text).cutover;

it('the terms are there where the file says nothing', () => {
  const terms = { toleranceMs: 60_000, windowMs: 72 * 3_600_000, minPairs: 20, minAgreementPercent: 95 };
  expect(termsOf(sample)).toEqual(terms);
  expect(termsOf(state('cutover: {}'))).toEqual(terms);
});

it('what is stated replaces them one by one', () => {
  expect(termsOf(state('cutover: { window: 3m, min_pairs: 8 }'))).toEqual({
    ...{ toleranceMs: 60_000, windowMs: 180_000, minPairs: 8, minAgreementPercent: 95 },
  });
  const all = 'cutover: { tolerance: 3m, window: 21d, min_pairs: 1, min_agreement: 99.5 }';
  expect(termsOf(state(all))).toEqual({
    ...{ toleranceMs: 180_000, windowMs: 21 * 86_400_000, minPairs: 1, minAgreementPercent: 99.5 },
  });
});

describe('a tolerance that is not stated is half of the shortest interval, and a minute at most', () => {
  it.each([
    ['{ every: 20s }', '{ every: 20s }', 10_000],
    ['{ every: 20s }', '{ cron: "0 3 * * *" }', 10_000],
    ['{ cron: "0 3 * * *" }', '{ every: 30s }', 15_000],
    ['{ every: 1h }', '{ every: 2m }', 60_000],
    ['{ cron: "* * * * *" }', '{ every: 1h }', 30_000],
    ['{ cron: "0,59 * * * *" }', '{ every: 1h }', 30_000],
    ['{ cron: "*/2 * * * *" }', '{ every: 1h }', 60_000],
  ])('%s beside %s', (schedule, source, toleranceMs) => {
    const text = state(`sources: { local-timer: ${source} }`, change('{ cron: "0 3 * * *" }', schedule));
    expect(termsOf(text).toleranceMs).toBe(toleranceMs);
  });
});

it.each([
  ['cutover: { windw: 3m }', 'a.md:5:12: unknown key `windw` in `cutover` -> did you mean `window`?'],
  ['cutover: 3', 'a.md:5:10: `cutover` is 3; expected a mapping such as { window: 72h, min_pairs: 20 }'],
  ['cutover: { window: 59s }', 'a.md:5:20: `59s` is too short; at least 1m'],
  ['cutover: { window: 91d }', 'a.md:5:20: `91d` is too long; at most 90d'],
  ['cutover: { tolerance: 61m }', 'a.md:5:23: `61m` is too long; at most 1h'],
  ['cutover: { tolerance: 99ms }', 'a.md:5:23: `99ms` is too short; at least 100ms'],
  [
    'cutover: { tolerance: 5 }',
    'a.md:5:23: `cutover.tolerance` is 5; expected a duration such as 30s, 5m, 1h30m -> write 5s',
  ],
  ['cutover: { min_pairs: 0 }', 'a.md:5:23: `cutover.min_pairs` is 0; expected a number of pairs from 1 to 100000'],
  ['cutover: { min_agreement: 101 }', 'a.md:5:27: `cutover.min_agreement` is 101; expected percent from 1 to 100'],
  ['cutover: { min_agreement: most }', 'a.md:5:27: `cutover.min_agreement` is `most`; expected percent from 1 to 100'],
])('%s is told with its place', (lines, problem) => {
  expect(listProblems(state(lines))).toEqual([problem]);
});

it('the section is part of the revision and not of the contract', () => {
  const { order } = compileGood(state('cutover: { window: 3m }'));
  const plain = compileGood(sample).order;
  expect(order.contractHash).toBe(plain.contractHash);
  expect(order.revision).not.toBe(plain.revision);
});
