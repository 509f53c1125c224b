import { applyAll } from '../schedules/apply-all.ts';
import { compileSchedule } from '../schedules/desired.ts';
import { listScheduleIds } from '../schedules/listing.ts';
import { createBare, defineMany, timeSteps, withServer } from './schedule-set.ts';

const count = 1_000;
const rounds = 2;
const taskQueue = 'bench';

/** What applying new definitions costs, listing before and reading back after included, beside bare creates of the same. */
export async function measureApply(): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    // Each side on a server of its own: what the one creates slows down the other.
    const bareMs = await withServer((client) => {
      const desired = defineMany('bench.apply', count).map((definition) => compileSchedule(definition, taskQueue));
      return timeSteps(() => createBare(client, desired));
    });
    const oursMs = await withServer((client) => {
      const definitions = defineMany('bench.apply', count);
      return timeSteps(async () => {
        const desired = definitions.map((definition) => compileSchedule(definition, taskQueue));
        const listed = new Set(await listScheduleIds(client));
        const changes = await applyAll(client, desired, { listed });
        if (!changes.every(({ action }) => action === 'create')) throw new Error('not all were created');
      });
    });
    console.log(
      `apply ${round}/${rounds}: ours ${Math.round(oursMs)} ms, ${count} bare creates ${Math.round(bareMs)} ms, ratio ${(oursMs / bareMs).toFixed(2)}`,
    );
  }
}
