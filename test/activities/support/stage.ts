import { afterAll, beforeAll, beforeEach } from 'vitest';
import { openTestHistory } from '../../history/support/history.ts';
import type { TestHistory } from '../../history/support/history.ts';
import { healthy, sendJson, startTarget } from '../../support/target.ts';
import type { Target } from '../../support/target.ts';

/** The history of the test file that has set its stage. */
export let history: TestHistory;

/** Its target, which is healthy and has not been called at the beginning of each test. */
export let target: Target;

/** Gives every test of this file a history and a target to sweep. */
export function setStage(): void {
  beforeAll(async () => {
    history = await openTestHistory();
    target = await startTarget();
  });

  beforeEach(() => {
    target.calls.length = 0;
    target.answer = (_, response) => sendJson(response, healthy);
  });

  afterAll(async () => {
    await target.close();
    await history.close();
  });
}
