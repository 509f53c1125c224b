import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runOptions } from '../../schedules/desired.ts';
import { startWorker } from '../../worker/worker.ts';
import { workflowType } from '../../workflows/contract.ts';
import { tlsFile } from '../activities/support/tls.ts';
import { defineSweep } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { openGrpcProxy } from '../support/grpc-proxy.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { startWorkerProcess } from '../support/worker-process.ts';

let runner: Runner;
beforeAll(async () => {
  runner = await startRunner();
});
afterAll(() => runner.close());

const read = (name: string) => readFileSync(tlsFile(name));
const serverTls = { cert: read('server.pem'), key: read('server.key') };

async function runOnce(): Promise<unknown> {
  const definition = defineSweep('test.access');
  return runner.client.workflow.execute(workflowType, {
    ...runOptions(definition, 'canary', 'tester'),
    taskQueue: runner.taskQueue,
    workflowId: randomUUID(),
    args: [definition.order, { trigger: 'canary', actor: 'tester' }],
  });
}

it('a worker works through a server that wants its certificate and its API key', async () => {
  const proxy = await openGrpcProxy(runner.temporalAddress, {
    tls: { ...serverTls, ca: read('ca.pem'), requestCert: true, rejectUnauthorized: true },
    deny: ({ authorization }) =>
      authorization === 'Bearer let-me-in' ? undefined : { status: 16, message: 'Request unauthorized.' },
  });
  const worker = await startWorkerProcess(runner, {
    TEMPORAL_ADDRESS: proxy.address,
    TEMPORAL_TLS_CA_FILE: tlsFile('ca.pem'),
    TEMPORAL_TLS_CERT_FILE: tlsFile('client.pem'),
    TEMPORAL_TLS_KEY_FILE: tlsFile('client.key'),
    TEMPORAL_API_KEY: 'let-me-in',
  });
  try {
    expect(await runOnce()).toMatchObject({ outcome: 'completed' });
    expect(proxy.calls.some((call) => call[':path']?.endsWith('/RespondActivityTaskCompleted'))).toBe(true);
  } finally {
    worker.signal('SIGTERM');
    const { exitCode, stderr } = await worker.ended;
    expect({ exitCode, isSecret: !stderr.includes('let-me-in') }).toEqual({ exitCode: 0, isSecret: true });
    await proxy.close();
  }
}, 120_000);

it('an API key that is renewed is used from then on, without a new start', async () => {
  let [accepted, given] = ['one', 'one'];
  const proxy = await openGrpcProxy(runner.temporalAddress, {
    tls: serverTls,
    deny: ({ authorization }) =>
      authorization === `Bearer ${accepted}` ? undefined : { status: 16, message: 'Request unauthorized.' },
  });
  const { taskQueue, databaseUrl, environment } = runner;
  const worker = await startWorker({
    ...{ temporalAddress: proxy.address, namespace: 'default', taskQueue, databaseUrl, environment },
    readAccess: () => ({ tls: { serverRootCACertificate: read('ca.pem') }, apiKey: given }),
    renewalMs: 100,
  });
  const running = worker.run();
  try {
    expect(await runOnce()).toMatchObject({ outcome: 'completed' });
    given = 'two';
    accepted = 'two';
    await eventually(async () => proxy.calls.some(({ authorization }) => authorization === 'Bearer two'));
    await eventually(() =>
      worker.vitals.askTemporal().then(
        () => true,
        () => false,
      ),
    );
    expect(await runOnce()).toMatchObject({ outcome: 'completed' });
  } finally {
    worker.shutdown();
    await running;
    await proxy.close();
  }
}, 120_000);
