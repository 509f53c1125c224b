import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { seedRandom } from '../examples/ledger/random.ts';
import { createReceiver } from '../examples/ledger/receiver.ts';
import { ensureLedger } from '../examples/ledger/schema.ts';
import { advanceLedger, fillLedger } from '../examples/ledger/workload.ts';
import { keepLedgerLog } from './ledger-log.ts';
import type { Stage } from './stage.ts';

const secondMs = 1_000;
const seed = 1;

/** The example ledger in a database of the drill's, with the log of what happens in it. */
export interface LedgerLife {
  pool: pg.Pool;
  /** What a worker needs to watch it. */
  environment: Record<string, string>;
  /** Lets it break something every few seconds, until the returned function has ended. */
  begin: () => () => Promise<void>;
  close: () => Promise<void>;
}

/** Makes the ledger, and the receiver of the requests that its watchdog may send. */
export async function openLedger(stage: Stage): Promise<LedgerLife> {
  const connectionString = await stage.createDatabase('drill_ledger');
  const pool = new pg.Pool({ connectionString, max: 4, application_name: 'ledger' });
  pool.on('error', () => {});
  const random = seedRandom(seed);
  await withClient(pool, async (client) => {
    await ensureLedger(client);
    await keepLedgerLog(client);
    await fillLedger(client, random);
  });
  const token = randomBytes(12).toString('hex');
  const server = createReceiver({ pool, token }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    pool,
    environment: {
      ...{ DATABASE_URL: connectionString, REDEPLOY_URL: url, COMPUTE_SCALE_URL: `${url}/scale` },
      ...{ REDEPLOY_TOKEN: token, COMPUTE_TOKEN: token },
    },
    begin: () => live(pool, random),
    async close() {
      server.closeAllConnections();
      server.close();
      await pool.end();
    },
  };
}

function live(pool: pg.Pool, random: () => number): () => Promise<void> {
  let second = 0;
  let current: Promise<void> | undefined;
  const timer = setInterval(() => {
    current ??= withClient(pool, (client) => advanceLedger(client, random, (second += 1)))
      .catch(() => {})
      .finally(() => (current = undefined));
  }, secondMs);
  return async () => {
    clearInterval(timer);
    await current;
  };
}

async function withClient(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await work(client);
  } finally {
    client.release();
  }
}
