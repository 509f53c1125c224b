import { expect, it } from 'vitest';
import { runIdOf, runNamespace } from '../../history/run-id.ts';
import { makeTick } from './support/history.ts';

const definition = '7c4e9a12-8f3b-4d5e-9c6a-1b2d3e4f5a6b';
const otherRun = '5d9a1f60-1c5a-4f6e-9b57-0f3f9f8f2b11';

it('the namespace is pinned: these ids are in histories', () => {
  expect(runNamespace).toBe('b1f0c4de-6a52-4d0f-9d2b-7f5f3c1e8a94');
  expect(runIdOf(definition, makeTick())).toBe('ba69a3d3-a7f5-5349-912e-17534e78c409');
  expect(runIdOf(definition, makeTick({ source: 'local-timer', trigger: 'external' }))).toBe(
    '526c18a1-ba2f-505b-bc49-032da9c15d78',
  );
  expect(runIdOf(definition, makeTick({ trigger: 'canary' }))).toBe('eda04806-4f10-57b8-ac39-9fbc781ce89c');
  expect(runIdOf(definition, makeTick({ trigger: 'manual' }))).toBe('9b96f943-4144-52bf-b163-bca3d7191495');
});

it('the same tick has the same id, whoever writes it, in whatever spelling of its time', () => {
  const id = runIdOf(definition, makeTick());
  const same = [
    makeTick({ workflowRunId: otherRun, workflowId: 'other', actor: 'someone' }),
    makeTick({ trigger: 'backfill' }),
    makeTick({ scheduledAt: '2026-03-01T00:15:00Z' }),
    makeTick({ scheduledAt: '2026-03-01T01:15:00+01:00' }),
  ];
  expect(same.map((firing) => runIdOf(definition, firing))).toEqual(same.map(() => id));
});

it('another definition, source or time is another run', () => {
  const firings = [makeTick(), makeTick({ source: 'local-timer' }), makeTick({ scheduledAt: '2026-03-01T00:15:01Z' })];
  const ids = [...firings.map((firing) => runIdOf(definition, firing)), runIdOf(otherRun, makeTick())];
  expect(new Set(ids).size).toBe(ids.length);
});

it.for(['manual', 'canary', 'notify'] as const)(
  'a firing by %s is named by its workflow run, not by its time',
  (trigger) => {
    const firing = makeTick({ trigger });
    const id = runIdOf(definition, firing);
    expect(runIdOf(definition, { ...firing, scheduledAt: '2026-03-01T00:15:09Z' })).toBe(id);
    expect(runIdOf(definition, { ...firing, workflowRunId: otherRun })).not.toBe(id);
    expect(id).not.toBe(runIdOf(definition, makeTick()));
  },
);
