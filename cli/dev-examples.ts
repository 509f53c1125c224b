import { findOwnLedger, startExampleLedger } from '../dev/ledger.ts';
import type { Stack } from '../dev/stack.ts';
import { startExampleHub } from '../dev/state-hub.ts';

/** The examples that run beside the stack. */
interface Examples {
  /** What to tell of each. */
  lines: string[];
  /** What a worker needs for the example target. */
  targetEnvironment: Record<string, string>;
  /** The same for the example ledger; absent where there is none. */
  ledgerEnvironment?: Record<string, string>;
}

/** Starts the examples; how to stop each is put on `cleanups` as soon as it runs, also where another cannot start. */
export async function startExamples(
  stack: Stack,
  env: NodeJS.ProcessEnv,
  place: Parameters<typeof startExampleHub>[1],
  cleanups: (() => Promise<void>)[],
): Promise<Examples> {
  const starts = [startExampleHub(stack, place), startExampleLedger(stack, env, place)] as const;
  for (const ended of await Promise.allSettled(starts)) {
    if (ended.status === 'fulfilled' && ended.value !== undefined) cleanups.push(ended.value.stop);
  }
  const [hub, ledger] = await Promise.all(starts);
  return {
    lines: [`State Hub (the example target) on ${hub.url}`, describeLedger(ledger?.url, findOwnLedger(env))],
    targetEnvironment: { STATE_HUB_URL: hub.url, STATE_HUB_TOKEN: hub.token },
    ...(ledger && { ledgerEnvironment: ledger.environment }),
  };
}

function describeLedger(url: string | undefined, variable: string | undefined): string {
  if (url !== undefined) return `Ledger (the example database, with rows that break) on ${url}`;
  return variable === undefined
    ? 'No example ledger: it needs the embedded Postgres'
    : `No example ledger: ${variable} of this terminal is the database that the ledger watchdog watches`;
}
