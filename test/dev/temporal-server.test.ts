import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chooseAnyPort } from '../../dev/ports.ts';
import { obtainTemporalBinary } from '../../dev/temporal-binary.ts';
import { describesNamespace, startTemporalServer, type TemporalServer } from '../../dev/temporal-server.ts';
import { searchAttributes } from '../../workflows/contract.ts';
import { findProcesses, listens } from '../support/probe.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { readTestSetting } from '../support/database.ts';
import { startOwnTemporalServer } from '../support/temporal-server.ts';
import { slackMs } from '../support/slack.ts';

let server: TemporalServer;
let metricsPort: number;
const stateDir = makeTempFolder();

beforeAll(async () => {
  const { path: binary } = await obtainTemporalBinary();
  metricsPort = await chooseAnyPort();
  const [port, uiPort] = [await chooseAnyPort(), await chooseAnyPort()];
  server = await startTemporalServer({ binary, stateDir, port, uiPort, metricsPort });
});

afterAll(async () => {
  await server?.stop();
});

async function withClient<Result>(address: string, use: (client: Client) => Promise<Result>): Promise<Result> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

it('answers with its UI, and every search attribute of the contract is a Keyword', async () => {
  expect(await describesNamespace(server.address, 'default', 2_000)).toBe(true);
  expect((await fetch(server.uiUrl)).status).toBe(200);
  const { customAttributes } = await withClient(server.address, (client) =>
    client.connection.operatorService.listSearchAttributes({ namespace: 'default' }),
  );
  const keyword = 2;
  for (const name of Object.values(searchAttributes)) expect(customAttributes?.[name]).toBe(keyword);
});

it("is the suite's server too", async () => {
  expect(await describesNamespace(readTestSetting('ACTCORE_TEST_TEMPORAL_ADDRESS'), 'default', 2_000)).toBe(true);
});

it.runIf(process.platform === 'linux')('runs in a session of its own, out of reach of a Ctrl-C in the terminal', () => {
  const [, , group, session] = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  expect([group, session]).toEqual([`${server.pid}`, `${server.pid}`]);
});

it('starts activities eagerly, and keeps its database in WAL mode', async () => {
  const connection = await NativeConnection.connect({ address: server.address });
  const workflowsPath = fileURLToPath(new URL('fixtures/eager-workflow.ts', import.meta.url));
  const activities = { answer: () => Promise.resolve(42) };
  const worker = await Worker.create({ connection, taskQueue: 'eager', workflowsPath, activities });
  await worker.runUntil(
    withClient(server.address, async (client) => {
      // A worker that has just come up may refuse the first ones.
      await expect
        .poll(
          async () => {
            const workflowId = `eager-${randomUUID()}`;
            await client.workflow.execute('askOnce', { taskQueue: 'eager', workflowId });
            return countEagerStarts();
          },
          { timeout: 10_000, interval: 100 },
        )
        .toBeGreaterThan(0);
    }),
  );
  await connection.close();
  const sqliteHeader = readFileSync(`${stateDir}/temporal/temporal.db`).subarray(18, 20);
  expect([...sqliteHeader]).toEqual([2, 2]);
});

async function countEagerStarts(): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const lines = metrics.split('\n').filter((line) => line.startsWith('activity_eager_execution'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

it('quotes the end of its log when its port is taken', async () => {
  const blocker = await occupyPort();
  const port = (blocker.address() as { port: number }).port;
  const { path: binary } = await obtainTemporalBinary();
  const folder = makeTempFolder();
  const starting = startTemporalServer({ binary, stateDir: folder, port, uiPort: await chooseAnyPort() });
  await expect(starting).rejects.toMatchObject({
    name: 'StackProblem',
    message: expect.stringMatching(/ended while it was starting[\s\S]*address already in use/) as string,
  });
  blocker.close();
  expect(findProcesses(folder)).toEqual([]);
});

it('keeps workflows over a stop and a start on the same state and port, and leaves nothing', async () => {
  const own = await startOwnTemporalServer();
  const [port, uiPort] = [Number(own.address.split(':')[1]), Number(own.uiUrl.split(':')[2])];
  await withClient(own.address, (client) => client.workflow.start('none', { taskQueue: 'none', workflowId: 'kept' }));
  const stoppingAt = Date.now();
  await own.stop();
  expect(Date.now() - stoppingAt).toBeLessThan(6_000 + slackMs);
  expect(await Promise.all([listens(port), listens(uiPort)])).toEqual([false, false]);
  expect(findProcesses(`--port ${port}`)).toEqual([]);
  await own.start();
  const { workflowId } = await withClient(own.address, (client) => client.workflow.getHandle('kept').describe());
  expect(workflowId).toBe('kept');
  await own.remove();
});

it('says after the time limit that an address does not answer, also when it accepts connections', async () => {
  const mute = await occupyPort();
  const startedAt = Date.now();
  const address = `127.0.0.1:${(mute.address() as { port: number }).port}`;
  expect(await describesNamespace(address, 'default', 1_000)).toBe(false);
  expect(Date.now() - startedAt).toBeLessThan(3_500 + slackMs);
  mute.close();
});

function occupyPort(): Promise<Server> {
  const blocker = createServer((socket) => socket.unref());
  return new Promise((resolve) => blocker.listen(0, '127.0.0.1', () => resolve(blocker)));
}
