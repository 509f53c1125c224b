import { availableParallelism, loadavg } from 'node:os';
import { forEachAtOnce } from '../schedules/each.ts';
import { applySweeps } from './definitions.ts';
import type { DrilledSweep } from './definitions.ts';
import { addUp, quantile } from './result.ts';
import type { Result } from './result.ts';
import { accountAll, playScene } from './scene.ts';
import type { DrillOptions } from './scene.ts';
import type { Stage } from './stage.ts';

const herdSize = 200;
const everyMs = 60_000;
const ticks = 3;
const fewestTicks = 2;
const spread = '20s';
/** Of the lateness against each one's own slot, in a herd that is spread. */
const latestMs = 1_000;

/** Many definitions on the same second, or spread over some: none of their ticks is lost by the server. */
export function playHerd(name: string, isSpread: boolean, stage: Stage, options: DrillOptions): Promise<Result> {
  return playScene(name, stage, options, async (scene) => {
    const sweeps = Array.from({ length: herdSize }, (_, index): DrilledSweep => {
      const budget = { maxSeconds: 10, hardTimeout: '20s' };
      const id = `drill.${name}.d${index}`;
      return { id, everyMs, budget, grace: '60s', ...(isSpread ? { spread } : {}) };
    });
    await scene.startWorker();
    await applySweeps(scene.around, sweeps);
    // The first full period begins when all of them are there.
    const sinceMs = Math.ceil(Date.now() / everyMs) * everyMs;
    await scene.wait(sinceMs - Date.now());
    const count = Math.max(fewestTicks, Math.round(ticks * options.scale));
    scene.say(`${herdSize} definitions, ${count} ticks each`);
    await scene.wait(everyMs);
    // It has had all of them once by now.
    scene.weigh();
    await scene.wait((count - 1) * everyMs);
    // A herd that goes on would leave the server little time for questions.
    const untilMs = Date.now();
    await forEachAtOnce(sweeps, ({ id }) => stage.client.schedule.getHandle(id).pause('the drill counts'));
    const accounts = await accountAll(scene, sweeps, { sinceMs, untilMs });
    const memory = scene.memory();
    const { latenessMs, outcomes } = addUp(accounts);
    const p99 = quantile(latenessMs, 0.99);
    const unfired = ['missed', 'paused', 'overlap_skipped'].reduce((sum, outcome) => sum + (outcomes[outcome] ?? 0), 0);
    const faults = [
      ...(unfired === 0
        ? []
        : [`the server did not start ${unfired} ticks, such as ${await quoteUnfired(stage, name)}`]),
      ...(isSpread && !(p99 < latestMs) ? [`p99 of the lateness is ${Math.round(p99)} ms`] : []),
    ];
    return { accounts, memory, notes: [`${describeLateness(latenessMs)}; ${describeLoad()}`], faults };
  });
}

/** Some of the reasons that the rows give. */
async function quoteUnfired({ history }: Stage, name: string): Promise<string> {
  const { rows } = await history.query<{ told: string }>(
    `SELECT definition_id || ' at ' || to_char(scheduled_at, 'HH24:MI:SS') || ': ' || reason AS told FROM actcore.runs
     WHERE definition_id LIKE $1 AND standing = -1 ORDER BY scheduled_at LIMIT 3`,
    [`drill.${name}.%`],
  );
  return rows.map(({ told }) => told).join('; ');
}

/** On a machine that others use, lateness says more of them. */
function describeLoad(): string {
  return `load ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores`;
}

function describeLateness(latenessMs: number[]): string {
  const at = (part: number) => `${(quantile(latenessMs, part) / 1_000).toFixed(2)} s`;
  return `late by ${at(0.5)} (p50), ${at(0.99)} (p99), ${at(1)} (most)`;
}
