import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import LongFirst from './test/support/long-first.ts';

/** Tests of pure folders, without servers, processes and files of their own: they share their imports. */
const pure = ['comparison', 'compiler', 'expressions', 'importers', 'simulation', 'ticks'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);
/** Among them those that hold the folder against a real server. */
const served = ['compiler/cron-on-server', 'simulation/real-outage', 'ticks/next-ticks'].map(
  (name) => `test/${name}.test.ts`,
);

/** Those that talk to a Kubernetes API server, which takes both cores while it starts. */
const kubernetes = [
  'test/k8s/**/*.test.ts',
  'test/examples/kubernetes-job.test.ts',
  'test/activities/watchdog/kubernetes-scale.test.ts',
];

/** Installs and builds everything anew. */
const image = 'test/deploy/dockerfile.test.ts';

const shared = {
  // The native core of the Temporal SDK dislikes threads.
  pool: 'forks' as const,
  // The program as it ships is run as it is.
  server: { deps: { external: [/\/dist\//] } },
  testTimeout: 60_000,
  hookTimeout: 60_000,
  teardownTimeout: 15_000,
  // Of no meaning but that a thing does come about: a machine may be busy.
  expect: { poll: { timeout: 20_000 } },
};
/** Half of the time is waited for: an outage, a timeout, a server. */
const first = { ...shared, maxWorkers: Math.max(2, availableParallelism() * 2) };
/** After all others. */
const last = { ...shared, sequence: { groupOrder: 1 }, maxWorkers: 2 };

// The projects do not extend what is said for all: each would start the servers of the global set-up once more.
export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    sequence: { sequencer: LongFirst },
    retry: 0,
    reporters: ['default', './test/support/closing-line.ts'],
    projects: [
      {
        test: {
          ...first,
          name: 'real',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...pure, ...kubernetes, image],
        },
      },
      { test: { ...first, name: 'served', include: served } },
      { test: { ...first, name: 'pure', include: pure, exclude: served, isolate: false } },
      {
        test: {
          ...last,
          name: 'kubernetes',
          include: kubernetes,
          globalSetup: ['test/k8s/control-plane/global-setup.ts'],
          // Each file has an API server of its own.
          setupFiles: ['test/k8s/control-plane/setup.ts'],
        },
      },
      { test: { ...last, name: 'image', include: [image] } },
    ],
  },
});
