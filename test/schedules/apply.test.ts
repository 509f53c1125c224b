import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { applySchedule, planSchedule } from '../../schedules/apply.ts';
import { compileSchedule } from '../../schedules/desired.ts';
import { observeSchedule } from '../../schedules/observe.ts';
import { defineSweep } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';

let runner: Runner;
const id = `test.law-${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  runner = await startRunner();
});
afterAll(async () => {
  await runner.client.schedule.getHandle(id).delete();
  await runner.close();
});

const timing = fc.oneof(
  fc.constantFrom('cron: "*/15 * * * *"', 'cron: "30 4 13 * 5"', 'cron: "0 9-17/2 * * MON-FRI"', 'cron: "@monthly"'),
  fc.integer({ min: 2, max: 5_000 }).map((seconds) => `every: ${seconds}s`),
);
const limits = fc.record({
  jitter: fc.option(fc.integer({ min: 1, max: 30 }).map((seconds) => `jitter: ${seconds}s`)),
  spread: fc.option(fc.constant('spread: 10s')),
  start: fc.option(fc.constantFrom('start: 2027-01-01T00:00:00Z', 'start: 2027-06-01')),
  end: fc.option(fc.constantFrom('end: 2030-01-01T00:00:00Z', 'end: 2031-06-01')),
  skip: fc.option(fc.constantFrom('skip: ["2027-12-24", "2028-02-29"]', 'skip: ["2027-01-01"]')),
  timezone: fc.constantFrom('timezone: UTC', 'timezone: Asia/Kolkata'),
});
const definitions = fc
  .tuple(timing, limits, fc.boolean(), fc.string({ minLength: 1, maxLength: 40 }))
  .map(([when, more, enabled, title]): Frontmatter => {
    const parts = [when, ...Object.values(more).filter((part) => part !== null)];
    return { schedule: `{ ${parts.join(', ')} }`, enabled: String(enabled), title: JSON.stringify(`t ${title}`) };
  });

/** Some of the generated are not allowed (a spread wider than the interval, say); only those that are count. */
function compile(changes: Frontmatter) {
  try {
    return compileSchedule(defineSweep(id, changes), runner.taskQueue);
  } catch {
    return undefined;
  }
}

it('plan after apply is empty, and what the server stored reads back as what was sent, whatever was there before', async () => {
  let applied = 0;
  await fc.assert(
    fc.asyncProperty(definitions, async (changes) => {
      const desired = compile(changes);
      fc.pre(desired !== undefined);
      await applySchedule(runner.client, desired);
      expect(await planSchedule(runner.client, desired)).toMatchObject({ action: 'unchanged', fields: [] });
      const stored = await observeSchedule(runner.client, id);
      expect(stored?.cadence).toEqual(desired.order.cadence);
      expect(stored?.order).toEqual(desired.order);
      applied += 1;
    }),
    { numRuns: 40 },
  );
  expect(applied).toBe(40);
}, 120_000);

it('a runbook that is too long for the server is cut, and the cut does not depend on where the file lies', async () => {
  const definition = defineSweep(id);
  const long = { ...definition, runbook: 'ä'.repeat(15_000) };
  const [here, there] = ['a/b/x.md', '/elsewhere/x.md'].map((file) => compileSchedule({ ...long, file }, 'q'));
  expect(here?.digest).toBe(there?.digest);
  expect(Buffer.byteLength(here?.options.action.staticDetails ?? '')).toBeLessThanOrEqual(20_000);
  await applySchedule(runner.client, compileSchedule(long, runner.taskQueue));
  expect((await observeSchedule(runner.client, id))?.runbook).toMatch(/ä\n\n… the rest is in \S+\.md$/);
});

it('a person who pauses between the plan and the write is not overruled', async () => {
  await applySchedule(runner.client, compileSchedule(defineSweep(id, { enabled: 'true' }), runner.taskQueue));
  const changed = compileSchedule(defineSweep(id, { title: 'Other' }), runner.taskQueue);
  const handle = runner.client.schedule.getHandle(id);
  const getHandle = runner.client.schedule.getHandle.bind(runner.client.schedule);
  let calls = 0;
  // The pause arrives after the first look of apply: describe is asked once for the plan.
  runner.client.schedule.getHandle = (name) => {
    const real = getHandle(name);
    return calls++ === 0
      ? {
          ...real,
          describe: async () => {
            const seen = await real.describe();
            await handle.pause('stop now');
            return seen;
          },
        }
      : real;
  };
  try {
    await applySchedule(runner.client, changed);
  } finally {
    runner.client.schedule.getHandle = getHandle;
  }
  expect(await observeSchedule(runner.client, id)).toMatchObject({
    paused: true,
    note: 'stop now',
    order: { definition: { title: 'Other' } },
  });
});
