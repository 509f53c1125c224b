import type { During, Outage } from './outage.ts';
import type { Scene } from './scene.ts';
import type { Behaviour } from './target.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;

/** Every fault of the drill that is one thing going wrong for a while. */
export const outages: Outage[] = [
  {
    ...{ name: 'worker-killed', workers: 1, lengthMs: 2 * minuteMs, mayGoUnheard: true },
    async strike(scene, lengthMs) {
      for (const worker of [...scene.workers]) await scene.killWorker(worker);
      await scene.wait(lengthMs);
      await scene.startWorker();
    },
    judge: ({ outcomes }) => judgeSilence(outcomes),
  },
  {
    ...{ name: 'worker-frozen', workers: 1, lengthMs: minuteMs, mayGoUnheard: true },
    async strike({ workers, wait }, lengthMs) {
      for (const worker of workers) worker.freeze();
      await wait(lengthMs);
      for (const worker of workers) worker.thaw();
    },
    judge: ({ outcomes }) => judgeSilence(outcomes),
  },
  {
    ...{ name: 'two-workers', workers: 2, lengthMs: minuteMs, mayGoUnheard: true },
    strike: strikeInTurn,
    judge: ({ calls }) => (calls.length > 0 ? undefined : 'nobody worked while one of two workers was away'),
  },
  {
    ...{ name: 'temporal-killed', workers: 1, lengthMs: 2 * minuteMs },
    async strike({ stage, wait }, lengthMs) {
      const restart = await stage.killTemporal();
      await wait(lengthMs);
      await restart();
    },
    judge: ({ outcomes }) => judgeSilence(outcomes),
  },
  {
    ...{ name: 'history-stopped', workers: 1, lengthMs: 2 * minuteMs },
    async strike({ stage, wait }, lengthMs) {
      const restart = await stage.stopPostgres();
      await wait(lengthMs);
      await restart();
    },
    judge: ({ calls }) => (calls.length > 0 ? undefined : 'no work was done while the history was away'),
  },
  behaveFor('target-hangs', 'hang', 'timed_out'),
  behaveFor('target-refuses', 'refuse', 'automation_error'),
  behaveFor('target-garbage', 'garbage', 'automation_error'),
  {
    ...behaveFor('target-200mb', 'huge', 'automation_error'),
    judge(during) {
      const sent = during.scene.target.hugeBytesSent();
      if (sent > 100 * 1_048_576) return `${sent} bytes of the huge answer were read`;
      return judgeOutcome(during, 'automation_error');
    },
  },
  {
    ...{ name: 'target-clock', workers: 1, lengthMs: minuteMs, retries: true },
    async strike({ target, wait }, lengthMs) {
      await target.behave('busy');
      for (const aheadMs of [hourMs, -hourMs]) {
        target.setClock(aheadMs);
        await wait(lengthMs / 2);
      }
      await target.behave('healthy');
    },
    judge: ({ outcomes }) =>
      outcomes.includes('automation_error') ? 'the clock of the target had runs given up' : undefined,
  },
];

/** Frozen for a while, then the other one killed: there is always one at work. */
async function strikeInTurn(scene: Scene, lengthMs: number): Promise<void> {
  const [first, second] = scene.workers;
  if (first === undefined || second === undefined) throw new Error('this takes two workers');
  first.freeze();
  await scene.wait(lengthMs / 2);
  first.thaw();
  await scene.killWorker(second);
  await scene.wait(lengthMs / 2);
  await scene.startWorker();
}

function behaveFor(name: string, behaviour: Behaviour, outcome: string): Outage {
  return {
    ...{ name, workers: 1, lengthMs: minuteMs },
    async strike({ target, wait }, lengthMs) {
      await target.behave(behaviour);
      await wait(lengthMs);
      await target.behave('healthy');
    },
    judge: (during) => judgeOutcome(during, outcome),
  };
}

/** What has its way cannot be told from what was not there by its outcomes alone. */
function judgeSilence(outcomes: During['outcomes']): string | undefined {
  const completed = outcomes.filter((outcome) => outcome === 'completed').length;
  return completed === 0 || completed < outcomes.length / 2 ? undefined : 'the fault did not show';
}

function judgeOutcome({ outcomes }: During, wanted: string): string | undefined {
  const other = outcomes.filter((outcome) => outcome !== wanted);
  if (outcomes.length > 0 && other.length <= outcomes.length / 2) return undefined;
  return `${wanted} was to be the outcome, and there are ${JSON.stringify(outcomes)}`;
}
