import { forEachAtOnce } from '../schedules/each.ts';
import { applySweeps } from './definitions.ts';
import type { DrilledSweep } from './definitions.ts';
import { addUp, quantile } from './result.ts';
import type { Result } from './result.ts';
import { accountAll, playScene } from './scene.ts';
import type { DrillOptions } from './scene.ts';
import type { Stage } from './stage.ts';

const herdSize = 200;
const everyMs = 30_000;
const ticks = 4;
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
    scene.weigh();
    const lengthMs = Math.max(fewestTicks, Math.round(ticks * options.scale)) * everyMs;
    scene.say(`${herdSize} definitions, ${lengthMs / everyMs} ticks each`);
    await scene.wait(lengthMs);
    const accounts = await accountAll(scene, sweeps, sinceMs, false);
    const memory = scene.memory();
    await forEachAtOnce(sweeps, ({ id }) => stage.client.schedule.getHandle(id).delete());
    const { latenessMs, outcomes } = addUp(accounts);
    const p99 = quantile(latenessMs, 0.99);
    const unfired = (outcomes['missed'] ?? 0) + (outcomes['overlap_skipped'] ?? 0);
    const faults = [
      ...(unfired === 0 ? [] : [`the server did not start ${unfired} ticks`]),
      ...(isSpread && !(p99 < latestMs) ? [`p99 of the lateness is ${Math.round(p99)} ms`] : []),
    ];
    return { accounts, memory, notes: [describeLateness(latenessMs)], faults };
  });
}

function describeLateness(latenessMs: number[]): string {
  const at = (part: number) => `${(quantile(latenessMs, part) / 1_000).toFixed(2)} s`;
  return `late by ${at(0.5)} (p50), ${at(0.99)} (p99), ${at(1)} (most)`;
}
