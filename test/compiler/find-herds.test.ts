import { expect, test } from 'vitest';
import { compileFiles } from '../../compiler/compile-files.ts';
import { renderProblem } from '../../compiler/problem.ts';
import { change } from './sample.ts';

function lint(count: number, schedule: string, keys = 'enabled: true'): string[] {
  const files = Array.from({ length: count }, (_, index) => {
    const text = change('owner: team', `owner: team\n${keys}`, change('{ cron: "0 3 * * *" }', schedule));
    return { file: `${100 + index}.md`, text: text.replace('nightly-sweep', `nightly-sweep-${index}`) };
  });
  return compileFiles(files, { now: new Date('2026-11-21') }).problems.map((problem) => renderProblem(problem));
}

test('more than 20 definitions at one second are told once, with a way out', () => {
  expect(lint(21, '{ cron: "0 3 * * 1" }')).toEqual([
    '100.md:2:5: warning: 21 definitions fire at the same second, such as Mondays 03:00 UTC, this one among them\n  hint: give them `spread: 30s`: each gets a second of its own, always the same',
  ]);
});

test.each([
  ['{ every: 2h, timezone: Asia/Kolkata }', 'Sundays 00:00'],
  ['{ every: 10m }', 'Sundays 00:00'],
  ['{ every: 168h }', 'Thursdays 00:00'],
])('so are intervals, which are counted from the epoch: %s', (schedule, when) => {
  expect(lint(21, schedule)).toEqual([
    expect.stringContaining(`21 definitions fire at the same second, such as ${when} UTC`) as string,
  ]);
});

test.each([
  ['20 of them', 20, '{ cron: "0 3 * * 1" }', 'enabled: true'],
  ['spread ones', 40, '{ cron: "0 3 * * 1", spread: 59s }', 'enabled: true'],
  ['spread intervals', 40, '{ every: 30m, spread: 5m }', 'enabled: true'],
  ['ones that are not enabled', 40, '{ cron: "0 3 * * 1" }', 'enabled: false'],
])('%s are no herd', (_name, count, schedule, keys) => {
  expect(lint(count, schedule, keys).length).toBe(0);
});
