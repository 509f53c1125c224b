import pg from 'pg';
import { afterAll, expect, it } from 'vitest';
import { startExampleLedger } from '../../dev/ledger.ts';
import { createDatabase, dropDatabase, renameInUrl } from '../../dev/postgres-database.ts';
import type { Stack } from '../../dev/stack.ts';
import { readTestSetting } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { listens } from '../support/probe.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const adminUrl = readTestSetting('ACTCORE_TEST_DATABASE_URL');
const stateDir = makeTempFolder();
const options = { stateDir, ports: 'any' as const };
afterAll(() => dropDatabase(adminUrl, 'ledger'));

/** A stack on the suite's Postgres: as much of it as the example asks for. */
const stack = {
  embedded: {
    postgres: {
      adminUrl,
      async createDatabase(name: string) {
        await createDatabase(adminUrl, name);
        return renameInUrl(adminUrl, name);
      },
    },
  },
  recordServer() {},
} as unknown as Stack;

it.each(['NEON_DATABASE_URL', 'TRIOS_NEON_DSN', 'DATABASE_URL'])(
  'is not started where the operator watches a database of their own by %s',
  async (name) => {
    expect(await startExampleLedger(stack, { [name]: 'postgres://mine@db.example/ledger' }, options)).toBeUndefined();
  },
);

it('lives and breaks in its database, takes remedies from who has the token, and is gone when it is stopped', async () => {
  const ledger = await startExampleLedger(stack, { DATABASE_URL: '' }, options);
  if (ledger === undefined) throw new Error('it was not started');
  const { environment, stop } = ledger;
  const client = new pg.Client({ connectionString: environment['DATABASE_URL'] });
  await client.connect();
  const read = async (sql: string) => (await client.query<Record<string, string>>(sql)).rows;
  const ask = async (method: string, url: string, token?: string, body?: string) => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) })).status;
  };
  try {
    const dead = "select railway_svc_name as name from workers where last_heartbeat < now() - interval '5 minutes'";
    const [worker] = await read(dead);
    const redeploy = `${environment['REDEPLOY_URL']}/services/${worker?.['name']}/redeploy`;
    expect(await ask('POST', redeploy)).toBe(401);
    expect(await ask('POST', redeploy, 'guessed')).toBe(401);
    expect(await read(dead)).toHaveLength(1);
    expect(await ask('POST', redeploy, environment['REDEPLOY_TOKEN'])).toBe(200);
    expect(await read(`${dead} and railway_svc_name = '${worker?.['name']}'`)).toEqual([]);
    const scale = (body: string) =>
      ask('PATCH', environment['COMPUTE_SCALE_URL'] ?? '', environment['COMPUTE_TOKEN'], body);
    expect(await scale('{"spec":{"replicas":9}}')).toBe(200);
    expect(await read('select id from workers')).toHaveLength(9);
    for (const wrong of ['', '{"spec":{"replicas":1000}}', '{"spec":{"replicas":"9"}}'])
      expect(await scale(wrong)).toBe(422);
    expect(await ask('GET', `${ledger.url}/`, environment['COMPUTE_TOKEN'])).toBe(404);
    await eventually(async () => (await read("select 1 from experiment_queue where status = 'running'")).length > 3);
  } finally {
    await client.end();
    await stop();
  }
  expect(await listens(Number(new URL(ledger.url).port))).toBe(false);
});
