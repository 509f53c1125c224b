import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordRetirement } from '../../history/retirement.ts';
import { createWatchLedger } from '../../history/watch-ledger.ts';
import type { WatchLedger, WatchRun } from '../../history/watch-ledger.ts';
import type { ActionOutcome } from '../../workflows/contract.ts';
import { openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';
import { followUp, makeAction, makeObservation, makeRun } from './support/watch.ts';

let history: TestHistory;
let ledger: WatchLedger;

beforeAll(async () => {
  history = await openTestHistory();
  ledger = createWatchLedger(history.pool);
});

afterAll(() => history.close());

/** The episodes of a definition, by the number of the run that opened them and so on. */
async function readEpisodes({ definitionUuid }: WatchRun, runs: WatchRun[]) {
  const place = (runId: string | null) => (runId === null ? null : runs.findIndex((run) => run.runId === runId));
  const { rows } = await history.pool.query<Record<string, string | null>>(
    `SELECT check_name, key, state, opened_run, last_seen_run, seen_runs, failed_runs, last_outcome, last_error,
       quarantined_run, resolved_run, resolution, detected::text
     FROM actcore.findings WHERE definition_uuid = $1`,
    [definitionUuid],
  );
  return rows
    .map(
      ({ opened_run: opened, last_seen_run: seen, quarantined_run: quarantined, resolved_run: resolved, ...rest }) => ({
        ...rest,
        ...{ opened: place(opened ?? null), seen: place(seen ?? null) },
        ...{ quarantined: place(quarantined ?? null), resolved: place(resolved ?? null) },
      }),
    )
    .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}

function listRuns(count: number): WatchRun[] {
  const first = makeRun();
  return Array.from({ length: count }, (_, minute) => (minute === 0 ? first : followUp(first, minute)));
}

it('a finding is opened, kept, and resolved as vanished; when it comes back that is another episode', async () => {
  const runs = listRuns(5);
  const seen = [['["a"]', '["b"]'], ['["a"]'], [], ['["a"]'], ['["a"]']];
  for (const [place, run] of runs.entries()) await ledger.observe(run, [makeObservation(seen[place] ?? [])]);
  expect(await readEpisodes(makeRun(0, runs[0]), runs)).toMatchObject([
    { key: '["a"]', state: 'open', opened: 3, seen: 4, seen_runs: 2, resolution: null, detected: '{"key":["a"]}' },
    { key: '["a"]', state: 'resolved', opened: 0, seen: 1, seen_runs: 2, resolved: 2, resolution: 'vanished' },
    { key: '["b"]', state: 'resolved', opened: 0, seen: 0, resolved: 1, resolution: 'vanished' },
  ]);
  expect(await ledger.readFindings(runs[0]?.definitionUuid ?? '', [])).toMatchObject([
    { checkName: 'stale', key: '["a"]', state: 'open', failedRuns: 0 },
  ]);
});

it('what was not seen stays open where the check was not complete, and where a canary does not look for it', async () => {
  const runs = listRuns(4).map((run, place) => (place > 1 ? { ...run, trigger: 'canary' as const } : run));
  const [first, ...others] = runs;
  await ledger.observe(first ?? makeRun(), [makeObservation(['[1]'])]);
  const silent = [
    makeObservation([], { isComplete: false, error: 'it broke' }),
    makeObservation([], { mode: 'block' }),
    makeObservation([], { name: 'another' }),
  ];
  for (const [place, run] of others.entries()) await ledger.observe(run, silent.slice(place, place + 1));
  expect(await readEpisodes(others[0] ?? makeRun(), runs)).toMatchObject([{ state: 'open', seen: 0 }]);
});

it('findings of a check that is blocked, or gone from the definition, are closed as unwatched, unless a later run saw it', async () => {
  const runs = listRuns(5);
  const tell = (place: number, ...checks: Parameters<typeof ledger.observe>[1]) =>
    ledger.observe(runs[place] ?? makeRun(), checks);
  const failing = makeObservation([{ key: '[3]', outcome: 'failed' }], { name: 'gone', quarantineAfter: 1 });
  await tell(0, makeObservation(['[1]']), makeObservation(['[2]'], { name: 'kept' }), failing);
  const blocked = makeObservation([], { mode: 'block' });
  await tell(2, makeObservation(['[1]']), makeObservation(['[2]'], { name: 'kept' }));
  await tell(1, blocked, makeObservation(['[2]'], { name: 'kept' }));
  await tell(3, blocked, makeObservation(['[2]'], { name: 'kept' }));
  await tell(4, makeObservation(['[1]']), makeObservation(['[2]'], { name: 'kept' }));
  expect(await readEpisodes(runs[0] ?? makeRun(), runs)).toMatchObject([
    { check_name: 'gone', key: '[3]', state: 'resolved', resolution: 'unwatched', resolved: 2, quarantined: null },
    { check_name: 'kept', key: '[2]', state: 'open', opened: 0, seen: 4 },
    { check_name: 'stale', key: '[1]', state: 'open', opened: 4 },
    { check_name: 'stale', key: '[1]', state: 'resolved', resolution: 'unwatched', opened: 0, seen: 2, resolved: 3 },
  ]);
});

it('to retire a definition closes its findings', async () => {
  const [run = makeRun()] = listRuns(1);
  const failing = { key: '[2]', outcome: 'failed' } as const;
  await ledger.observe(run, [makeObservation(['[1]', failing], { quarantineAfter: 1 })]);
  const definition = { uuid: run.definitionUuid, id: run.definitionId, enabled: true, revision: 'a' };
  const client = await history.pool.connect();
  const signature = { actor: 'tester', source: 'retire', workspace: 'here' };
  try {
    expect(await recordRetirement(client, definition, 'not needed', signature)).toBe(true);
  } finally {
    client.release();
  }
  const closed = { state: 'resolved', resolution: 'unwatched', quarantined: null };
  expect(await readEpisodes(run, [run])).toMatchObject([closed, closed]);
});

it('a remedy cures at once; a request has cured when the finding is gone; and a cure counts whose run could not tell', async () => {
  const runs = listRuns(3);
  const [first, second, third] = runs as [WatchRun, WatchRun, WatchRun];
  const seen = [{ key: '[1]', outcome: 'cured' } as const, { key: '[2]', outcome: 'sent' } as const, '[3]', '[4]'];
  await ledger.observe(first, [makeObservation(seen)]);
  const batch = { id: second.runId, run: second, systemIdentifier: '7', xid: '9', actions: [makeAction('[3]')] };
  await ledger.prepare(batch);
  await ledger.settle(batch.id, 'committed');
  await ledger.observe(third, [makeObservation([])]);
  expect(await readEpisodes(first, runs)).toMatchObject([
    { key: '[1]', resolution: 'cured', resolved: 0, last_outcome: 'cured' },
    { key: '[2]', resolution: 'cured', resolved: 2 },
    { key: '[3]', resolution: 'cured', resolved: 2 },
    { key: '[4]', resolution: 'vanished', resolved: 2 },
  ]);
});

it('a remedy that fails in N runs is quarantined and journaled once, and an open one cooling down counts nothing', async () => {
  const runs = listRuns(6);
  const seen: (ActionOutcome | undefined)[] = ['failed', undefined, 'not_cured', undefined, 'failed', undefined];
  const told = [];
  for (const [place, run] of runs.entries()) {
    const outcome = seen[place];
    const finding = { key: '[1]', ...(outcome === undefined ? {} : { outcome, error: `no ${place}` }) };
    const observed = [makeObservation([finding])];
    told.push(await ledger.observe(run, observed));
    expect(await ledger.observe(run, observed)).toEqual(told.at(-1));
  }
  expect(told).toEqual([[], [], [], [], [{ checkName: 'stale', key: '[1]' }], []]);
  expect(await readEpisodes(runs[0] ?? makeRun(), runs)).toMatchObject([
    { state: 'quarantined', quarantined: 4, failed_runs: 3, last_error: 'no 4', seen: 5, seen_runs: 6 },
  ]);
  const { rows } = await history.pool.query(
    'SELECT entity_id, field, old_value, new_value, source FROM actcore.journal WHERE workspace = ANY ($1)',
    [runs.map(({ runId }) => `run ${runId}`)],
  );
  expect(rows).toEqual([
    {
      ...{ entity_id: 'test.watchdog/stale/[1]', field: 'state', old_value: 'open', new_value: 'quarantined' },
      source: 'watchdog',
    },
  ]);
});

it('a request that has to be made again has failed to cure; a rehearsal that fails has not', async () => {
  const runs = listRuns(3);
  for (const run of runs) {
    await ledger.observe(run, [
      makeObservation([{ key: '[1]', outcome: 'sent' }], { quarantineAfter: 2 }),
      makeObservation([{ key: '[2]', outcome: 'failed' }], { name: 'rehearsed', mode: 'sim', quarantineAfter: 2 }),
    ]);
  }
  expect(await readEpisodes(runs[0] ?? makeRun(), runs)).toMatchObject([
    { check_name: 'rehearsed', state: 'open', failed_runs: 0, last_outcome: 'failed' },
    { check_name: 'stale', state: 'quarantined', failed_runs: 2, quarantined: 2 },
  ]);
});

it('a row for each check of a run is written to its month, also where that month has no partition yet', async () => {
  const run = makeRun(0, { scheduledAt: '2031-07-15T12:00:00.123Z' });
  const reports = [
    { name: 'b', left: 1 },
    { name: 'a', error: 'it b\0roke', hasMore: true },
  ] as const;
  await ledger.observe(
    run,
    reports.map((report) => makeObservation([], report)),
  );
  const { rows } = await history.pool.query(
    `SELECT relname AS part, check_name, mode, left_alone, has_more, error FROM actcore.checks JOIN pg_class ON pg_class.oid = checks.tableoid
     WHERE run_id = $1 ORDER BY ordinal`,
    [run.runId],
  );
  const common = { part: 'checks_2031_07', mode: 'auto' };
  expect(rows).toEqual([
    { ...common, check_name: 'b', left_alone: 1, has_more: false, error: null },
    { ...common, check_name: 'a', left_alone: 0, has_more: true, error: 'it b\uFFFDroke' },
  ]);
});

const outcome = fc.constantFrom<ActionOutcome | undefined>(undefined, 'cured', 'sent', 'failed', 'not_cured');
const sight = fc.record({
  isComplete: fc.boolean(),
  keys: fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 4 }), outcome), { selector: ([key]) => key, maxLength: 4 }),
});
const story = fc.array(fc.tuple(sight, sight), { minLength: 1, maxLength: 5 });

