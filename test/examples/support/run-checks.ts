import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../../activities/index.ts';
import { compileFiles, prepareCompiler } from '../../../compiler/compile-files.ts';
import { openDetailWriter } from '../../../history/detail-writer.ts';
import { createLedger } from '../../../history/ledger.ts';
import { readResults } from '../../../history/results.ts';
import { createWatchLedger } from '../../../history/watch-ledger.ts';
import type { CheckReport, RunReport, WatchdogOrder } from '../../../workflows/contract.ts';
import { makeTick, openTestHistory } from '../../history/support/history.ts';
import type { TestHistory } from '../../history/support/history.ts';
import { checkout } from '../../support/program.ts';

/** What became of each check, by its name. */
export type CheckTallies = Record<string, CheckReport>;

/** Compiles a shipped watchdog, its text changed where the case needs another. */
export async function compileWatchdog(
  path: string,
  change: (text: string) => string = (text) => text,
): Promise<WatchdogOrder> {
  const file = join(checkout, path);
  const source = { file, text: change(readFileSync(file, 'utf8')) };
  await prepareCompiler([source]);
  const { definitions, problems } = compileFiles([source]);
  const order = definitions[0]?.order;
  if (order?.kind !== 'watchdog') throw new Error(`${file} is no watchdog: ${JSON.stringify(problems)}`);
  return order;
}

/** Replaces a text that has to be there. */
export function replaceIn(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`the definition does not hold ${from}`);
  return text.replace(from, () => to);
}

/** Runs watchdogs as a worker does, with a history of their own and without a Temporal server. */
export interface CheckStage {
  history: Pick<TestHistory, 'url' | 'pool'>;
  /** Runs the checks of a watchdog once; `env` holds its variables. Throws where the run did not come to its end. */
  runChecks(order: WatchdogOrder, env: Record<string, string>): Promise<CheckTallies>;
  close(): Promise<void>;
}

/** Opens a history and what runs on it. */
export async function openCheckStage(): Promise<CheckStage> {
  const { url, pool, close } = await openTestHistory();
  const shared = { ledger: createLedger(pool), details: openDetailWriter(pool), watch: createWatchLedger(pool) };
  const readAll = (runId: string, scheduledAt: string) => readResults(pool, runId, scheduledAt);
  return {
    history: { url, pool },
    async runChecks(order, environment) {
      const { watchdog } = createActivities({ ...shared, environment, readResults: readAll, now: () => new Date() });
      const scheduledAt = new Date();
      const at = scheduledAt.getTime();
      const context = new MockActivityEnvironment({ scheduledTimestampMs: at, currentAttemptScheduledTimestampMs: at });
      const workflow = { workflowId: order.definition.id, workflowRunId: randomUUID() };
      const tick = makeTick({ trigger: 'manual', scheduledAt: scheduledAt.toISOString(), ...workflow });
      const { outcome, reason, checks = [] } = (await context.run(watchdog, order, tick)) as RunReport;
      if (outcome !== 'completed') throw new Error(`the run ended as ${outcome}: ${reason}`);
      return Object.fromEntries(checks.map((check) => [check.name, check]));
    },
    close,
  };
}
