import { expect, it } from 'vitest';
import { nameTrigger } from '../../activities/tick.ts';
import { makeTick } from '../history/support/history.ts';
import { defineSweep } from '../support/definitions.ts';

it('a firing by the Trigger button is named manual, and nothing else is renamed', () => {
  const { order } = defineSweep('test.named', { schedule: '{ cron: "*/15 * * * *" }' });
  const tick = makeTick({ scheduledAt: '2026-03-01T00:15:00.000Z' });
  expect(nameTrigger(order, tick)).toEqual(tick);
  const pressed = makeTick({ scheduledAt: '2026-03-01T00:15:07.000Z' });
  expect(nameTrigger(order, pressed)).toEqual({ ...pressed, trigger: 'manual', actor: 'temporal' });
  for (const trigger of ['canary', 'manual', 'external'] as const)
    expect(nameTrigger(order, { ...pressed, trigger })).toEqual({ ...pressed, trigger });
});
