import { describe, expect, it, vi } from 'vitest';
import { findProcesses } from '../support/probe.ts';
import { addressesOf, startElsewhere } from '../support/stack-process.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

// Each starts a stack from sources in a process of its own.
vi.setConfig({ testTimeout: 150_000 });

describe('a process that ends without a stop', () => {
  it.for([
    ['by process.exit', 'process.exit(3);', undefined],
    ['by SIGINT', 'setInterval(() => {}, 1000);', 'SIGINT'],
    ['by SIGTERM', 'setInterval(() => {}, 1000);', 'SIGTERM'],
    ['by an exception', 'throw new Error("unforeseen");', undefined],
  ] as const)('%s takes its servers with it', async ([, onUp, signal]) => {
    const stateDir = makeTempFolder();
    const script = startElsewhere(stateDir, onUp);
    await addressesOf(script);
    if (signal) script.child.kill(signal);
    expect((await script.finished).code).not.toBe(0);
    await expect.poll(() => findProcesses(stateDir), { timeout: 30_000 }).toEqual([]);
  });
});

it.for(['once', 'on'] as const)('leaves a signal to a listener that was added with `%s`', async (method) => {
  const stateDir = makeTempFolder();
  const onUp = `process.${method}('SIGINT', () => setTimeout(() => stack.stop().then(() => process.exit(7)), 300));
    console.log('listening'); setInterval(() => {}, 1000);`;
  const script = startElsewhere(stateDir, onUp);
  await expect.poll(script.stdout, { timeout: 90_000 }).toContain('listening');
  script.child.kill('SIGINT');
  expect((await script.finished).code).toBe(7);
  expect(findProcesses(stateDir)).toEqual([]);
});
