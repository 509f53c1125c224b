import { describe, expect, it } from 'vitest';
import { comparePair } from '../../comparison/compare.ts';
import { criterionNames, judgeCutover } from '../../comparison/criteria.ts';
import type { CutoverFacts } from '../../comparison/criteria.ts';
import type { ComparedTick } from '../../comparison/tick.ts';
import { makeSource, makeTick } from './support/ticks.ts';
import type { Fate } from './support/ticks.ts';

const minute = 60_000;
type Minute = [old: Fate | '-', next: Fate | '-'];

/** Which criteria are not met where this became of the ticks of each minute; the two hold each other's lock where one skips. */
function listUnmet(minutes: Minute[], changes: Partial<CutoverFacts> = {}): string[] {
  const side = (place: 0 | 1): ComparedTick[] =>
    minutes.flatMap((fates, index) => {
      const fate = fates[place];
      if (fate === '-') return [];
      const isLocked = fate === 'lock_skipped';
      const afterMs = isLocked ? 500 : place === 1 && !fates.includes('lock_skipped') ? 5_000 : 0;
      return [makeTick(index * minute, fate, { afterMs, tookMs: isLocked ? 50 : 2_000 })];
    });
  const facts = (from: string, pair: CutoverFacts['pair']): CutoverFacts => ({
    ...{ from, to: 'activity-core', pair, windowMs: 5 * minute, coveredMs: 5 * minute },
    ...{ minPairs: 3, minAgreementPercent: 90, differences: 0, ...changes },
  });
  const [old, next] = [makeSource('local-timer', side(0)), makeSource('activity-core', side(1))];
  const unmet = (pair: CutoverFacts['pair']) =>
    judgeCutover(facts('local-timer', pair)).flatMap(({ isMet, name }) => (isMet ? [] : [name]));
  const found = unmet(comparePair(old, next, 0, minute / 2));
  expect(unmet(comparePair(next, old, 0, minute / 2))).toEqual(found);
  return found;
}

const good: Minute[] = [
  ['completed', 'lock_skipped'],
  ['lock_skipped', 'completed'],
  ['completed', 'completed'],
  ['completed', 'lock_skipped'],
];

it('two sources that make way for each other may be cut over', () => {
  expect(listUnmet(good)).toEqual([]);
});

it('every criterion is judged, in the order in which they are told', () => {
  const pair = comparePair(makeSource('a', []), makeSource('b', []), 0, minute);
  const facts = { from: 'a', to: 'b', pair, windowMs: 1, coveredMs: 1, minPairs: 1, minAgreementPercent: 1 };
  expect(judgeCutover({ ...facts, differences: 0 }).map(({ name }) => name)).toEqual([...criterionNames]);
});

describe('each criterion alone keeps the work where it is', () => {
  it('a window that both have not been through', () => {
    expect(listUnmet(good, { coveredMs: 5 * minute - 1 })).toEqual(['window_covered']);
  });

  it('a tick of the old one that the new one does not have', () => {
    expect(listUnmet([...good, ['completed', '-']])).toEqual(['ticks_covered']);
    expect(listUnmet([...good, ['-', 'completed']])).toEqual([]);
  });

  it('too few pairs in which the work was done; those in which neither did it do not count', () => {
    expect(listUnmet(good, { minPairs: 5 })).toEqual(['enough_pairs']);
    expect(listUnmet([...good, ['missed', 'missed'], ['paused', 'paused']], { minPairs: 5 })).toEqual(['enough_pairs']);
    expect(listUnmet([...good, ['completed', 'completed']], { minPairs: 5 })).toEqual([]);
  });

  it('too little agreement', () => {
    expect(listUnmet([...good, ['missed', 'completed']])).toEqual(['agreement']);
    expect(listUnmet([...good, ['missed', 'completed']], { minAgreementPercent: 80 })).toEqual([]);
  });

  it('a new one that has never done the work itself', () => {
    const always: Minute = ['completed', 'lock_skipped'];
    expect(listUnmet([always, always, always])).toEqual(['new_completed']);
  });

  it('a new one that does its part less often', () => {
    expect(listUnmet([...good, ['completed', 'cancelled']], { minAgreementPercent: 50 })).toEqual(['completion']);
  });

  it.each<Fate>(['automation_error', 'timed_out', 'missed'])('%s of the new one where the old one has none', (fate) => {
    expect(listUnmet([...good, ['paused', fate]], { minAgreementPercent: 50 })).toEqual(['no_new_failure']);
    expect(listUnmet([...good, ['-', fate]])).toEqual(['no_new_failure']);
    expect(listUnmet([...good, [fate, fate]])).toEqual([]);
  });

  it('a difference in the account', () => {
    expect(listUnmet(good, { differences: 1 })).toEqual(['account']);
  });
});

it('a double execution does', () => {
  const tick = (fate: Fate) => makeTick(0, fate, { tookMs: 2_000 });
  const pair = comparePair(makeSource('a', [tick('completed')]), makeSource('b', [tick('completed')]), 0, minute);
  const facts = { from: 'a', to: 'b', pair, windowMs: 1, coveredMs: 1, minPairs: 1, minAgreementPercent: 1 };
  const unmet = judgeCutover({ ...facts, differences: 0 }).filter(({ isMet }) => !isMet);
  expect(unmet.map(({ name, figure }) => [name, figure])).toEqual([
    ['agreement', 0],
    ['new_completed', 0],
    ['no_double_execution', 1],
  ]);
});

it('where nothing is to be judged, nothing is go', () => {
  expect(listUnmet([])).toEqual(['enough_pairs', 'agreement', 'new_completed', 'completion']);
});
