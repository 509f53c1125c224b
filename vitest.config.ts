import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import LongFirst from './test/support/long-first.ts';

const shared = {
  // The native core of the Temporal SDK dislikes threads.
  pool: 'forks' as const,
  testTimeout: 30_000,
  hookTimeout: 60_000,
  teardownTimeout: 15_000,
};

/** Those that talk to a Kubernetes API server, which takes both cores while it starts. */
const kubernetes = [
  'test/k8s/**/*.test.ts',
  'test/examples/kubernetes-job.test.ts',
  'test/activities/watchdog/kubernetes-scale.test.ts',
];

/** Installs and builds everything anew. */
const image = 'test/deploy/dockerfile.test.ts';

/** After all others. */
const last = { sequence: { groupOrder: 1 }, maxWorkers: 2 };

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    sequence: { sequencer: LongFirst },
    retry: 0,
    reporters: ['default', './test/support/closing-line.ts'],
    projects: [
      {
        test: {
          ...shared,
          name: 'all',
          // Half of the time is waited for: an outage, a timeout, a server.
          maxWorkers: Math.max(2, availableParallelism() * 2),
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...kubernetes, image],
        },
      },
      {
        test: {
          ...shared,
          name: 'kubernetes',
          include: kubernetes,
          globalSetup: ['test/k8s/control-plane/global-setup.ts'],
          // Each file has an API server of its own.
          setupFiles: ['test/k8s/control-plane/setup.ts'],
          ...last,
        },
      },
      { test: { ...shared, ...last, name: 'image', include: [image] } },
    ],
  },
});
