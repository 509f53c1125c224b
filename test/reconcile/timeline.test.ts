import { describe, expect, it } from 'vitest';
import type { InForceEvent } from '../../history/in-force.ts';
import type { JournaledPause } from '../../history/pauses.ts';
import { listExpected, mostTicks } from '../../reconcile/expected.ts';
import type { Plan } from '../../reconcile/expected.ts';
import { buildPauses, buildPeriods } from '../../reconcile/timeline.ts';
import type { Sight } from '../../reconcile/timeline.ts';
import { defineSweep } from '../support/definitions.ts';

const at = (time: string) => `2026-03-01T${time}Z`;
const ms = (time: string) => Date.parse(at(time));

function planEvery(every: string, enabled = true): Plan {
  const { order } = defineSweep('test.timeline', { schedule: `{ every: ${every} }`, misfire_grace: '10s' });
  return { order, enabled, sources: {} };
}

const applied = (time: string, revision: string): InForceEvent => ({ at: at(time), kind: 'revision', revision });

function seen(time: string, revision: string, changes: Partial<Sight> = {}): Sight {
  const { cadence } = planEvery('10s').order;
  const state = { scheduleId: 'test.timeline', since: at(time), revision, enabled: true, cadence, paused: false };
  return { ...state, missedCatchup: 0, skippedOverlap: 0, ...changes };
}

const plans = new Map([
  ['ten', planEvery('10s')],
  ['fifteen', planEvery('15s')],
  ['off', planEvery('10s', false)],
]);

async function ticksOf(events: InForceEvent[], states: Sight[], from: string, to: string): Promise<string[]> {
  const { ticks } = await listExpected({ periods: buildPeriods(events, states), plans }, ms(from), ms(to));
  return [...ticks.keys()].map((tick) => new Date(tick).toISOString().slice(11, 19));
}

