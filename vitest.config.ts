import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import LongFirst from './test/support/long-first.ts';

/** Tests of pure folders, without servers, processes and files of their own: they share their imports. */
const pure = [
  'test/comparison/*.test.ts',
  'test/compiler/!(cron-on-server).test.ts',
  'test/expressions/*.test.ts',
  'test/importers/!(cronjob-corpus|exec-wrapping|systemd-corpus).test.ts',
  'test/simulation/!(real-outage).test.ts',
  'test/ticks/!(next-ticks).test.ts',
];

/** Those that talk to a Kubernetes API server, which takes both cores while it starts. */
const kubernetes = [
  'test/k8s/**/*.test.ts',
  'test/examples/kubernetes-job.test.ts',
  'test/activities/watchdog/kubernetes-scale.test.ts',
  'test/importers/cronjob-corpus.test.ts',
];

/** Installs and builds everything anew. */
const image = 'test/deploy/dockerfile.test.ts';

const servers = 'test/support/global-setup.ts';
/** After all others. */
const last = { sequence: { groupOrder: 1 }, maxWorkers: 3 };

export default defineConfig({
  test: {
    // The native core of the Temporal SDK dislikes threads.
    pool: 'forks',
    // The program as it ships is run as it is.
    server: { deps: { external: [/\/dist\//] } },
    // Half of the time is waited for: an outage, a timeout, a server.
    maxWorkers: availableParallelism() * 2 + 1,
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
          name: 'real',
          globalSetup: [servers],
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...pure, ...kubernetes, image],
        },
      },
      {
        extends: true,
        test: {
          ...last,
          name: 'kubernetes',
          include: kubernetes,
          globalSetup: [servers, 'test/k8s/control-plane/global-setup.ts'],
          // Each file has an API server of its own.
          setupFiles: ['test/k8s/control-plane/setup.ts'],
        },
      },
      { extends: true, test: { ...last, name: 'image', globalSetup: [servers], include: [image] } },
    ],
  },
});
