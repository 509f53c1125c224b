import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDetailWriter } from '../../history/detail-writer.ts';
import { readResults } from '../../history/results.ts';
import { makeResult } from './support/details.ts';
import { openTestHistory } from './support/history.ts';
import type { TestHistory } from './support/history.ts';

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

it('what was offered is there when the run is settled, in the order of the list', async () => {
  const writer = openDetailWriter(history.pool);
  const runId = randomUUID();
  const results = Array.from({ length: 200 }, (_, ordinal) => makeResult(runId, ordinal));
  for (const result of results.toReversed()) writer.offer(result);
  expect(await writer.settle(runId, 5_000)).toEqual({ written: 200, dropped: 0 });
  expect(await readResults(history.pool, runId, results[0]!.scheduledAt)).toEqual(results);
  await writer.close();
});