type Sight = typeof sight extends fc.Arbitrary<infer Value> ? Value : never;

/** Tells of a run with two checks. */
async function tellAll(run: WatchRun | undefined, sights: [Sight, Sight] | undefined): Promise<void> {
  if (run === undefined || sights === undefined) throw new Error('there is no such run');
  const checks = sights.map(({ keys, isComplete }, place) => {
    const findings = keys.map(([key, became]) => ({
      key: `[${key}]`,
      ...(became === undefined ? {} : { outcome: became }),
    }));
    return makeObservation(findings, { name: `check-${place}`, isComplete, quarantineAfter: 2 });
  });
  await ledger.observe(run, checks);
}

it('told once or often, in time or late, by one or by many at once, runs give the same episodes', async () => {
  await fc.assert(
    fc.asyncProperty(story, fc.infiniteStream(fc.nat()), async (sights, choices) => {
      const plain = listRuns(sights.length);
      for (const [place, run] of plain.entries()) await tellAll(run, sights[place]);
      const chaotic = listRuns(sights.length);
      for (const [place, run] of chaotic.entries()) {
        const again = Array.from(
          { length: (choices.next().value ?? 0) % 3 },
          () => (choices.next().value ?? 0) % (place + 1),
        );
        await tellAll(run, sights[place]);
        await Promise.all([place, ...again].map((one) => tellAll(chaotic[one], sights[one])));
      }
      expect(await readEpisodes(chaotic[0] ?? makeRun(), chaotic)).toEqual(
        await readEpisodes(plain[0] ?? makeRun(), plain),
      );
    }),
    { numRuns: 25 },
  );
});

it('runs told in any order give the episodes of those that no later one came before', async () => {
  await fc.assert(
    fc.asyncProperty(
      story.chain((sights) =>
        fc.tuple(fc.constant(sights), fc.shuffledSubarray([...sights.keys()], { minLength: sights.length })),
      ),
      async ([sights, order]) => {
        const runs = listRuns(sights.length);
        for (const place of order) await tellAll(runs[place], sights[place]);
        const inTime = order.filter((place, index) => order.slice(0, index).every((other) => other < place));
        const expected = listRuns(sights.length);
        for (const place of inTime) await tellAll(expected[place], sights[place]);
        expect(await readEpisodes(runs[0] ?? makeRun(), runs)).toEqual(
          await readEpisodes(expected[0] ?? makeRun(), expected),
        );
      },
    ),
    { numRuns: 25 },
  );
});
