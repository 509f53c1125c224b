import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { openAuditTrail } from '../../activities/watchdog/audit-trail.ts';
import { openHistoryLine } from '../../activities/watchdog/history-line.ts';
import { openHistory } from '../../history/database.ts';
import { createWatchLedger } from '../../history/watch-ledger.ts';
import { chooseAnyPort } from '../../dev/ports.ts';
import type { ActionRecord, WatchdogCheck } from '../../workflows/contract.ts';
import { defineWatchdog } from '../support/watchdogs.ts';

const record = (changes: Partial<ActionRecord> = {}): ActionRecord => ({
  ...{ id: randomUUID(), checkName: 'jobs', findingKey: '[1]', action: 'mend', mode: 'auto', outcome: 'cured' },
  ...{ before: '{}', after: '{}', decision: '{}', at: '2026-03-01T00:00:00.000Z' },
  ...changes,
});

/** A trail whose history nobody serves. */
async function openLonelyTrail() {
  const pool = openHistory(`postgres://nobody@127.0.0.1:${await chooseAnyPort()}/nothing`);
  const run = {
    definitionId: 'test.a',
    definitionUuid: randomUUID(),
    runId: randomUUID(),
    scheduledAt: '2026-03-01T00:00:00.000Z',
    trigger: 'schedule',
  } as const;
  const options = { watch: createWatchLedger(pool), run, systemIdentifier: '1', redactData: (text: string) => text };
  return openAuditTrail({ ...options, history: openHistoryLine() });
}

async function checkOf(audit?: string): Promise<WatchdogCheck> {
  const sql = { detect: 'SELECT 1 AS id', remedy: 'UPDATE jobs SET name = NULL WHERE id = :id' };
  const { order } = await defineWatchdog('test.trail', { jobs: { ...sql, ...(audit === undefined ? {} : { audit }) } });
  return order.watchdog.checks[0]!;
}

const audit = 'INSERT INTO audit (run) VALUES (:run_id)';
/** The trail writes to the log of an activity. */
const asActivity = <Result>(work: () => Promise<Result>): Promise<Result> => {
  const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };
  return new MockActivityEnvironment({}, { logger: quiet }).run(work) as Promise<Result>;
};

it('while the history is away, what no audit block keeps is not done, and neither is a request', () =>
  asActivity(async () => {
    const trail = await openLonelyTrail();
    await expect(trail.prepare(await checkOf(), [record()], '1')).rejects.toThrow(
      /^not acted: .* no place for the audit$/,
    );
    const asking = { ...(await checkOf(audit)), remedy: { request: { method: 'POST', url: 'http://a', headers: {} } } };
    await expect(trail.prepare(asking, [record({ outcome: 'failed' })], undefined)).rejects.toThrow(/^not acted/);
    expect(trail.carried()).toEqual([]);
  }));

it('what the watched database audits is done, and its triplets ride in the report once they are committed', () =>
  asActivity(async () => {
    const trail = await openLonelyTrail();
    const [done, rolledBack] = [record(), record()];
    await (await trail.prepare(await checkOf(audit), [done], '1')).settle('committed');
    await (await trail.prepare(await checkOf(audit), [rolledBack], '2')).settle('aborted');
    const failed = record({ outcome: 'failed', error: 'it raised' });
    await (await trail.prepare(await checkOf(), [failed], undefined)).settle('committed');
    expect(trail.carried()).toEqual([done, failed]);
  }));

it('what does not fit into the report is not acted on; what was rolled back gives its room back', () =>
  asActivity(async () => {
    const trail = await openLonelyTrail();
    const big = () => [record({ before: JSON.stringify('x'.repeat(400_000)) })];
    const check = await checkOf(audit);
    const first = await trail.prepare(check, big(), '1');
    await expect(trail.prepare(check, big(), '2')).rejects.toThrow(/^not acted: .* no room/);
    await first.settle('aborted');
    await (await trail.prepare(check, big(), '3')).settle('committed');
    expect(trail.carried()).toHaveLength(1);
  }));
