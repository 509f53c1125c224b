import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type pg from 'pg';
import { deriveHealth } from '../../history/health.ts';
import { observeApplied, readApplied, readHealthFacts } from '../../reconcile/read-health.ts';
import type { Applied } from '../../reconcile/read-health.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions, Session } from '../command.ts';
import { describeLookedAt, formatHealth } from '../health-output.ts';
import { withHistory } from '../history-service.ts';
import { Refusal, exitCodes } from '../refusal.ts';
import { parseSpan } from '../span.ts';
import { withTemporal } from '../temporal-service.ts';

interface HealthOptions extends CommonOptions {
  period: string;
}

export function addHealth(program: Command, signal: AbortSignal): void {
  const command = program
    .command('health')
    .summary('say in one call whether anything is broken')
    .description(
      'Say whether anything is broken, the worst first, each with the command that shows more. Exits with 0 where nothing ' +
        'is, with 1 where something is, and with 3 where the history cannot be reached.',
    )
    .option('--period <span>', 'what errors, gaps and short runs are counted over: 90s, 60m, 24h', checkPeriod, '60m');
  handle<HealthOptions>(withJson(command), signal, async (session, { period }) =>
    withHistory(session.settings, (pool) => checkHealth(session, pool, period)),
  );
}

/** Kept as it was written: the commands that show more take it as `--since`. */
function checkPeriod(text: string): string {
  if (parseSpan(text) > 0) return text;
  throw new InvalidArgumentError('Expected more than nothing.');
}

async function checkHealth(session: Session, pool: pg.Pool, period: string) {
  const { settings, output } = session;
  const applied = await readApplied(pool);
  const observed = await observeOrSay(session, applied);
  const now = new Date();
  const { taskQueue } = settings;
  const facts = await readHealthFacts({
    ...{ pool, applied, observed, taskQueue, period, now },
    periodMs: parseSpan(period),
  });
  const problems = deriveHealth(facts, now);
  const isHealthy = problems.length === 0;
  output.data({ isHealthy, at: now.toISOString(), period, problems, lookedAt: describeLookedAt(facts) });
  output.line(formatHealth(problems, facts, output));
  return isHealthy ? exitCodes.ok : exitCodes.failed;
}

/** A server that is away is one problem among others: what the history knows is told all the same. */
async function observeOrSay({ settings }: Session, applied: Applied[]) {
  try {
    return await withTemporal(settings, (client) => observeApplied(client, applied));
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}
