import { expect, it } from 'vitest';
import { compareTicks } from '../../importers/compare-ticks.ts';

const at = (text: string) => Date.parse(text);
const days = (time: string, count = 5) => Array.from({ length: count }, (_, day) => at(`2027-03-2${day + 5}T${time}Z`));

it('two lists that are the same have no difference, and no cause', () => {
  expect(compareTicks(days('04:00'), days('04:00'), 'UTC')).toEqual({ missing: [], extra: [] });
});

it('what only one of them has is told, whichever it is', () => {
  const [first = 0, second = 0, ...rest] = days('04:00');
  expect(compareTicks([first, ...rest], [second, ...rest], 'UTC')).toEqual({ missing: [first], extra: [second] });
});

it('moved clocks are the cause where they are near all of it, and not where one is far', () => {
  const moved = compareTicks([at('2027-03-28T01:00Z')], [at('2027-03-28T01:30Z')], 'Europe/Berlin');
  expect(moved.cause).toBe('the clocks of Europe/Berlin are moved on 2027-03-28');
  const far = compareTicks([at('2027-03-28T01:00Z'), at('2027-05-01T01:00Z')], [], 'Europe/Berlin');
  expect(far).toMatchObject({ missing: { length: 2 } });
  expect(far).not.toHaveProperty('cause');
});

it('seconds are the cause where every firing is earlier by as many', () => {
  const { cause } = compareTicks(days('04:00:17'), days('04:00:00'), 'UTC');
  expect(cause).toBe('each firing of the definition is 17 s before that of the original');
});
