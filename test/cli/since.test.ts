import { expect, it } from 'vitest';
import { parseSince } from '../../cli/since.ts';

const now = new Date('2026-11-21T12:00:00Z');

it.each([
  ['30s', '2026-11-21T11:59:30.000Z'],
  ['90m', '2026-11-21T10:30:00.000Z'],
  ['72h', '2026-11-18T12:00:00.000Z'],
  ['7d', '2026-11-14T12:00:00.000Z'],
  ['2026-11-20', '2026-11-20T00:00:00.000Z'],
  ['2026-11-20T03:00', '2026-11-20T03:00:00.000Z'],
  ['2026-11-20T03:00:05Z', '2026-11-20T03:00:05.000Z'],
  ['2026-11-20T03:00+02:00', '2026-11-20T01:00:00.000Z'],
])('%s is %s, in any zone of the machine', (text, expected) => {
  expect(parseSince(text, now).toISOString()).toBe(expected);
});

it.each(['', '7', '7w', '-7d', 'yesterday', '2026', '2026-13-01', '20 Nov 2026', '1e3d', '999999999999d'])(
  '%j is refused',
  (text) => {
    expect(() => parseSince(text, now)).toThrow(/Expected a span/);
  },
);
