import { expect } from 'vitest';
import type { Stack } from '../../dev/stack.ts';
import { runScript } from './script.ts';

/** The environment of a newcomer: nothing names a server. */
export function clearedEnv(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of ['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'ACTCORE_DATABASE_URL']) delete env[name];
  return env;
}

/** A stack in a process of its own, as `npm start` makes one; prints its addresses when it is up. */
export function startElsewhere(stateDir: string, onUp = 'setInterval(() => {}, 1000);') {
  return runScript(
    `import { startStack } from './dev/stack.ts';
     const stack = await startStack({ stateDir: ${JSON.stringify(stateDir)}, ports: 'any' });
     console.log(JSON.stringify(stack)); ${onUp}`,
    { env: clearedEnv() },
  );
}

/** Waits until that stack is up. */
export async function addressesOf(script: ReturnType<typeof runScript>): Promise<Stack> {
  await expect.poll(script.stdout, { timeout: 90_000 }).toContain('\n');
  return JSON.parse(script.stdout()) as Stack;
}
