import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatAccount } from '../../cli/audit-output.ts';
import { chooseColors } from '../../cli/output.ts';
import { createLedger } from '../../history/ledger.ts';
import { reconcile } from '../../reconcile/pass.ts';
import { surveyAll } from '../../reconcile/survey-all.ts';
import { addsUp } from '../../reconcile/survey.ts';
import { runOptions } from '../../schedules/desired.ts';
import { ensureSearchAttributes } from '../../schedules/search-attributes.ts';
import { workflowType } from '../../workflows/contract.ts';
import { makeReport, makeTick } from '../history/support/history.ts';
import { applyLongAgo } from '../support/applied-long-ago.ts';
import { eventually } from '../support/eventually.ts';
import { tellRun } from '../support/told-runs.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';

let runner: Runner;

beforeAll(async () => {
  runner = await startRunner();
  await ensureSearchAttributes(runner.connection, 'default');
});

afterAll(() => runner.close());

/** Half a minute past a tick, so that none comes due while a test runs. */
const now = new Date(Math.floor(Date.now() / 60_000) * 60_000 + 30_000);
const minute = (agoMinutes: number) => new Date(now.getTime() - 30_000 - agoMinutes * 60_000).toISOString();

const request = (id: string, at = now) => ({
  ...{ id, taskQueue: runner.taskQueue, settleMs: 0, now: at },
  from: new Date(at.getTime() - 3_600_000),
});

async function survey(id: string, at = now) {
  const [first] = await surveyAll(runner.client, runner.history, request(id, at));
  if (first === undefined) throw new Error(`nothing is known of ${id}`);
  return first.account;
}

describe('an outside source', () => {
  it('is expected from the first tick that it reported, and a late report takes the place of what was missed', async () => {
    const budget = '{ max_seconds: 30, hard_timeout: 40s }';
    const sources = '{ local-timer: { every: 60s }, laptop: { every: 60s } }';
    const { id, order } = await applyLongAgo(runner.history, { sources, budget });
    const report = (agoMinutes: number) => {
      const tick = { source: 'local-timer', trigger: 'external', actor: 'local-timer', workflowId: '' } as const;
      const firing = makeTick({ ...tick, scheduledAt: minute(agoMinutes) });
      return createLedger(runner.history).recordEnd(order, firing, makeReport({ trigger: 'external' }));
    };
    expect((await survey(id)).sources).toMatchObject([{ source: 'activity-core', expected: 0 }]);
    await report(10);
    await report(7);
    const account = await survey(id);
    expect(account.sources.map(({ source }) => source)).toEqual(['activity-core', 'local-timer']);
    expect(account.sources[1]).toMatchObject({ expected: 10, executions: null, rows: 2, outcomes: { completed: 2 } });
    expect(account.sources[1]?.differences).toHaveLength(8);
    expect(addsUp(account)).toBe(false);
    const pass = await reconcile(runner.client, runner.history, request(id));
    expect(pass).toMatchObject({ status: 'completed', written: { missed: 8 } });
    const missed = (await runner.runsOf(id)).find(({ scheduledAt }) => scheduledAt === minute(9));
    expect(missed).toMatchObject({
      ...{ outcome: 'missed', source: 'local-timer', trigger: 'external', certainty: 'concluded' },
      reason: 'no report of this tick came from local-timer',
    });
    expect(addsUp(await survey(id))).toBe(true);
    await report(9);
    const late = (await runner.runsOf(id)).find(({ id: runId }) => runId === missed?.id);
    expect(late).toMatchObject({ outcome: 'completed', certainty: 'witnessed' });
  });
});

/** All schedules have been looked at so recently that a pass goes an hour back. */
async function lookAt(at: Date): Promise<void> {
  await runner.history.query(
    `INSERT INTO actcore.schedule_states (definition_uuid, first_seen, last_seen, schedule_id, since, revision, enabled,
       cadence, paused, missed_catchup, skipped_overlap)
     VALUES (gen_random_uuid(), $1, $1, 'test.looked-at', $1, 'r', true, '{}', false, 0, 0)`,
    [at],
  );
}

