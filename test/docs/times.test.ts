import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { checkout } from '../support/program.ts';

/** What this reads of a Deployment. */
interface Deployment {
  kind: string;
  spec: {
    template: {
      spec: {
        terminationGracePeriodSeconds: number;
        containers: [{ env: { name: string; value?: string }[]; readinessProbe: { timeoutSeconds: number } }];
      };
    };
  };
}

const read = (file: string) => readFileSync(join(checkout, file), 'utf8');
const documents = parseAllDocuments(read('k8s/base/20-runtime.yaml')).map((one) => one.toJS() as Deployment);
const { spec } = documents.find(({ kind }) => kind === 'Deployment')!.spec.template;
const [container] = spec.containers;
/** A process goes five seconds after the end of its drain time. */
const leavesAfterSeconds = 5;
const secondsOf = (span = '') => Number(/^(\d+)s$/.exec(span)?.[1]);
const drain = 'ACTCORE_DRAIN_TIMEOUT';

it('whoever ends a worker waits longer than it drains, in the cluster and on one machine, as the docs say', () => {
  const drainSeconds = secondsOf(container.env.find(({ name }) => name === drain)?.value);
  expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(drainSeconds + leavesAfterSeconds);
  const { services } = parse(read('compose.yaml'), { merge: true }) as {
    services: { worker: { stop_grace_period: string; environment: Record<string, string> } };
  };
  const { worker } = services;
  expect(secondsOf(worker.stop_grace_period)).toBeGreaterThan(
    secondsOf(worker.environment[drain]) + leavesAfterSeconds,
  );
  expect(read('docs/worker.md')).toContain(
    `\`terminationGracePeriodSeconds: ${spec.terminationGracePeriodSeconds}\` for \`${drain}=${drainSeconds}s\``,
  );
});

it('the readiness probe gives /readyz the time that it may take', () => {
  expect(container.readinessProbe.timeoutSeconds).toBeGreaterThanOrEqual(5);
});
