import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../compiler/duration.ts';

test.each([
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['1d', 86_400_000],
  ['1m30s500ms', 90_500],
  ['0s', 0],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text, false)).toEqual({ ms });
});

test.each([
  ['30', 0, '`30` has no unit; expected a duration such as 30s, 5m, 1h30m', 'write 30s'],
  ['', 0, '`` is not a duration; expected a duration such as 30s, 5m, 1h30m', undefined],
  ['5 m', 0, '`5 m` is not a duration; expected a duration such as 30s, 5m, 1h30m', undefined],
  ['1h30x', 2, '`1h30x` is not a duration; expected a duration such as 30s, 5m, 1h30m', undefined],
  ['30m1h', 3, '`1h` is out of order; expected a duration such as 30s, 5m, 1h30m', undefined],
  ['5m5m', 2, '`5m` is out of order; expected a duration such as 30s, 5m, 1h30m', undefined],
  ['-5s', 0, '`-5s` is not a duration; expected a duration such as 30s, 5m, 1h30m', undefined],
  ['500ms', 0, '`500ms` is below a second; expected whole seconds such as 30s', undefined],
  ['9999999d', 0, '`9999999d` is longer than 366d', undefined],
])('%j is refused at offset %i', (text, offset, message, hint) => {
  expect(parseDuration(text, true)).toEqual({ fault: { offset, message, ...(hint === undefined ? {} : { hint }) } });
});

test('milliseconds written out are read back as they were', () => {
  const law = fc.property(fc.integer({ min: 0, max: 366 * 86_400_000 }), (ms) => {
    expect(parseDuration(formatDuration(ms), false)).toEqual({ ms });
  });
  fc.assert(law);
});