describe('what was expected', () => {
  it('begins when the first revision was applied, and not before', async () => {
    expect(await ticksOf([applied('12:00:05', 'ten')], [], '11:59:00', '12:00:30')).toEqual(['12:00:10', '12:00:20']);
  });

  it('changes with the revision at the time that the server says, where somebody looked', async () => {
    const events = [applied('11:00:00', 'ten'), applied('12:00:40', 'fifteen')];
    const { cadence } = planEvery('15s').order;
    expect(await ticksOf(events, [seen('12:00:22', 'fifteen', { cadence })], '12:00:05', '12:01:05')).toEqual([
      '12:00:10',
      '12:00:20',
      '12:00:30',
      '12:00:45',
      '12:01:00',
    ]);
  });

  it('is only what both revisions have in the minute before a change that the journal alone tells of', async () => {
    const events = [applied('11:00:00', 'ten'), applied('12:01:05', 'fifteen')];
    expect(await ticksOf(events, [], '11:59:50', '12:01:20')).toEqual([
      '11:59:50',
      '12:00:00',
      '12:00:30',
      '12:01:00',
      '12:01:15',
    ]);
  });

  it('is nothing while the definition is off, retired or removed', async () => {
    const off = [applied('11:00:00', 'ten'), applied('12:00:00', 'off'), applied('12:02:00', 'ten')];
    expect(await ticksOf(off, [], '12:00:00', '12:02:20')).toEqual(['12:02:00', '12:02:10']);
    const retired: InForceEvent[] = [applied('11:00:00', 'ten'), { at: at('12:00:05'), kind: 'retired' }];
    expect(await ticksOf(retired, [], '11:59:00', '12:05:00')).toEqual(['11:59:00']);
    const returned: InForceEvent[] = [...retired, { at: at('12:04:45'), kind: 'returned' }];
    expect(await ticksOf(returned, [], '12:00:01', '12:05:00')).toEqual(['12:04:50']);
    const removed: InForceEvent[] = [applied('11:00:00', 'ten'), { at: at('12:00:05'), kind: 'removed' }];
    expect(await ticksOf(removed, [], '11:59:00', '12:05:00')).toEqual(['11:59:00']);
    expect(await ticksOf(removed, [seen('12:04:45', 'ten')], '12:00:01', '12:05:00')).toEqual(['12:04:50']);
  });

  it('follows what somebody changed on the server, from the time of that change on', async () => {
    const { cadence } = planEvery('15s').order;
    const drifted = seen('12:00:12', 'ten', { cadence });
    expect(await ticksOf([applied('11:00:00', 'ten')], [drifted], '12:00:00', '12:00:31')).toEqual([
      '12:00:00',
      '12:00:10',
      '12:00:15',
      '12:00:30',
    ]);
  });

  it('begins when somebody was seen to have put on by hand what is off, and ends when it was seen to be on last', async () => {
    const look = (firstSeen: string, lastSeen: string, enabled: boolean) =>
      seen('11:00:00', 'off', { firstSeen: at(firstSeen), lastSeen: at(lastSeen), enabled });
    const looks = [look('11:00:05', '12:00:00', false), look('12:00:30', '12:00:55', true)];
    const on = ['12:00:30', '12:00:40', '12:00:50'];
    const again = look('12:01:00', '12:01:00', true);
    expect(await ticksOf([], [...looks, again], '11:59:00', '12:01:11')).toEqual([...on, '12:01:00', '12:01:10']);
    const off = look('12:01:30', '12:01:30', false);
    expect(await ticksOf([], [...looks, off], '11:59:00', '12:02:00')).toEqual(on);
  });

  it('is said not to be known where the server has more ticks than it tells of', async () => {
    const states = [seen('11:00:00', 'ten')];
    const askServer = (fromMs: number) =>
      Promise.resolve(Array.from({ length: mostTicks }, (_, n) => fromMs + n * 1_000));
    const { ticks, faults } = await listExpected(
      { periods: buildPeriods([], states), plans, askServer },
      ms('12:00:00'),
      ms('12:00:00') + 2 * mostTicks * 1_000,
    );
    expect(ticks.size).toBe(mostTicks);
    expect(faults).toEqual([`it has more than ${mostTicks} ticks in this span; choose a shorter one`]);
  });

  it('is said not to be known where a revision cannot be read', async () => {
    const periods = buildPeriods([applied('11:00:00', 'unread')], []);
    expect(await listExpected({ periods, plans }, ms('12:00:00'), ms('12:01:00'))).toMatchObject({
      faults: ['the revision unread cannot be read by this version, so its ticks are not known'],
    });
  });
});

describe('a pause', () => {
  const pause = (since: string, note: string | undefined, notBefore?: string): JournaledPause => ({
    ...{ definitionId: 'test.timeline', actor: 'tester', since: at(since), note },
    ...(notBefore === undefined ? {} : { notBefore: at(notBefore) }),
  });
  const show = (changes: JournaledPause[]) =>
    buildPauses(changes).map(({ fromMs, sureMs, toMs, note }) => [
      ...[fromMs, sureMs].map((time) => new Date(time).toISOString().slice(11, 19)),
      ...[toMs === Infinity ? 'now' : new Date(toMs).toISOString().slice(11, 19), note],
    ]);

  it('lasts from its event to the one that ends it, or until now', () => {
    expect(show([pause('12:00:00', 'a'), pause('12:10:00', undefined), pause('12:20:00', '')])).toEqual([
      ['12:00:00', '12:00:00', '12:10:00', 'a'],
      ['12:20:00', '12:20:00', 'now', ''],
    ]);
  });

  it('that was only seen may have begun after the look before', () => {
    expect(show([pause('12:05:00', 'in the UI', '12:00:00'), pause('12:10:00', undefined, '12:05:00')])).toEqual([
      ['12:00:00', '12:05:00', '12:10:00', 'in the UI'],
    ]);
  });

  it('that gets another note goes on without a gap', () => {
    expect(show([pause('12:00:00', 'a'), pause('12:05:00', 'b', '12:04:00')])).toEqual([
      ['12:00:00', '12:00:00', '12:05:00', 'a'],
      ['12:05:00', '12:05:00', 'now', 'b'],
    ]);
  });
});