describe('a pass that goes an hour back', () => {
  const reconcileBy = ({ id, taskQueue, settleMs }: ReturnType<typeof request>, at: Date) =>
    reconcile(runner.client, runner.history, { id, taskQueue, settleMs, now: at });

  it('judges ticks of an outside source whose runs may take longer than that', async () => {
    const changes = { sources: '{ local-timer: { every: 60s } }', budget: '{ max_seconds: 60, hard_timeout: 2h }' };
    const { id, order } = await applyLongAgo(runner.history, changes, 4);
    for (const agoMinutes of [175, 174]) {
      const tick = { source: 'local-timer', trigger: 'external', actor: 'local-timer', workflowId: '' } as const;
      const firing = makeTick({ ...tick, scheduledAt: minute(agoMinutes) });
      await createLedger(runner.history).recordEnd(order, firing, makeReport({ trigger: 'external' }));
    }
    await lookAt(now);
    expect(await reconcileBy(request(id), now)).toMatchObject({ written: { missed: 54 } });
    const missed = (await runner.runsOf(id)).filter(({ outcome }) => outcome === 'missed');
    expect(missed.map(({ scheduledAt }) => scheduledAt).sort()).toEqual(
      Array.from({ length: 54 }, (_, place) => minute(173 - place)),
    );
  });

  it('finds the end of a run that began before and was going then', async () => {
    const definition = await applyLongAgo(runner.history, {});
    const { id, order } = definition;
    const handle = await runner.client.workflow.start(workflowType, {
      ...runOptions(definition, 'manual', 'tester'),
      ...{ taskQueue: `${runner.taskQueue}-nobody`, workflowId: `${id}-long` },
      args: [order, { trigger: 'manual', actor: 'tester' }],
    });
    const { startTime } = await handle.describe();
    const between = new Date(startTime.getTime() + 1);
    await handle.terminate('it took too long');
    await eventually(async () => (await handle.describe()).status.name === 'TERMINATED');
    const at = new Date(between.getTime() + 3_600_000);
    await lookAt(at);
    await eventually(async () => {
      await reconcileBy(request(id), at);
      return (await runner.runsOf(id)).length > 0;
    });
    expect(await runner.runsOf(id)).toMatchObject([{ outcome: 'cancelled', scheduledAt: startTime.toISOString() }]);
  });
});

it('nothing is expected of a source from its retirement on, and what it reports all the same is in the account', async () => {
  const { history } = runner;
  const definition = await applyLongAgo(history, { sources: '{ local-timer: { every: 60s } }' });
  const { id, uuid } = definition;
  const at = (agoMinutes: number) => Date.parse(minute(agoMinutes));
  const retire = (retired: number, reverted: number | null) =>
    history.query(
      `INSERT INTO actcore.retired_sources (definition_uuid, source, retired_at, retired_by, successor, evidence, reverted_at, reverted_by)
       VALUES ($1, 'local-timer', $2, 'tester', 'activity-core', '{}', $3, $4)`,
      [uuid, minute(retired), reverted && minute(reverted), reverted && 'tester'],
    );
  for (const ago of [20, 19, 18, 17, 16, 15])
    await tellRun(history, definition, 'local-timer', at(ago), { outcome: 'completed' });
  await retire(18, 16);
  await retire(14, null);
  const account = await survey(id);
  const { sources } = account;
  const screen = { colors: chooseColors({}, {}), columns: undefined };
  expect(formatAccount(account, screen)).toMatch(/^local-timer \(retired\) /m);
  expect(sources[1]).toMatchObject({
    ...{ source: 'local-timer', expected: 6, rows: 6, differences: [] },
    retirement: { source: 'local-timer', successor: 'activity-core', retiredBy: 'tester', retiredAt: minute(14) },
  });
  await tellRun(history, definition, 'local-timer', at(5), { outcome: 'automation_error', flags: ['retired_source'] });
  expect((await survey(id)).sources[1]).toMatchObject({ expected: 7, rows: 7, differences: [] });
  await history.query(
    'UPDATE actcore.retired_sources SET reverted_at = $1, reverted_by = $2 WHERE reverted_at IS NULL',
    [minute(3), 'tester'],
  );
  const { sources: later } = await survey(id);
  expect(later[1]).not.toHaveProperty('retirement');
  expect(later[1]?.differences.map(({ scheduledAt }) => scheduledAt)).toEqual([minute(3), minute(2), minute(1)]);
});

