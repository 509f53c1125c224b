import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appendJournal, compareContents, countJournal, listJournal } from '../../history/journal.ts';
import type { FieldChange } from '../../history/journal.ts';
import { openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

const signature = { actor: 'tester', source: 'test', workspace: 'here:/work' };

async function append(...changes: FieldChange[]): Promise<void> {
  const client = await history.pool.connect();
  await appendJournal(client, changes, signature);
  client.release();
}

const change = (entityId: string, field: string, newValue: string): FieldChange => ({
  ...{ entityType: 'definition', entityId, field, action: 'update' },
  ...{ oldValue: null, newValue },
});

it('events are kept in order with old and new value, and listed newest first, of one entity, since a time', async () => {
  const id = `test.${randomUUID().slice(0, 8)}`;
  await append(change(id, 'a', 'first'), change(id, 'b.c', 'nul \0 and half \ud800'), change('other', 'a', 'x'));
  const events = await listJournal(history.pool, { entityId: id, limit: 10 });
  expect(events.map(({ field }) => field)).toEqual(['b.c', 'a']);
  expect(events[1]).toMatchObject({ ...signature, oldValue: null, newValue: 'first', action: 'update' });
  expect(Date.now() - Date.parse(events[0]?.at ?? '')).toBeLessThan(60_000);
  expect(await listJournal(history.pool, { limit: 1 })).toMatchObject([{ entityId: 'other' }]);
  expect(await listJournal(history.pool, { since: new Date(Date.now() + 60_000), limit: 10 })).toEqual([]);
});

it('events are counted by type of entity, action, actor and day, over what is asked for', async () => {
  const entityType = `finding-${randomUUID().slice(0, 8)}`;
  const of = (entityId: string, action: 'insert' | 'update'): FieldChange => ({
    ...change(entityId, 'state', 'open'),
    ...{ entityType, action },
  });
  await append(of('a', 'insert'), of('a', 'update'), of('b', 'update'));
  const stats = await countJournal(history.pool, { entityType, limit: 10 });
  const today = new Date().toISOString().slice(0, 10);
  expect(stats).toEqual({
    events: 3,
    byEntityType: [{ entityType, entities: 2, events: 3 }],
    byAction: [
      { action: 'update', events: 2 },
      { action: 'insert', events: 1 },
    ],
    byActor: [{ actor: 'tester', lastAt: expect.stringMatching(/^\d{4}-.*Z$/), events: 3 }],
    byDay: [{ day: expect.stringMatching(`^${today.slice(0, 7)}`), events: 3 }],
  });
  expect(await countJournal(history.pool, { entityType, entityId: 'b', limit: 10 })).toMatchObject({ events: 1 });
  expect(await listJournal(history.pool, { entityType, entityId: 'b', limit: 10 })).toHaveLength(1);
  const none = await countJournal(history.pool, { entityType, since: new Date(Date.now() + 60_000), limit: 10 });
  expect(none).toEqual({ events: 0, byEntityType: [], byAction: [], byActor: [], byDay: [] });
});

it.for([
  "UPDATE actcore.journal SET actor = 'nobody'",
  'DELETE FROM actcore.journal',
  'DELETE FROM actcore.journal WHERE false',
  'TRUNCATE actcore.journal',
  'TRUNCATE actcore.journal CASCADE',
])('the journal refuses %s', async (statement) => {
  await append(change('kept', 'a', 'x'));
  await expect(history.pool.query(statement)).rejects.toThrow(/actcore\.journal is append-only: \w+ is refused/);
  expect(await listJournal(history.pool, { entityId: 'kept', limit: 1 })).toMatchObject([{ actor: 'tester' }]);
});

it('contents are compared leaf by leaf: what is new, what is gone, what is another, and a list as a whole', () => {
  const entity = { entityType: 'definition', entityId: 'x' };
  const before = { title: 'A', budget: { max_seconds: 30 }, env: ['A'], labels: { team: 'a' }, same: { deep: [1] } };
  const after = { same: { deep: [1] }, title: 'A', budget: { max_seconds: 60 }, env: ['A', 'B'], start: '2026-01-01' };
  expect(compareContents(entity, before, after)).toEqual([
    { ...entity, field: 'budget.max_seconds', action: 'update', oldValue: 30, newValue: 60 },
    { ...entity, field: 'env', action: 'update', oldValue: ['A'], newValue: ['A', 'B'] },
    { ...entity, field: 'labels', action: 'delete', oldValue: { team: 'a' } },
    { ...entity, field: 'start', action: 'insert', newValue: '2026-01-01' },
  ]);
  expect(compareContents(entity, after, { ...after })).toEqual([]);
});
