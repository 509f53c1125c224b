import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { startExample } from './example-process.ts';
import type { ExampleOptions } from './example-process.ts';
import { usualPorts } from './ports.ts';
import type { Stack } from './stack.ts';

/** The example target, in a process of its own, with its demo repositories. */
export interface ExampleHub {
  url: string;
  token: string;
  stop: () => Promise<void>;
}

/**
 * Starts the example State Hub on the stack's Postgres, its repositories in the state folder.
 * @throws StackProblem when it does not answer within 30 s.
 */
export async function startExampleHub(stack: Stack, options: ExampleOptions): Promise<ExampleHub> {
  const token = randomBytes(24).toString('base64url');
  const environment = (port: number) => ({
    STATE_HUB_DATABASE_URL: stack.databaseUrl,
    STATE_HUB_DEMO: '1',
    STATE_HUB_DIR: join(options.stateDir, 'state-hub'),
    STATE_HUB_PORT: String(port),
    STATE_HUB_TOKEN: token,
  });
  const place = { name: 'state_hub', folder: 'state-hub', usualPort: usualPorts.stateHub } as const;
  const hub = await startExample({ ...place, title: 'The example State Hub', environment }, stack, options);
  return { ...hub, token };
}
