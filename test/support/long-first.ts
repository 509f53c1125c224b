import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** The tests that mostly wait, longest first: begun last, they would be waited for by idle workers. */
const long = [
  'bridge',
  'real-outage',
  'resume',
  'server-outage',
  'worker-outage',
  'unreachable',
  'lost-worker',
  'outages',
  'reconcile',
  'half-failed',
  'stack',
  'watchdog-ends',
  'cron-on-server',
  'dev',
  'stack-ends',
  'overlap',
  'state-hub-sweep',
  'state-hub-process',
  'export',
  'try',
  'state-hub-rules',
];

/** Begins the long tests first; the rest in vitest's own order. */
export default class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((left, right) => rank(left) - rank(right));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const place = long.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
  return place === -1 ? long.length : place;
}
