import { describe, expect, it } from 'vitest';
import { comparePair } from '../../comparison/compare.ts';
import type { SourcePair } from '../../comparison/compare.ts';
import type { ComparedTick, TickRun } from '../../comparison/tick.ts';
import { verdictMeanings } from '../../comparison/verdict.ts';
import type { Verdict } from '../../comparison/verdict.ts';
import { makeSource, makeTick } from './support/ticks.ts';
import type { Fate, Times } from './support/ticks.ts';

const minute = 60_000;

function compare(left: ComparedTick[], right: ComparedTick[]): SourcePair {
  return comparePair(makeSource('activity-core', left), makeSource('local-timer', right), 0, minute);
}

function write(verdict: Verdict | { kind: string } | undefined): string {
  if (verdict === undefined) return 'nothing';
  if ('how' in verdict)
    return [verdict.how, ...(verdict.winner === undefined ? [] : [`by ${verdict.winner}`])].join(' ');
  if ('why' in verdict) return [verdict.why, ...(verdict.completed === undefined ? [] : [verdict.completed])].join(' ');
  return verdict.kind;
}

/** What is said of one instant in which two sources had these fates, one after the other unless times are given. */
function judge(left: Fate, right: Fate, leftTimes: Times = {}, rightTimes: Times = { afterMs: 5_000 }): string {
  const pair = compare([makeTick(minute, left, leftTimes)], [makeTick(minute, right, rightTimes)]);
  return write(pair.instants[0]?.verdict);
}

const together: Times = { afterMs: 200, tookMs: 300 };

/** Both orders of the sources are judged; what is said is the same but for the names. */
function judgeBoth(one: Fate, other: Fate, times: Times = {}, otherTimes: Times = { afterMs: 5_000 }): string {
  const said = judge(one, other, times, otherTimes);
  const swapped = judge(other, one, otherTimes, times);
  const names = (text: string) => text.replace('activity-core', 'FIRST').replace('local-timer', 'SECOND');
  const mirrored = (text: string) => text.replace('activity-core', 'SECOND').replace('local-timer', 'FIRST');
  expect(mirrored(swapped)).toBe(names(said));
  return names(said);
}

describe('one after the other', () => {
  it.each<[Fate, Fate, string]>([
    ['completed', 'completed', 'both_completed'],
    ['completed', 'automation_error', 'only_one_completed FIRST'],
    ['completed', 'timed_out', 'only_one_completed FIRST'],
    ['completed', 'cancelled', 'only_one_completed FIRST'],
    ['completed', 'missed', 'only_one_completed FIRST'],
    ['completed', 'silent_missed', 'only_one_completed FIRST'],
    ['completed', 'misfire_skipped', 'only_one_completed FIRST'],
    ['completed', 'overlap_skipped', 'only_one_completed FIRST'],
    ['completed', 'paused', 'only_one_completed FIRST'],
    ['completed', 'lock_skipped', 'lock_unexplained FIRST'],
    ['automation_error', 'automation_error', 'same_outcome'],
    ['timed_out', 'timed_out', 'same_outcome'],
    ['missed', 'missed', 'same_outcome'],
    ['missed', 'silent_missed', 'same_outcome'],
    ['paused', 'paused', 'same_outcome'],
    ['misfire_skipped', 'misfire_skipped', 'same_outcome'],
    ['lock_skipped', 'lock_skipped', 'same_outcome'],
    ['automation_error', 'timed_out', 'neither_completed'],
    ['automation_error', 'missed', 'neither_completed'],
    ['automation_error', 'lock_skipped', 'neither_completed'],
    ['missed', 'lock_skipped', 'neither_completed'],
    ['paused', 'missed', 'neither_completed'],
    ['cancelled', 'misfire_skipped', 'neither_completed'],
    ['completed', 'running', 'open'],
    ['missed', 'running', 'open'],
    ['nothing', 'running', 'open'],
    ['running', 'running', 'open'],
    ['completed', 'nothing', 'unaccounted'],
    ['missed', 'nothing', 'unaccounted'],
    ['nothing', 'nothing', 'unaccounted'],
  ])('%s and %s: %s', (one, other, said) => {
    expect(judgeBoth(one, other)).toBe(said);
  });
});

describe('while the other one is going', () => {
  it.each<[Fate, Fate, string]>([
    ['completed', 'lock_skipped', 'lock_held by FIRST'],
    ['completed', 'completed', 'double_execution'],
    ['completed', 'automation_error', 'double_execution'],
    ['completed', 'timed_out', 'double_execution'],
    ['completed', 'cancelled', 'double_execution'],
    ['timed_out', 'timed_out', 'double_execution'],
    ['automation_error', 'lock_skipped', 'neither_completed'],
    ['running', 'lock_skipped', 'open'],
    ['running', 'completed', 'open'],
    ['completed', 'missed', 'only_one_completed FIRST'],
  ])('%s and %s: %s', (one, other, said) => {
    expect(judgeBoth(one, other, { tookMs: 2_000 }, together)).toBe(said);
  });
});

