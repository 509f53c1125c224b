import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createActivityFinder, describeActivity, suggestDefinition } from '../../cli/outside-activity.ts';
import { openActivityCache } from '../../outside/activity-cache.ts';
import { openTestHistory } from '../history/support/history.ts';
import type { TestHistory } from '../history/support/history.ts';
import { applyDefinition } from '../outside/support/applied.ts';
import { writeDefinition } from '../support/definitions.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

const sources = { sources: '{ local-timer: { cron: "*/15 * * * *" } }' };

it('a definition is found as it is in force, also by the id that it had before, and kept for the next start', async () => {
  const cache = openActivityCache(makeTempFolder(), '1');
  const places = { pool: history.pool, paths: [], cache };
  const before = await applyDefinition(history.pool, 'test.before', sources);
  expect(await createActivityFinder(places)('test.before')).toEqual(describeActivity(before));
  expect(cache.read('test.before')).toEqual(describeActivity(before));
  const after = await applyDefinition(history.pool, 'test.after', { ...sources, moved_from: '[test.before]' });
  expect(after.uuid).toBe(before.uuid);
  expect(await createActivityFinder(places)('test.before')).toEqual(describeActivity(after));
  expect(cache.read('test.before')?.order.definition.id).toBe('test.after');
  expect(await createActivityFinder(places)('test.nobody')).toBeUndefined();
  expect(await suggestDefinition(history.pool, 'test.aftr')).toBe('did you mean `test.after`?');
});

it('a file goes before the history, and does without one', async () => {
  const folder = makeTempFolder();
  writeFileSync(join(folder, 'a.md'), writeDefinition('test.filed', { ...sources, budget: '{ max_seconds: 7 }' }));
  const find = createActivityFinder({ pool: undefined, paths: [folder], cache: undefined });
  expect(await find('test.filed')).toMatchObject({ maxSeconds: 7, hardTimeoutMs: 67_000, secrets: ['TARGET_TOKEN'] });
  expect(await find('test.other')).toBeUndefined();
});

it('what another version of the program kept, or somebody broke, counts for nothing', async () => {
  const folder = makeTempFolder();
  const activity = describeActivity(await applyDefinition(history.pool, 'test.kept', sources));
  openActivityCache(folder, '1').write('test.kept', activity);
  expect(openActivityCache(folder, '1').read('test.kept')).toEqual(activity);
  expect(openActivityCache(folder, '2').read('test.kept')).toBeUndefined();
  expect(openActivityCache(folder, '1').read('test.other')).toBeUndefined();
});
