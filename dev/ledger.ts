import { randomBytes } from 'node:crypto';
import { startExample } from './example-process.ts';
import type { ExampleOptions } from './example-process.ts';
import { usualPorts } from './ports.ts';
import { databaseExists, renameInUrl } from './postgres-database.ts';
import type { Stack } from './stack.ts';

/** Where the ledger watchdog looks for its database; an operator who has set one of them watches that. */
const databaseVariables = ['NEON_DATABASE_URL', 'TRIOS_NEON_DSN', 'DATABASE_URL'];

/** The variable by which the operator names a database of their own for the ledger watchdog; undefined where none does. */
export function findOwnLedger(env: NodeJS.ProcessEnv): string | undefined {
  return databaseVariables.find((name) => env[name]);
}

const databaseName = 'ledger';

/** The example database of the ledger watchdog, with the process that breaks rows in it. */
export interface ExampleLedger {
  url: string;
  /** What a worker needs to watch it, and to ask for remedies. */
  environment: Record<string, string>;
  stop: () => Promise<void>;
}

/**
 * Starts the example ledger on the embedded Postgres. Undefined where the operator has a database of their own to watch, or where no
 * Postgres is embedded in which to make one.
 * @throws StackProblem when it does not answer within 30 s.
 */
export async function startExampleLedger(
  stack: Stack,
  env: NodeJS.ProcessEnv,
  options: ExampleOptions,
): Promise<ExampleLedger | undefined> {
  const postgres = stack.embedded.postgres;
  if (postgres === undefined || findOwnLedger(env) !== undefined) return undefined;
  const { adminUrl, createDatabase } = postgres;
  const databaseUrl = (await databaseExists(adminUrl, databaseName))
    ? renameInUrl(adminUrl, databaseName)
    : await createDatabase(databaseName);
  const token = randomBytes(24).toString('base64url');
  const environment = (port: number) => ({
    LEDGER_DATABASE_URL: databaseUrl,
    LEDGER_PORT: String(port),
    LEDGER_TOKEN: token,
  });
  const place = { name: 'ledger', folder: 'ledger', usualPort: usualPorts.ledger } as const;
  const { url, stop } = await startExample({ ...place, title: 'The example ledger', environment }, stack, options);
  const remedies = {
    REDEPLOY_URL: url,
    REDEPLOY_TOKEN: token,
    COMPUTE_SCALE_URL: `${url}/scale`,
    COMPUTE_TOKEN: token,
  };
  return { url, environment: { DATABASE_URL: databaseUrl, ...remedies }, stop };
}
