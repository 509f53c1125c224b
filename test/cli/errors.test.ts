import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ErrorRow } from '../../history/errors.ts';
import { createLedger } from '../../history/ledger.ts';
import type { FailedAttempt, Order } from '../../workflows/contract.ts';
import { makeOrder, makeReport, makeTick, openTestHistory } from '../history/support/history.ts';
import type { TestHistory } from '../history/support/history.ts';
import { readActcore, runActcore } from './support/actcore.ts';

let history: TestHistory;
let env: Record<string, string>;
const [first, second] = [makeOrder(), makeOrder()];

const attempt = (changes: Partial<FailedAttempt>): FailedAttempt => ({
  ...{ attempt: 1, at: '2026-03-01T00:15:01.000Z', operation: 'POST /sweep', error: 'the target answered 503' },
  ...{ rescued: false, ...changes },
});

beforeAll(async () => {
  history = await openTestHistory();
  env = { ACTCORE_DATABASE_URL: history.url };
  const ledger = createLedger(history.pool);
  const write = (order: Order, failedAttempts: FailedAttempt[], source = 'activity-core') =>
    ledger.recordEnd(
      order,
      makeTick({ source }),
      makeReport({ outcome: 'automation_error', exitCode: 1, failedAttempts }),
    );
  await write(first, [attempt({ target: 'a\u001b[31m', rescued: true }), attempt({ target: 'b', attempt: 2 })]);
  await write(second, [attempt({})]);
  await ledger.recordEnd(second, makeTick({ source: 'local-timer' }), makeReport());
});

afterAll(() => history.close());

const run = (...args: string[]) => runActcore(['errors', ...args], { env });

it('errors lists what failed, what was called, and what made it good', async () => {
  const { stdout, exitCode, stderr } = await run(second.definition.id);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const lines = stdout.split('\n');
  expect(lines[0]).toMatch(/^AT \(UTC\) +DEFINITION +TARGET +OPERATION +ATTEMPT +RESCUED BY +RUN +ERROR$/);
  expect(lines[1]).toMatch(
    /^2026-03-01 00:15:01 +test\.history-\S+ +POST \/sweep +1 +local-timer +[0-9a-f]{8} +the target answered 503$/,
  );
  expect(lines).toHaveLength(2);
});

it('errors are narrowed by target, time and number, and are data under --json', async () => {
  const { document } = await readActcore<{ errors: ErrorRow[] }>(['errors', '--target', 'b'], { env });
  expect(document.errors).toMatchObject([{ target: 'b', attempt: 2, rescued: false, rescuedBy: null }]);
  expect((await run('--limit', '2')).stdout.split('\n')).toHaveLength(3);
  expect((await run('--since', '1h')).stdout).toBe('no errors');
});

it('errors --counts is a line for each target, and obeys nothing that a target is named', async () => {
  const { stdout } = await run('--counts', '--since', '2026-01-01');
  const lines = stdout.split('\n');
  expect(lines[0]).toMatch(/^DEFINITION +TARGET +ERRORS +NOT RESCUED +LAST \(UTC\) +LAST ERROR$/);
  expect(lines).toHaveLength(4);
  expect(stdout).toMatch(/ a\uFFFD\[31m +1 +0 +2026-03-01 00:15:01 /);
  expect(stdout).toMatch(/ b +1 +1 /);
});
