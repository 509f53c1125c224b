import { planAll } from '../schedules/apply-all.ts';
import { compileSchedule } from '../schedules/desired.ts';
import { listScheduleIds } from '../schedules/listing.ts';
import { surveyOrphans } from '../schedules/orphans.ts';
import { createBare, defineMany, describeBare, isUnchanged, timeSteps, withServer } from './schedule-set.ts';

const count = 1_000;
const rounds = 3;
const taskQueue = 'bench';

/** What a plan of unchanged definitions costs beside describing the same schedules with the bare client. */
export async function measurePlan(): Promise<void> {
  await withServer(async (client) => {
    const definitions = defineMany('bench.plan', count);
    const desired = definitions.map((definition) => compileSchedule(definition, taskQueue));
    await createBare(client, desired);
    for (let round = 1; round <= rounds; round++) {
      const bareMs = await timeSteps(() => describeBare(client, desired));
      const oursMs = await timeSteps(async () => {
        const wanted = definitions.map((definition) => compileSchedule(definition, taskQueue));
        const defined = new Set(wanted.map(({ id }) => id));
        const [, changes] = await Promise.all([
          listScheduleIds(client).then((listed) => surveyOrphans(client, { listed, defined, taskQueue })),
          planAll(client, wanted),
        ]);
        if (!changes.every(isUnchanged)) throw new Error('a plan of what was just applied is not empty');
      });
      console.log(
        `plan ${round}/${rounds}: ours ${Math.round(oursMs)} ms, ${count} bare describes ${Math.round(bareMs)} ms, ratio ${(oursMs / bareMs).toFixed(2)}`,
      );
    }
  });
}
