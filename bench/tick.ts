import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { request } from 'undici';
import { compileFiles } from '../compiler/compile-files.ts';
import type { Definition } from '../compiler/definition.ts';
import { printProgress } from '../dev/progress.ts';
import { startStack } from '../dev/stack.ts';
import type { Stack } from '../dev/stack.ts';
import { openHistory } from '../history/database.ts';
import { migrate } from '../history/migrate.ts';
import { runOptions } from '../schedules/desired.ts';
import { ensureSearchAttributes } from '../schedules/search-attributes.ts';
import { installRuntime } from '../worker/runtime.ts';
import { startWorker } from '../worker/worker.ts';
import { workflowType } from '../workflows/contract.ts';

const runs = 300;
const concurrency = 20;
const rounds = 3;
const target = '/sweep';

/** What a run of ours costs beside a bare Temporal workflow that makes the same HTTP call on the same server. */
export async function measureTick(): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), 'actcore-bench-'));
  installRuntime('ERROR');
  const stack = await startStack({ stateDir, ports: 'any', fast: true, onProgress: printProgress(), env: bareEnv() });
  const server = createServer((_, response) =>
    response.setHeader('content-type', 'application/json').end('{"ok":true}'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await compare(stack, url);
  } finally {
    server.close();
    server.closeAllConnections();
    await stack.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function compare(stack: Stack, url: string): Promise<void> {
  const connection = await Connection.connect({ address: stack.temporalAddress });
  const client = new Client({ connection });
  const stopOurs = await startOurWorker(stack, connection, url);
  const stopBare = await startBareWorker(stack);
  const definition = defineSweep();
  const ours = () =>
    client.workflow.execute(workflowType, {
      ...runOptions(definition, 'manual', 'bench'),
      taskQueue: 'ours',
      workflowId: randomUUID(),
      args: [definition.order, { trigger: 'manual', actor: 'bench' }],
    });
  const bare = () =>
    client.workflow.execute('bareRun', { taskQueue: 'bare', workflowId: randomUUID(), args: [`${url}${target}`] });
  await Promise.all([ours(), bare()]);
  for (let round = 1; round <= rounds; round++) {
    const bareMs = await timeAll(bare);
    const oursMs = await timeAll(ours);
    const perRun = (totalMs: number) => `${(totalMs / runs).toFixed(1)} ms a run`;
    console.log(
      `tick ${round}/${rounds}: ours ${perRun(oursMs)}, bare Temporal ${perRun(bareMs)}, ratio ${(oursMs / bareMs).toFixed(2)}`,
    );
  }
  await Promise.all([stopOurs(), stopBare()]);
  await connection.close();
}

async function timeAll(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  let left = runs;
  const takeTurns = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: concurrency }, takeTurns));
  return performance.now() - startedAt;
}

async function startOurWorker(stack: Stack, connection: Connection, url: string): Promise<() => Promise<void>> {
  const { temporalAddress, temporalNamespace: namespace, databaseUrl } = stack;
  await ensureSearchAttributes(connection, namespace);
  const history = openHistory(databaseUrl);
  await migrate(history);
  await history.end();
  const environment = { TARGET_URL: url };
  const worker = await startWorker({ temporalAddress, namespace, taskQueue: 'ours', databaseUrl, environment });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
  };
}

async function startBareWorker(stack: Stack): Promise<() => Promise<void>> {
  const connection = await NativeConnection.connect({ address: stack.temporalAddress });
  const worker = await Worker.create({
    connection,
    taskQueue: 'bare',
    workflowsPath: fileURLToPath(new URL('./bare-workflow.js', import.meta.url)),
    activities: {
      async call(url: string) {
        const { statusCode, body } = await request(url, { method: 'POST' });
        await body.dump();
        return statusCode;
      },
    },
  });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
    await connection.close();
  };
}

function defineSweep(): Definition {
  const text = `---
id: bench.tick
title: A tick
owner: bench
kind: sweep
schedule: { every: 1h }
env: [TARGET_URL]
budget: { max_seconds: 60 }
sweep:
  request: { method: POST, url: "\${TARGET_URL}${target}" }
  outcome: { automation_error: "!body.ok" }
---
# A tick
`;
  const { definitions, problems } = compileFiles([{ file: 'bench.tick.md', text }]);
  const [definition] = definitions;
  if (definition === undefined) throw new Error(JSON.stringify(problems));
  return definition;
}

/** The environment without what would make the benchmark use somebody else's servers. */
function bareEnv(): NodeJS.ProcessEnv {
  const { TEMPORAL_ADDRESS: _address, ACTCORE_DATABASE_URL: _database, ...env } = process.env;
  return env;
}
