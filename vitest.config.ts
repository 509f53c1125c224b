import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import LongFirst from './test/support/long-first.ts';

/** Tests of pure folders, without servers, processes and files of their own: they share their imports. */
const pure = [
  'test/compiler/!(cron-on-server).test.ts',
  'test/expressions/*.test.ts',
  'test/simulation/!(real-outage).test.ts',
  'test/ticks/!(next-ticks).test.ts',
];
const globalSetup = ['test/support/global-setup.ts'];

export default defineConfig({
  test: {
    // The native core of the Temporal SDK dislikes threads.
    pool: 'forks',
    // The program as it ships is run as it is.
    server: { deps: { external: [/\/dist\//] } },
    // Half of the time is waited for: an outage, a timeout, a server.
    maxWorkers: Math.max(2, availableParallelism() * 2),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 15_000,
    // Of no meaning but that a thing does come about: a machine may be busy.
    expect: { poll: { timeout: 20_000 } },
    sequence: { sequencer: LongFirst },
    retry: 0,
    reporters: ['default', './test/support/closing-line.ts'],
    projects: [
      { extends: true, test: { name: 'pure', include: pure, isolate: false } },
      {
        extends: true,
        test: {
          ...{ name: 'real', globalSetup },
          ...{ include: ['test/**/*.test.ts'], exclude: [...configDefaults.exclude, ...pure] },
        },
      },
    ],
  },
});
