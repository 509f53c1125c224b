import fc from 'fast-check';
import { expect, it } from 'vitest';
import { judgeNamedTick, placeStart } from '../../outside/place-start.ts';
import { defineSweep } from '../support/definitions.ts';

const quarters = cadenceOf('{ cron: "*/15 * * * *" }');
const nightly = cadenceOf('{ cron: "0 3 * * *", timezone: Europe/Berlin }');
const often = cadenceOf('{ every: 20s }');

function cadenceOf(source: string) {
  const { sources } = defineSweep('test.placed', { sources: `{ timer: ${source} }` });
  return sources['timer'];
}

const at = (time: string) => Date.parse(`2026-03-01T${time}Z`);

it.each([
  ['on its tick', quarters, '00:15:00', '00:15:00', undefined],
  ['within the tolerance after it', quarters, '00:15:59', '00:15:00', undefined],
  ['later than that', quarters, '00:17:00', '00:15:00', 'late'],
  ['half way to the next one', quarters, '00:22:30', '00:15:00', 'late'],
  ['nearer to the next one', quarters, '00:23:00', '00:23:00', 'between_ticks'],
  ['within the tolerance before a tick', quarters, '00:14:10', '00:15:00', undefined],
  ['hours late for a job of the night', nightly, '07:00:00', '02:00:00', 'late'],
  ['too far from any', nightly, '20:00:00', '20:00:00', 'between_ticks'],
  ['of a cadence shorter than the tolerance', often, '00:00:29', '00:00:20', undefined],
  ['nearer to the next of those', often, '00:00:31', '00:00:40', undefined],
  ['without a cadence', undefined, '00:15:00', '00:15:00', 'between_ticks'],
])('a start %s', (_, cadence, start, tick, oddity) => {
  const placed = placeStart(cadence, at(start), 60_000);
  expect(placed).toEqual({ tickMs: at(tick), ...(oddity === undefined ? {} : { oddity }) });
});

it('every start has a place, and what is not odd is within the tolerance of a tick', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: at('00:00:00'), max: at('23:59:59') }),
      fc.integer({ min: 0, max: 600_000 }),
      (start, tolerance) => {
        const { tickMs, oddity } = placeStart(quarters, start, tolerance);
        const isPlaced = oddity === 'between_ticks' ? tickMs === start : tickMs % 900_000 === 0;
        const isNear = oddity !== undefined || Math.abs(tickMs - start) <= tolerance;
        expect({ isPlaced, isNear }).toEqual({ isPlaced: true, isNear: true });
      },
    ),
  );
});

it('a tick that is named is taken, and said to be none where the source has no such tick', () => {
  const named = (tick: string, start: string) =>
    judgeNamedTick(quarters, { tickMs: at(tick), startMs: at(start), toleranceMs: 60_000 });
  expect(named('00:15:00', '00:15:30')).toEqual({ tickMs: at('00:15:00') });
  expect(named('00:15:00', '03:15:30')).toEqual({ tickMs: at('00:15:00'), oddity: 'late' });
  expect(named('00:16:00', '00:16:00')).toEqual({ tickMs: at('00:16:00'), oddity: 'between_ticks' });
});
