import { afterAll, beforeAll, expect, it } from 'vitest';
import { listForeignRevisions, listInForceEvents } from '../../history/in-force.ts';
import { openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

const first = '00000000-0000-4000-8000-000000000001';
const second = '00000000-0000-4000-8000-000000000002';

async function keep(uuid: string, id: string, ...revisions: string[]): Promise<void> {
  for (const revision of revisions) {
    await history.pool.query(
      `INSERT INTO actcore.revisions (definition_uuid, revision, contract_hash, file, text, content, actor)
       VALUES ($1, $2, 'c', 'a.md', '', '{}', 'tester')`,
      [uuid, revision],
    );
  }
  await history.pool.query('INSERT INTO actcore.definitions (uuid, id, enabled, revision) VALUES ($1, $2, true, $3)', [
    ...[uuid, id, revisions.at(-1)],
  ]);
}

/** What the journal was told of an id, as `field value`. */
async function tell(id: string, ...events: string[]): Promise<void> {
  for (const event of events) {
    const [field, value] = event.split(' ');
    await history.pool.query(
      `INSERT INTO actcore.journal (entity_type, entity_id, field, action, new_value, actor, source, workspace)
       VALUES ('definition', $1, $2, $3, to_json($4::text), 'tester', 'apply', '')`,
      [id, field, field === 'schedule' ? 'delete' : 'update', value ?? null],
    );
  }
}

const show = async (uuid: string, ...ids: string[]) =>
  (await listInForceEvents(history.pool, { uuid, ids })).map((event) =>
    event.kind === 'revision' ? event.revision : event.kind,
  );

it('a definition ends where another one takes its id, and what befalls the id then is of that one', async () => {
  await keep(first, 'test.taken', 'first-one-of-it', 'first-two-of-it');
  await keep(second, 'test.taken', 'second-one-of-it');
  await tell('test.taken', 'revision first-one-of-it', 'revision first-two-of-it', 'revision second-one-of-it');
  await tell('test.taken', 'retired why', 'retired', 'schedule');
  expect(await show(first, 'test.taken')).toEqual(['first-one-of-it', 'first-two-of-it', 'removed']);
  expect(await show(second, 'test.taken')).toEqual(['second-one-of-it', 'retired', 'returned', 'removed']);
  const foreign = await listForeignRevisions(history.pool, { uuid: first, ids: ['test.taken'] });
  expect([...foreign]).toEqual(['second-one-o']);
});

it('a definition that moved goes on when another one takes the id that it had', async () => {
  const [moved, other] = [first.replace(/1$/, '3'), first.replace(/1$/, '4')];
  await keep(moved, 'test.new-name', 'under-the-old', 'under-the-new');
  await keep(other, 'test.old-name', 'another-one');
  await tell('test.old-name', 'revision under-the-old');
  await tell('test.new-name', 'revision under-the-new');
  await tell('test.old-name', 'revision another-one', 'schedule');
  expect(await show(moved, 'test.old-name', 'test.new-name')).toEqual(['under-the-old', 'under-the-new']);
});
