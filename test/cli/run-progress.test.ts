import { expect, it } from 'vitest';
import { createProgressPrinter, formatProgress } from '../../cli/run-progress.ts';

it('a fan-out shows a bar, how many of its targets are done, and how many failed', () => {
  const of = (done: number, total: number, failed = 0) =>
    formatProgress(
      {
        stage: 'calling targets',
        targets: { total, completed: done - failed, failed, lockSkipped: 0, notReached: total - done },
      },
      65_000,
    );
  expect(of(0, 200)).toBe(`${'░'.repeat(24)} 0 of 200 targets, calling targets, 1m 05s`);
  expect(of(100, 200, 3)).toBe(
    `${'█'.repeat(12)}${'░'.repeat(12)} 100 of 200 targets, 3 failed, calling targets, 1m 05s`,
  );
  expect(of(200, 200)).toBe(`${'█'.repeat(24)} 200 of 200 targets, calling targets, 1m 05s`);
  expect(of(0, 0)).toContain(`${'█'.repeat(24)} 0 of 0 targets`);
});

it('a run without targets shows its stage', () => {
  expect(formatProgress({ stage: 'waiting for the target' }, 700)).toBe('waiting for the target, 0.7s');
});

it('where no terminal is, a line stands every ten seconds', () => {
  let now = 0;
  const printed: string[] = [];
  const output = {
    progress: (text: string) => printed.push(`progress ${text}`),
    note: (text: string) => printed.push(text),
  };
  const print = createProgressPrinter(output, { isTerminal: false, now: () => now });
  for (; now <= 30_000; now += 1_000) print(`at ${now}`);
  expect(printed).toEqual(['at 10000', 'at 20000', 'at 30000']);
});

it('on a terminal every state replaces the one before', () => {
  const printed: string[] = [];
  const output = { progress: (text: string) => printed.push(text), note: () => expect.unreachable() };
  const print = createProgressPrinter(output, { isTerminal: true, now: () => 0 });
  for (const text of ['a', 'b']) print(text);
  expect(printed).toEqual(['a', 'b']);
});
