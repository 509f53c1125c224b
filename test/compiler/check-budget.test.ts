import { expect, test } from 'vitest';
import { change, compile, listProblems } from './sample.ts';

const hint = 'a tick that comes while a run is going on is skipped; fire less often, or lower the budget';

function listFor(schedule: string, seconds: number): string[] {
  return listProblems(
    change('{ max_seconds: 300 }', `{ max_seconds: ${seconds} }`, change('{ cron: "0 3 * * *" }', schedule)),
  );
}

test.each([
  ['{ every: 5m }', '5m'],
  ['{ cron: "*/5 * * * *" }', '5m'],
  ['{ cron: "0,10,15 3 * * *" }', '5m'],
  ['{ cron: "58 0-22/2 * * *" }', '2h'],
  ['{ cron: "59 23 * * *" }', '1d'],
  ['{ cron: "0,55 0,23 * * *" }', '5m'],
])('a run that may outlast the interval of %s is warned of, and one that fits is not', (schedule, interval) => {
  const seconds = { '5m': 300, '2h': 7_200, '1d': 86_400 }[interval] ?? 0;
  expect(listFor(schedule, seconds)).toEqual([]);
  if (seconds === 86_400) return;
  const budget = interval === '5m' ? '5m1s' : '2h1s';
  expect(listFor(schedule, seconds + 1)).toEqual([
    `a.md:7:24: warning: a run may take ${budget} and the next is due after ${interval} -> ${hint}`,
  ]);
});

test.each(['{ cron: "0 1,22 * * 1" }', '{ cron: "0 1,22 1,15 * *" }', '{ cron: "0 3 1 1 *" }'])(
  'the days of %s do not follow one another, so its last firing is not followed by its first',
  (schedule) => {
    expect(listFor(schedule, 75_600)).toEqual([]);
  },
);

test.each(['{ cron: "0 1,22 * * SAT,SUN" }', '{ cron: "0 1,22 1,31 * *" }'])(
  'days of %s follow one another',
  (schedule) => {
    expect(listFor(schedule, 75_600)).toEqual([
      `a.md:7:24: warning: a run may take 21h and the next is due after 3h -> ${hint}`,
    ]);
  },
);

test('it is a warning: a budget is a limit and not what a run takes', () => {
  expect(compile(change('{ cron: "0 3 * * *" }', '{ every: 1m }')).definitions).toHaveLength(1);
});
