import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** The tests that mostly wait, longest first. */
const long = [
  'real-outage',
  'resume',
  'server-outage',
  'worker-outage',
  'unreachable',
  'bridge',
  'lost-worker',
  'outages',
  'drain',
  'reconcile',
  'cron-on-server',
  'half-failed',
  'stack',
  'watchdog-ends',
  'dev',
  'stack-ends',
  'overlap',
  'state-hub-sweep',
  'state-hub-process',
  'state-hub-rules',
];

/** So many others are begun for each long one, so that the cores have work while those wait. */
const othersEach = 3;

/** Begins the long tests early, for begun last they would be waited for by idle workers; the rest in vitest's own order. */
export default class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const waiting = sorted.filter((file) => rank(file) < long.length).sort((one, other) => rank(one) - rank(other));
    const others = sorted.filter((file) => rank(file) === long.length);
    const mixed = waiting.flatMap((file) => [file, ...others.splice(0, othersEach)]);
    return [...mixed, ...others];
  }
}

function rank({ moduleId }: TestSpecification): number {
  const place = long.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
  return place === -1 ? long.length : place;
}
