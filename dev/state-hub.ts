import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseAnyPort, chooseFreePort, usualPorts } from './ports.ts';
import { endSteps } from './process-end.ts';
import { awaitReady, spawnServer } from './server-process.ts';
import type { Stack } from './stack.ts';

const readyTimeoutMs = 30_000;
const builtEntry = fileURLToPath(new URL('../examples/state-hub/main.js', import.meta.url));
const sourceEntry = fileURLToPath(new URL('../examples/state-hub/main.ts', import.meta.url));

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
export async function startExampleHub(
  stack: Stack,
  options: { stateDir: string; ports?: 'usual' | 'any'; signal?: AbortSignal },
): Promise<ExampleHub> {
  const port = options.ports === 'any' ? await chooseAnyPort() : await chooseFreePort(usualPorts.stateHub);
  const token = randomBytes(24).toString('base64url');
  const logFile = join(options.stateDir, 'state-hub.log');
  const server = await spawnServer({
    name: 'state_hub',
    file: process.execPath,
    args: existsSync(builtEntry) ? [builtEntry] : ['--import', import.meta.resolve('tsx'), sourceEntry],
    cwd: options.stateDir,
    env: {
      ...process.env,
      STATE_HUB_DATABASE_URL: stack.databaseUrl,
      STATE_HUB_DEMO: '1',
      STATE_HUB_DIR: join(options.stateDir, 'state-hub'),
      STATE_HUB_PORT: String(port),
      STATE_HUB_TOKEN: token,
    },
    logFile,
    port,
    endSteps: endSteps.state_hub,
    onSpawn: stack.recordServer,
  });
  const url = `http://127.0.0.1:${port}`;
  await awaitReady(
    server,
    { title: 'The example State Hub', logFile, timeoutMs: readyTimeoutMs, signal: options.signal },
    () => answers(url),
  );
  return { url, token, stop: server.stop };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}
