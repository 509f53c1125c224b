import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { healthy, sendJson } from '../support/target.ts';
import { startTicking } from '../support/ticking.ts';

let runner: Runner;

beforeAll(async () => {
  runner = await startRunner();
  await runner.startWorker();
});

afterAll(async () => {
  await runner.client.schedule.getHandle('test.overlap').delete();
  await runner.close();
});

it('a sweep that runs over its interval makes the next ticks skip: it is never called twice at once', async () => {
  let running = 0;
  let mostAtOnce = 0;
  runner.target.answer = async (_, response) => {
    mostAtOnce = Math.max(mostAtOnce, ++running);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    running -= 1;
    sendJson(response, healthy);
  };
  await startTicking(runner, 'test.overlap', { schedule: '{ every: 2s }' });
  const runs = await eventually(
    async () => {
      const found = (await runner.runsOf('test.overlap')).filter(({ outcome }) => outcome === 'completed');
      return found.length >= 3 ? found : undefined;
    },
    { withinMs: 40_000 },
  );
  expect(mostAtOnce).toBe(1);
  const spans = runs
    .map((run) => [Date.parse(run.startedAt), Date.parse(run.finishedAt ?? '')] as const)
    .sort(([a], [b]) => a - b);
  for (const [index, [, end]] of spans.slice(0, -1).entries())
    expect(spans[index + 1]?.[0]).toBeGreaterThanOrEqual(end);
  const { info } = await runner.client.schedule.getHandle('test.overlap').describe();
  expect(info.numActionsSkippedOverlap).toBeGreaterThanOrEqual(4);
}, 60_000);
