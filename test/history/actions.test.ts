import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLedger } from '../../history/ledger.ts';
import { findRun } from '../../history/queries.ts';
import { runIdOf } from '../../history/run-id.ts';
import { createWatchLedger } from '../../history/watch-ledger.ts';
import type { WatchLedger, WatchRun } from '../../history/watch-ledger.ts';
import type { ActionRecord } from '../../workflows/contract.ts';
import { makeOrder, makeReport, makeTick, openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';
import { followUp, makeAction, makeCheckReport, makeObservation, makeRun } from './support/watch.ts';

let history: TestHistory;
let ledger: WatchLedger;

beforeAll(async () => {
  history = await openTestHistory();
  ledger = createWatchLedger(history.pool);
});

afterAll(() => history.close());

async function prepare(run: WatchRun, actions: ActionRecord[], xid?: string): Promise<string> {
  const id = randomUUID();
  await ledger.prepare({ id, run, systemIdentifier: '7301', actions, ...(xid === undefined ? {} : { xid }) });
  return id;
}

/** The triplets of a definition with the fate of their batch, by key. */
async function readActions({ definitionUuid }: WatchRun) {
  const { rows } = await history.pool.query<Record<string, string | null>>(
    `SELECT finding_key AS key, outcome, fate, before::text, after::text, decision::text, error
     FROM actcore.actions AS action LEFT JOIN actcore.action_batches AS batch ON batch.id = batch_id
     WHERE action.definition_uuid = $1 ORDER BY finding_key, recorded_at, action.id`,
    [definitionUuid],
  );
  return rows;
}

async function readJournal({ runId }: WatchRun) {
  const { rows } = await history.pool.query<Record<string, string | null>>(
    `SELECT entity_type, entity_id, field, action, old_value::text, new_value::text, actor, source, workspace
     FROM actcore.journal WHERE workspace = 'run ' || $1 ORDER BY event_id`,
    [runId],
  );
  return rows;
}

it('triplets wait as unsettled, and count and are journaled once somebody says that they committed', async () => {
  const run = makeRun();
  const action = makeAction('[1]');
  const id = await prepare(run, [action, makeAction('[2]', { outcome: 'failed', error: 'no\0t' })], '742');
  expect(await ledger.listUnsettled(run.definitionUuid)).toEqual([
    { id, systemIdentifier: '7301', xid: '742', preparedAt: expect.stringMatching(/Z$/) },
  ]);
  expect(await readJournal(run)).toEqual([]);
  await ledger.settle(id, 'committed');
  for (const late of ['committed', 'aborted'] as const) await ledger.settle(id, late);
  expect(await ledger.listUnsettled(run.definitionUuid)).toEqual([]);
  const [cured, failed] = await readActions(run);
  expect(cured).toEqual({
    ...{ key: '[1]', outcome: 'cured', fate: 'committed', before: action.before, after: action.after },
    ...{ decision: action.decision, error: null },
  });
  expect(failed).toMatchObject({ outcome: 'failed', fate: 'committed', error: 'no\uFFFDt' });
  expect(await readJournal(run)).toEqual([
    {
      ...{ entity_type: 'finding', entity_id: 'test.watchdog/stale/[1]', field: 'mark as stale', action: 'update' },
      ...{ old_value: action.before, new_value: action.after },
      ...{ actor: 'schedule', source: 'watchdog', workspace: `run ${run.runId}` },
    },
  ]);
});

it('twenty who settle one batch at once journal it once, and what aborted never is', async () => {
  const run = makeRun();
  const id = await prepare(run, [makeAction('[1]')], '742');
  await Promise.all(Array.from({ length: 20 }, () => ledger.settle(id, 'committed')));
  expect(await readJournal(run)).toHaveLength(1);
  const aborted = await prepare(run, [makeAction('[2]')], '743');
  await ledger.settle(aborted, 'aborted');
  await ledger.settle(aborted, 'committed');
  expect(await readJournal(run)).toHaveLength(1);
  expect((await readActions(run)).map(({ fate }) => fate)).toEqual(['committed', 'aborted']);
});

it('an action that is told again is one row that says the last word, until it is committed', async () => {
  const run = makeRun();
  const intent = makeAction('[1]', { outcome: 'failed', error: 'nobody knows how it ended', after: null });
  const first = await prepare(run, [intent]);
  const sent = { ...intent, outcome: 'sent', after: '{"status":202}' } as const;
  const { error: _error, ...told } = sent;
  const second = await prepare(run, [told]);
  expect((await ledger.listUnsettled(run.definitionUuid)).map(({ id }) => id)).toEqual([second]);
  await ledger.settle(first, 'aborted');
  await ledger.settle(second, 'committed');
  const third = await prepare(run, [intent]);
  await ledger.settle(third, 'committed');
  expect(await readActions(run)).toMatchObject([{ outcome: 'sent', fate: 'committed', error: null }]);
  expect(await readJournal(run)).toMatchObject([{ action: 'update', new_value: '{"status":202}' }]);
});

it('a finding is proposed once in each of its episodes, and again by other parameters', async () => {
  const run = makeRun();
  const propose = async (of: WatchRun, changes: Partial<ActionRecord> = {}) => {
    const record = makeAction('[1]', { outcome: 'proposed', mode: 'dry_run', after: null, ...changes });
    await ledger.settle(await prepare(of, [record]), 'committed');
  };
  const see = (of: WatchRun, keys: string[]) => ledger.observe(of, [makeObservation(keys, { mode: 'dry_run' })]);
  const runs = [run, followUp(run), followUp(run, 2), followUp(run, 3)] as const;
  await propose(runs[0]);
  await see(runs[0], ['[1]']);
  await propose(runs[1]);
  await see(runs[1], ['[1]']);
  expect(await readActions(run)).toHaveLength(1);
  await propose(runs[1], { decision: '{"parameters": {"hours": 4}}' });
  expect(await readActions(run)).toHaveLength(2);
  await see(runs[2], []);
  await propose(runs[3]);
  expect(await readActions(run)).toHaveLength(3);
  expect(await ledger.listUnsettled(run.definitionUuid)).toEqual([]);
  expect(await readJournal(run)).toEqual([]);
});

it('what was acted on within the cooldown is known before any run has observed it, and when it is cured; what aborted is not', async () => {
  const run = makeRun();
  const at = new Date().toISOString();
  await prepare(run, [makeAction('["sent"]', { outcome: 'failed', at })]);
  await ledger.settle(await prepare(run, [makeAction('["not sent"]', { outcome: 'failed', at })]), 'aborted');
  await ledger.settle(await prepare(run, [makeAction('["cured"]', { at })], '742'), 'committed');
  await ledger.settle(await prepare(run, [makeAction('["other"]', { at, checkName: 'other' })], '743'), 'committed');
  const known = { checkName: 'stale', state: 'open', lastActionAt: at, failedRuns: 0 };
  const read = async (cooldownMs: number) => {
    const cooldowns = [
      { checkName: 'stale', cooldownMs },
      { checkName: 'other', cooldownMs: 0 },
    ];
    const findings = await ledger.readFindings(run.definitionUuid, cooldowns);
    return findings.toSorted((a, b) => a.key.localeCompare(b.key));
  };
  const both = [
    { ...known, key: '["cured"]' },
    { ...known, key: '["sent"]' },
  ];
  expect(await read(3_600_000)).toEqual(both.map((one) => ({ ...one, openedAt: at })));
  expect(await read(0)).toEqual([]);
  await ledger.observe(run, [
    makeObservation([
      { key: '["sent"]', outcome: 'sent' },
      { key: '["cured"]', outcome: 'cured' },
    ]),
  ]);
  expect(await read(3_600_000)).toMatchObject(both);
  expect(await read(0)).toMatchObject([{ ...known, key: '["sent"]' }]);
});

it('actions that rode along with the report are kept and journaled once, whatever had arrived before', async () => {
  const order = makeOrder();
  const firing = makeTick();
  const { id: definitionId, uuid: definitionUuid } = order.definition;
  const run = makeRun(0, { definitionId, definitionUuid, runId: runIdOf(definitionUuid, firing), ...firing });
  const actions = [makeAction('[1]'), makeAction('[2]'), makeAction('[3]', { outcome: 'failed', error: 'no' })];
  const checks = [makeCheckReport({ findings: 3, cured: 2, failed: 1 })];
  const [first] = actions;
  // It arrived, and the answer was lost.
  const pending = await prepare(run, first === undefined ? [] : [first], '742');
  const writer = createLedger(history.pool);
  const report = makeReport({ actions, checks });
  const told = await Promise.all(Array.from({ length: 5 }, () => writer.recordEnd(order, firing, report)));
  for (const one of told) expect(one).not.toHaveProperty('actions');
  await ledger.settle(pending, 'committed');
  expect((await readActions(run)).map(({ key, fate }) => `${key} ${fate}`)).toEqual([
    ...['[1] committed', '[2] committed', '[3] committed'],
  ]);
  const journaled = (await readJournal(run)).map(({ entity_id: id }) => id);
  expect(journaled).toHaveLength(2);
  expect(new Set(journaled)).toEqual(new Set([`${definitionId}/stale/[1]`, `${definitionId}/stale/[2]`]));
  expect(await findRun(history.pool, run.runId)).toMatchObject({ checks, isDryRun: false });
});

it('a remedy is signed by who fired its run', async () => {
  const order = makeOrder();
  const firing = makeTick({ trigger: 'manual', actor: 'ann@desk', dryRun: true });
  const { id: definitionId, uuid: definitionUuid } = order.definition;
  const run = makeRun(0, { definitionId, definitionUuid, ...firing, runId: runIdOf(definitionUuid, firing) });
  await createLedger(history.pool).recordStart(order, firing, { startedAt: firing.scheduledAt, attempt: 1 });
  await ledger.settle(await prepare(run, [makeAction('[1]')], '742'), 'committed');
  expect(await readJournal(run)).toMatchObject([{ actor: 'ann@desk' }]);
  expect(await findRun(history.pool, run.runId)).toMatchObject({ isDryRun: true });
});

it('a key longer than an index takes is kept whole, and cut in the journal', async () => {
  const run = makeRun();
  const key = JSON.stringify([randomUUID().repeat(200)]);
  await ledger.settle(await prepare(run, [makeAction(key)], '742'), 'committed');
  await ledger.observe(run, [makeObservation([key])]);
  expect(await ledger.readFindings(run.definitionUuid, [])).toMatchObject([{ key }]);
  expect((await readJournal(run))[0]?.['entity_id']).toBe(`test.watchdog/stale/${key.slice(0, 500)}…`);
});
