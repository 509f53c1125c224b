import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** The tests that mostly wait, longest first: begun last, they would be waited for by idle workers. */
const long = [
  'bridge',
  'real-outage',
  'server-outage',
  'worker-outage',
  'outages',
  'reconcile',
  'resume',
  'lost-worker',
  'half-failed',
  'prune',
  'try',
  'unreachable',
  'revisions',
  'plan-apply',
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
