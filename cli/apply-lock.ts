import type pg from 'pg';
import { underApplyLock } from '../history/apply-lock.ts';
import type { LockHolder } from '../history/apply-lock.ts';
import { withHistory } from './history-service.ts';
import { Refusal } from './refusal.ts';
import type { Settings } from './settings.ts';

/** An apply of a few definitions is over by then; who waits for a long one is told so. */
const patienceMs = 10_000;

/** Opens the history for a command that changes schedules and definitions, while no other one does. */
export async function withApplyLock<Result>(
  settings: Settings,
  command: string,
  use: (client: pg.PoolClient) => Promise<Result>,
  waitMs = patienceMs,
): Promise<Result> {
  return withHistory(settings, async (pool) => {
    const name = `actcore ${command} by ${settings.actor}, process ${process.pid}`;
    const ended = await underApplyLock(pool, name, Math.max(waitMs, patienceMs), use);
    if ('result' in ended) return ended.result;
    throw new Refusal(describeHolder(ended.holder), 'Nothing was changed. Try again when it has ended.');
  });
}

function describeHolder({ name, since }: LockHolder): string {
  const who = name === '' ? 'a session that this user may not see' : name;
  return `Another command is changing the schedules: ${who}, since ${since}`;
}
