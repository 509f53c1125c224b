import { join } from 'node:path';
import type { Definition } from '../compiler/definition.ts';
import { startLocalTimer } from '../dev/local-timer.ts';
import { locateEntry } from '../dev/program-entry.ts';
import type { Stack } from '../dev/stack.ts';
import { nextTicks } from '../ticks/ticks.ts';
import type { Settings } from './settings.ts';

const source = 'local-timer';

/** What the timer works with, and where. */
interface TimerPlace {
  stack: Stack;
  settings: Settings;
  targetEnvironment: Record<string, string>;
  stateDir: string;
}

/**
 * Starts the example timer for the definition that names it as a source, at the very ticks of that; returns what to tell
 * of it, and nothing where no definition does.
 */
export async function startTimer(
  definitions: Definition[],
  { stack, settings, targetEnvironment, stateDir }: TimerPlace,
  cleanups: (() => Promise<void>)[],
): Promise<string | undefined> {
  const driven = definitions.find(({ sources }) => sources[source] !== undefined);
  const cadence = driven?.sources[source];
  const [first, second] = cadence === undefined ? [] : nextTicks(cadence, Date.now(), 2);
  if (driven === undefined || first === undefined || second === undefined) return undefined;
  const everyMs = second - first;
  const names = ['--definition', driven.id, '--source', source];
  const timer = await startLocalTimer(
    {
      everySeconds: everyMs / 1_000,
      offsetSeconds: (first % everyMs) / 1_000,
      wrapper: [process.execPath, ...locateEntry('cli/main'), 'exec', ...names, '--judge', '--'],
      env: {
        ...process.env,
        ...targetEnvironment,
        ACTCORE_DATABASE_URL: settings.databaseUrl,
        ACTCORE_SPOOL_DIR: join(stateDir, 'spool'),
      },
    },
    stack,
    stateDir,
  );
  cleanups.push(timer.stop);
  const at = new Date(first).toISOString().slice(11, 19);
  return `A local timer fires ${driven.id} at the same ticks, under actcore exec; the next one is ${at} UTC.`;
}
