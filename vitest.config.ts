import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import LongFirst from './test/support/long-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // The native core of the Temporal SDK dislikes threads.
    pool: 'forks',
    // Half of the time is waited for: an outage, a timeout, a server.
    maxWorkers: Math.max(2, availableParallelism() * 2),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 15_000,
    sequence: { sequencer: LongFirst },
    retry: 0,
    reporters: ['default', './test/support/closing-line.ts'],
  },
});
