import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findDefinition, listRetired, listRevisions, walkChain } from '../../history/chain.ts';
import { listJournal } from '../../history/journal.ts';
import { recordRetirement, recordReturn } from '../../history/retirement.ts';
import { keepRevisions, recordApplied } from '../../history/revisions.ts';
import type { AppliedDefinition } from '../../history/revisions.ts';
import { openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

const signature = { actor: 'tester', source: 'apply', workspace: 'here:/work' };

function make(changes: Partial<AppliedDefinition> = {}): AppliedDefinition {
  const uuid = randomUUID();
  const content = { title: 'First', budget: { max_seconds: 30 }, runbook: 'prose' };
  return {
    ...{ uuid, id: `test.${uuid.slice(0, 8)}`, enabled: true, revision: 'r1', contractHash: 'c1' },
    ...{ file: 'a.md', text: 'the file', content, ...changes },
  };
}

async function withClient<Result>(use: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  const client = await history.pool.connect();
  try {
    return await use(client);
  } finally {
    client.release();
  }
}

const apply = (...definitions: AppliedDefinition[]) =>
  withClient(async (client) => {
    await keepRevisions(client, definitions, signature.actor);
    await recordApplied(client, definitions, signature);
  });

async function readChain({ id, uuid }: AppliedDefinition) {
  const { chain, aside, fault } = walkChain(
    await listRevisions(history.pool, uuid),
    (await findDefinition(history.pool, id))?.revision ?? '',
  );
  const name = (revisions: typeof chain) => revisions.map(({ revision, appliedCount }) => [revision, appliedCount]);
  return { chain: name(chain), aside: name(aside), fault };
}

const readFields = async (id: string) =>
  (await listJournal(history.pool, { entityId: id, limit: 99 }))
    .reverse()
    .map(({ field, action, oldValue, newValue }) => [action, field, oldValue, newValue]);

it('identical content counts up, without an event; changed content supersedes its parent, with an event a field', async () => {
  const first = make();
  await apply(first);
  await apply(first);
  expect(await readChain(first)).toEqual({ chain: [['r1', 2]], aside: [], fault: undefined });
  const second = { ...first, revision: 'r2', content: { ...first.content, budget: { max_seconds: 60 }, labels: {} } };
  await apply(second);
  expect((await readChain(first)).chain).toEqual([
    ['r1', 2],
    ['r2', 1],
  ]);
  expect(await readFields(first.id)).toEqual([
    ['insert', 'definition', null, first.content],
    ['insert', 'revision', null, 'r1'],
    ['update', 'budget.max_seconds', 30, 60],
    ['insert', 'labels', null, {}],
    ['update', 'revision', 'r1', 'r2'],
  ]);
});

it('going back to an older content makes no ring: it is the tip again, what came between stands aside', async () => {
  const first = make();
  await apply(first);
  await apply({ ...first, revision: 'r2' });
  await apply(first);
  await apply({ ...first, revision: 'r3' });
  expect(await readChain(first)).toEqual({
    chain: [
      ['r1', 2],
      ['r3', 1],
    ],
    aside: [['r2', 1]],
    fault: undefined,
  });
});

it('a revision that was kept and never reached the server is no part of the chain, and takes its parent when it does', async () => {
  const first = make();
  await apply(first);
  const lost = { ...first, revision: 'r2', text: 'lost?' };
  await withClient((client) => keepRevisions(client, [lost], 'tester'));
  expect(await readChain(first)).toEqual({ chain: [['r1', 1]], aside: [['r2', 0]], fault: undefined });
  await apply({ ...first, revision: 'r3' });
  await apply(lost);
  expect((await readChain(first)).chain.map(([revision]) => revision)).toEqual(['r1', 'r3', 'r2']);
});

it('a ring or a gap that was made by hand ends the walk, and is named', async () => {
  const first = make();
  for (const revision of ['r1', 'r2', 'r3']) await apply({ ...first, revision });
  const bend = (revision: string, parent: string) =>
    history.pool.query('UPDATE actcore.revisions SET parent = $3 WHERE definition_uuid = $1 AND revision = $2', [
      ...[first.uuid, revision, parent],
    ]);
  await bend('r1', 'r2');
  expect(await readChain(first)).toMatchObject({
    chain: [
      ['r1', 1],
      ['r2', 1],
      ['r3', 1],
    ],
    fault: 'r2 is its own ancestor',
  });
  await bend('r3', 'r3');
  expect(await readChain(first)).toMatchObject({ chain: [['r3', 1]], fault: 'r3 is its own ancestor' });
  await bend('r3', 'gone');
  expect(await readChain(first)).toMatchObject({ fault: 'the revision gone is not in the history' });
});

it('an apply is recorded whole or not at all', async () => {
  const [good, bad] = [make(), make()];
  await withClient(async (client) => {
    await keepRevisions(client, [good, bad], 'tester');
    await client.query('ALTER TABLE actcore.journal ADD CONSTRAINT refuses CHECK (new_value::text <> \'"refused"\')');
    const event = {
      entityType: 'definition',
      entityId: 'x',
      field: 'a',
      action: 'update',
      newValue: 'refused',
    } as const;
    await expect(recordApplied(client, [good, bad], signature, [event])).rejects.toThrow('refuses');
    await client.query('ALTER TABLE actcore.journal DROP CONSTRAINT refuses');
  });
  expect(await findDefinition(history.pool, good.id)).toBeUndefined();
  expect(await readFields(good.id)).toEqual([]);
  expect((await listRevisions(history.pool, good.uuid))[0]?.appliedCount).toBe(0);
});

it('1,200 definitions are one apply, whatever the text holds', async () => {
  const many = Array.from({ length: 1_200 }, () => make({ text: 'quote " nul \0 back \\ ümlaut {}' }));
  await apply(...many);
  const last = many.at(-1) ?? make();
  expect(await listRevisions(history.pool, last.uuid)).toMatchObject([
    { appliedCount: 1, text: 'quote " nul \uFFFD back \\ ümlaut {}', parent: null, actor: 'tester' },
  ]);
});

it('a definition that keeps its uuid keeps its chain under a new id', async () => {
  const first = make();
  await apply(first);
  const moved = { ...first, id: `${first.id}-moved`, revision: 'r2' };
  await apply(moved);
  expect(await findDefinition(history.pool, first.id)).toBeUndefined();
  expect((await readChain(moved)).chain).toHaveLength(2);
});

it('to retire is journaled once, with its reason, and can be taken back', async () => {
  const definition = make();
  await apply(definition);
  const retire = () => withClient((client) => recordRetirement(client, definition, 'no longer needed', signature));
  expect([await retire(), await retire()]).toEqual([true, false]);
  const retired = (await listRetired(history.pool)).find(({ id }) => id === definition.id);
  expect(retired).toMatchObject({ retiredBy: 'tester', retiredReason: 'no longer needed' });
  if (retired === undefined) return;
  await withClient((client) => recordReturn(client, retired, signature));
  await withClient((client) => recordReturn(client, retired, signature));
  expect(await listRetired(history.pool)).toEqual([]);
  const events = (await readFields(definition.id)).filter(([, field]) => field === 'retired');
  expect(events).toEqual([
    ['update', 'retired', null, { reason: 'no longer needed' }],
    ['update', 'retired', expect.objectContaining({ reason: 'no longer needed', by: 'tester' }), null],
  ]);
});
