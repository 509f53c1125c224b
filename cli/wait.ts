import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import pg from 'pg';
import { listPending } from '../history/migrate.ts';
import type { Session } from './command.ts';
import { withHistory } from './history-service.ts';
import { Refusal, exitCodes } from './refusal.ts';
import { parseSpan } from './span.ts';
import { withTemporal } from './temporal-service.ts';

const everyMs = 2_000;

/** Reads the value of `--wait`. */
export function parseWait(text: string): number {
  const waitMs = parseSpan(text);
  if (waitMs > 0) return waitMs;
  throw new InvalidArgumentError('Expected a span such as 90s, 5m or 2h.');
}

/**
 * Asks until it is answered, for servers that start at the same time as the command. What is waited for is told once, and
 * again when it changes; only a server that is away is waited for.
 *
 * @throws Refusal the last one, when `waitMs` is over
 */
export async function awaitAnswer(
  { output, signal }: Pick<Session, 'output' | 'signal'>,
  waitMs: number,
  ask: () => Promise<void>,
): Promise<void> {
  const deadline = Date.now() + waitMs;
  let told = '';
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Refusal) || error.exitCode !== exitCodes.unreachable) throw error;
      if (Date.now() + everyMs > deadline) throw error;
      if (error.message !== told) output.note(`waiting: ${error.message}`);
      told = error.message;
    }
    await sleep(everyMs, undefined, { signal });
  }
}

/** Waits until the history answers and has all tables that this program knows of, and Temporal answers. */
export async function awaitServers(session: Session, waitMs: number): Promise<void> {
  await awaitAnswer(session, waitMs, async () => {
    await withHistory(session.settings, async (pool) => {
      const pending = await listPending(pool).catch(explainRights);
      if (pending.length === 0) return;
      throw new Refusal(
        `The history lacks ${pending.length === 1 ? 'the migration' : 'the migrations'} ${pending.join(', ')}`,
        'Make them with: actcore migrate',
        exitCodes.unreachable,
      );
    });
    await withTemporal(session.settings, async () => {});
  });
}

/** A login is made before it is given its role, and tables before the rights on them. */
function explainRights(error: unknown): never {
  if (!(error instanceof pg.DatabaseError) || error.code !== '42501') throw error;
  throw new Refusal(
    'This user may not read the history',
    'Give the login a role that `actcore migrate --roles` has made.',
    exitCodes.unreachable,
  );
}