describe('a run that nobody reported', () => {
  it('is cancelled where somebody terminated its workflow', async () => {
    const definition = await applyLongAgo(runner.history, {});
    const { id, order } = definition;
    const handle = await runner.client.workflow.start(workflowType, {
      ...runOptions(definition, 'manual', 'tester'),
      ...{
        taskQueue: `${runner.taskQueue}-nobody`,
        workflowId: `${id}-manual`,
        args: [order, { trigger: 'manual', actor: 'tester' }],
      },
    });
    await handle.terminate('it was a mistake');
    const lost = await eventually(async () => {
      const { byHand } = await survey(id, new Date());
      return byHand.differences[0];
    });
    expect(lost).toMatchObject({ kind: 'lost_row', known: 'the run ended and its row is not there' });
    await reconcile(runner.client, runner.history, request(id, new Date()));
    expect(await runner.runsOf(id)).toMatchObject([
      {
        ...{ outcome: 'cancelled', certainty: 'inferred', trigger: 'manual', actor: 'tester' },
        reason: 'the workflow was terminated in Temporal: it was a mistake',
      },
    ]);
    expect(addsUp(await survey(id))).toBe(true);
  });

  it('still says that it was only to look, so that it vouches for nothing', async () => {
    const definition = await applyLongAgo(runner.history, {});
    const { id, order } = definition;
    const handle = await runner.client.workflow.start(workflowType, {
      ...runOptions(definition, 'canary', 'tester'),
      ...{ taskQueue: `${runner.taskQueue}-nobody`, workflowId: `${id}-canary` },
      args: [order, { trigger: 'canary', actor: 'tester', dryRun: true }],
    });
    await handle.terminate();
    const firing = makeTick({ trigger: 'canary', scheduledAt: minute(20), workflowId: `${id}-gone`, dryRun: true });
    await createLedger(runner.history).recordStart(order, firing, { startedAt: minute(19), attempt: 1 });
    const found = await eventually(async () => {
      await reconcile(runner.client, runner.history, request(id, new Date()));
      const runs = await runner.runsOf(id);
      return runs.length === 2 && runs.every(({ outcome }) => outcome !== null) ? runs : undefined;
    });
    expect(found.map(({ outcome, isDryRun }) => [outcome, isDryRun])).toEqual([
      ['cancelled', true],
      ['automation_error', true],
    ]);
  });

  it('is of the definition that it ran, and not of the one that has its id by now', async () => {
    const definition = await applyLongAgo(runner.history, {});
    const { id, order } = definition;
    const handle = await runner.client.workflow.start(workflowType, {
      ...runOptions(definition, 'manual', 'tester'),
      ...{ taskQueue: `${runner.taskQueue}-nobody`, workflowId: `${id}-manual` },
      args: [order, { trigger: 'manual', actor: 'tester' }],
    });
    await handle.terminate();
    await eventually(async () => (await survey(id, new Date())).byHand.differences.length === 1);
    await applyLongAgo(runner.history, { uuid: randomUUID() }, 1, id);
    expect(await survey(id, new Date())).toMatchObject({ byHand: { executions: 0, differences: [] } });
  });

  it('is an automation error where its row says that it is going and its execution is gone', async () => {
    const { id, order } = await applyLongAgo(runner.history, {});
    const firing = makeTick({ scheduledAt: minute(20), workflowId: `${id}-gone` });
    await createLedger(runner.history).recordStart(order, firing, { startedAt: minute(19), attempt: 1 });
    expect((await survey(id)).sources[0]?.differences).toMatchObject([{ kind: 'unended_row' }]);
    await reconcile(runner.client, runner.history, request(id));
    expect(await runner.runsOf(id)).toMatchObject([
      {
        outcome: 'automation_error',
        certainty: 'inferred',
        exitCode: 1,
        startedAt: minute(19),
        workflowId: `${id}-gone`,
      },
    ]);
    expect(addsUp(await survey(id))).toBe(true);
  });
});
