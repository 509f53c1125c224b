import { expect, it } from 'vitest';
import { listDue } from '../../reconcile/due-ticks.ts';
import { defineSweep } from '../support/definitions.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const long = '2024-01-01T00:00:00.000Z';

type Retirements = Parameters<typeof listDue>[1]['retirements'];

/** What is due of a definition with a grace of 60 s and a hard timeout of 40 s, as `source since ticks`. */
function list(
  changes: Record<string, string>,
  { at = now, appliedAt = long, isFiring = true, retirements = [] as Retirements } = {},
): string[] {
  const definition = defineSweep('test.due', { schedule: '{ every: 1m }', ...changes });
  return listDue(definition, { appliedAt, isFiring, now: at, retirements }).map(
    ({ source, since, ticks }) => `${source} ${since.slice(0, 19)} ${ticks}`,
  );
}

it('the last tick is due when the grace and a minute are over, not before', () => {
  expect(list({})).toEqual(['activity-core 2026-11-21T11:57:00 1']);
  expect(list({}, { at: new Date(now.getTime() + 1) })).toEqual(['activity-core 2026-11-21T11:58:00 1']);
  expect(list({ misfire_grace: '10m' })).toEqual(['activity-core 2026-11-21T11:48:00 1']);
  expect(list({ schedule: '{ every: 1m, jitter: 30s }' })).toEqual(['activity-core 2026-11-21T11:57:00 1']);
});

it.each([
  ['{ cron: "0 3 * * *" }', '2026-11-21T03:00:00'],
  ['{ cron: "0 3 1 * *" }', '2026-11-01T03:00:00'],
  ['{ cron: "0 3 1 2 *" }', '2026-02-01T03:00:00'],
])('the last tick of %s is found however long ago it was', (schedule, since) => {
  expect(list({ schedule })).toEqual([`activity-core ${since} 1`]);
});

it('nothing is due of a time before it was applied, nor while it does not fire', () => {
  expect(list({}, { appliedAt: '2026-11-21T11:57:00.001Z' })).toEqual([]);
  expect(list({}, { appliedAt: '2026-11-21T11:57:00.000Z' })).toEqual(['activity-core 2026-11-21T11:57:00 1']);
  expect(list({}, { isFiring: false })).toEqual([]);
});

it('of an outside source the last three ticks are, whether our own schedule fires or not, and the run may have taken its time', () => {
  const sources = '{ local-timer: { every: 5m } }';
  const outside = 'local-timer 2026-11-21T11:45:00 3';
  expect(list({ sources })).toEqual(['activity-core 2026-11-21T11:57:00 1', outside]);
  expect(list({ sources }, { isFiring: false })).toEqual([outside]);
  expect(list({ sources }, { isFiring: false, appliedAt: '2026-11-21T11:45:00.001Z' })).toEqual([]);
});

it('of a source that is retired nothing is due, and once it may fire again only what comes after that', () => {
  const sources = '{ local-timer: { every: 5m }, other: { every: 5m } }';
  const retired = (revertedAt: string | null): string[] =>
    list({ sources }, { isFiring: false, retirements: [{ source: 'local-timer', revertedAt }] });
  const other = 'other 2026-11-21T11:45:00 3';
  expect(retired(null)).toEqual([other]);
  expect(retired('2026-11-21T11:44:00.000Z')).toEqual(['local-timer 2026-11-21T11:45:00 3', other]);
  expect(retired('2026-11-21T11:46:00.000Z')).toEqual([other]);
});