describe('who held the lock', () => {
  it('is the run of the same instant that went on meanwhile, and it is named', () => {
    const [held, skipped] = [makeTick(minute, 'completed'), makeTick(minute, 'lock_skipped', { tookMs: 50 })];
    const pair = compare([skipped], [held]);
    expect(pair.instants[0]?.verdict).toEqual({
      ...{ kind: 'agree', how: 'lock_held', winner: 'local-timer', winnerRunId: held.run?.id },
    });
    expect([pair.wins, pair.didPart, pair.agreementPercent]).toEqual([[0, 1], [1, 1], 100]);
  });

  it('can be a run of an earlier tick that was still going, for which the tick of its own source made way too', () => {
    const long = makeTick(minute, 'completed', { tookMs: 70_000 });
    const pair = compare(
      [long, makeTick(2 * minute, 'overlap_skipped')],
      [makeTick(minute, 'lock_skipped', { tookMs: 50 }), makeTick(2 * minute, 'lock_skipped', { tookMs: 50 })],
    );
    expect(pair.instants.map(({ verdict }) => write(verdict))).toEqual([
      'lock_held by activity-core',
      'lock_held by activity-core',
    ]);
    expect(pair.done).toBe(1);
  });

  it('can be a run that somebody fired by hand', () => {
    const byHand = makeTick(minute, 'completed', { afterMs: 4_000, tookMs: 3_000 }).run as TickRun;
    const pair = comparePair(
      makeSource('activity-core', [makeTick(minute, 'completed', { tookMs: 100 })], { byHand: [byHand] }),
      makeSource('local-timer', [makeTick(minute, 'lock_skipped', { afterMs: 5_000, tookMs: 20 })]),
      ...([0, minute] as const),
    );
    expect(pair.instants[0]?.verdict).toMatchObject({ winner: 'activity-core', winnerRunId: byHand.id });
  });

  it('is nobody of the two where none of their runs was going, by a second at the most', () => {
    const after = (afterMs: number) => judge('completed', 'lock_skipped', { tookMs: 2_000 }, { afterMs, tookMs: 20 });
    expect(after(2_900)).toBe('lock_held by activity-core');
    expect(after(3_100)).toBe('lock_unexplained activity-core');
  });

  it('of two that were going it is the one that did the work, whichever source is named first', () => {
    const mine = [makeTick(0, 'completed', { tookMs: 70_000 }), makeTick(minute, 'lock_skipped', { tookMs: 50 })];
    const theirs = [makeTick(0, 'running', { afterMs: 2_000 }), makeTick(minute, 'lock_skipped', { tookMs: 50 })];
    for (const pair of [compare(mine, theirs), compare(theirs, mine)]) {
      expect(pair.instants[1]?.verdict).toMatchObject({ how: 'lock_held', winnerRunId: mine[0]?.run?.id });
    }
  });

  it('two sources that always find it held by a third one agree, and have not done the work', () => {
    const pair = compare([makeTick(minute, 'lock_skipped')], [makeTick(minute, 'lock_skipped')]);
    expect([pair.agreementPercent, pair.done]).toEqual([100, 0]);
  });
});

describe('a double execution', () => {
  it('is told with both runs, the one that began later as the second', () => {
    const [early, late] = [makeTick(minute, 'completed', { tookMs: 2_000 }), makeTick(minute, 'completed', together)];
    const { doubles, disagreements } = compare([late], [early]);
    expect(disagreements).toEqual({ double_execution: 1 });
    expect(doubles).toEqual([
      {
        first: { source: 'local-timer', runId: early.run?.id, tickMs: minute },
        second: { source: 'activity-core', runId: late.run?.id, tickMs: minute },
        overlapMs: 300,
      },
    ]);
  });

  it('across two instants makes the later one disagree and not the earlier one', () => {
    const pair = compare(
      [makeTick(minute, 'completed', { tookMs: 80_000 }), makeTick(2 * minute, 'overlap_skipped')],
      [makeTick(minute, 'lock_skipped', { tookMs: 50 }), makeTick(2 * minute, 'completed', { tookMs: 5_000 })],
    );
    expect(pair.instants.map(({ verdict }) => write(verdict))).toEqual([
      'lock_held by activity-core',
      'double_execution',
    ]);
  });

  it('is none where the two only touched', () => {
    expect(judge('completed', 'completed', { tookMs: 5_000 }, { afterMs: 4_990, tookMs: 5_000 })).toBe(
      'both_completed',
    );
    expect(judge('completed', 'completed', { tookMs: 60 }, { afterMs: 10, tookMs: 60 })).toBe('double_execution');
  });

  it('is none where one only began before the other had ended: it takes a while to be at the work', () => {
    const next = (tookMs: number, afterMs: number) =>
      judge('completed', 'completed', { tookMs: 1_600 }, { afterMs, tookMs });
    expect(next(1_150, 1_500)).toBe('both_completed');
    expect(next(1_150, 900)).toBe('double_execution');
    expect(next(30_000, 900)).toBe('both_completed');
    expect(next(30_000, 700)).toBe('double_execution');
  });

  it('is one where runs of minutes share more than a twentieth', () => {
    const next = (afterMs: number) => judge('completed', 'completed', { tookMs: minute }, { afterMs, tookMs: minute });
    expect(next(57_500)).toBe('both_completed');
    expect(next(56_500)).toBe('double_execution');
  });

  it.each<[Partial<TickRun>, string]>([
    [{ responseStatus: null }, 'only_one_completed local-timer'],
    [{ responseStatus: 503 }, 'only_one_completed local-timer'],
    [{ responseStatus: 404 }, 'only_one_completed local-timer'],
    [{ responseStatus: 500 }, 'double_execution'],
    [{ responseStatus: 200 }, 'double_execution'],
    [{ certainty: 'inferred' }, 'only_one_completed local-timer'],
  ])('an error of ours with %j beside a completed run: %s', (changes, said) => {
    const failed = makeTick(minute, 'automation_error', together, changes);
    const pair = compare([failed], [makeTick(minute, 'completed', { tookMs: 2_000 })]);
    expect(write(pair.instants[0]?.verdict)).toBe(said);
  });
});

it('every way to agree and to differ says what it means', () => {
  for (const meaning of Object.values(verdictMeanings)) expect(meaning).toMatch(/^[a-z].{20,}[^.]$/);
});
