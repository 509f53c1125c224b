import { once } from 'node:events';
import pg from 'pg';
import { seedRandom } from './random.ts';
import { createReceiver } from './receiver.ts';
import { ensureLedger } from './schema.ts';
import { advanceLedger, fillLedger } from './workload.ts';

/** A second of the ledger; another is for tests. */
const secondMs = 1_000;

async function main(): Promise<void> {
  const { LEDGER_DATABASE_URL: connectionString = '', LEDGER_TOKEN: token = '' } = process.env;
  const [port, seed] = [Number(process.env['LEDGER_PORT'] ?? 8020), Number(process.env['LEDGER_SEED'] ?? 1)];
  if (connectionString === '' || token === '') throw new Error('LEDGER_DATABASE_URL and LEDGER_TOKEN have to be set');
  const pool = new pg.Pool({ connectionString, max: 2, application_name: 'ledger', connectionTimeoutMillis: 5_000 });
  pool.on('error', () => {});
  const random = seedRandom(seed);
  await withClient(pool, async (client) => {
    await ensureLedger(client);
    await fillLedger(client, random);
  });
  const server = createReceiver({ pool, token }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stopGenerator = generate(pool, random);
  const stop = async (): Promise<void> => {
    stopGenerator();
    server.close();
    server.closeAllConnections();
    await pool.end();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());
  process.stdout.write(`Ledger answers at http://127.0.0.1:${port}\n`);
}

/** Lets the ledger live until the returned function is called. A second that fails is left out: the next may go well. */
function generate(pool: pg.Pool, random: () => number): () => void {
  let second = 0;
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void withClient(pool, (client) => advanceLedger(client, random, (second += 1)))
      .catch(() => {})
      .finally(() => {
        busy = false;
      });
  }, secondMs);
  return () => clearInterval(timer);
}

async function withClient(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await work(client);
  } finally {
    client.release();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`The ledger cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
