import { execa } from 'execa';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseAnyPort } from '../../dev/ports.ts';
import { runOptions } from '../../schedules/desired.ts';
import { openHttpPort } from '../../worker/http-port.ts';
import type { HttpPages } from '../../worker/http-port.ts';
import { createReadiness } from '../../worker/readiness.ts';
import type { WorkerPhase } from '../../worker/readiness.ts';
import { workflowType } from '../../workflows/contract.ts';
import { runActcore } from '../cli/support/actcore.ts';
import { openHoldingProxy } from '../support/holding-proxy.ts';
import { createTestDatabase, readTestSetting } from '../support/database.ts';
import { defineSweep } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { findPrometheus } from '../support/prometheus.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { openGrpcProxy } from '../support/grpc-proxy.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import type { WorkerProcess } from '../support/worker-process.ts';

const prometheus = await findPrometheus();

describe('the port', () => {
  const pages: HttpPages = {
    readiness: async () => ({ isReady: true, status: 'ready' }),
    metrics: async () => 'a 1\n',
  };
  const anywhere = { host: '127.0.0.1', port: 0 };

  it.for<[string, string, string, number]>([
    ['GET', '/healthz', 'ok\n', 200],
    ['GET', '/readyz', '{"status":"ready"}\n', 200],
    ['GET', '/metrics', 'a 1\n', 200],
    ['GET', '/metrics?x=/healthz', 'a 1\n', 200],
    ['HEAD', '/readyz', '', 200],
    ['GET', '/', 'there are /healthz, /readyz and /metrics\n', 404],
    ['GET', '/healthz/', 'there are /healthz, /readyz and /metrics\n', 404],
    ['GET', '/constructor', 'there are /healthz, /readyz and /metrics\n', 404],
    ['POST', '/healthz', 'use GET or HEAD\n', 405],
    ['DELETE', '/metrics', 'use GET or HEAD\n', 405],
  ])('%s %s', async ([method, path, text, status]) => {
    const { port, close } = await openHttpPort(anywhere, pages);
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    expect({ status: response.status, text: await response.text() }).toEqual({ status, text });
    await close();
  });

  it('says 500 and no more where a page cannot be made', async () => {
    const { port, close } = await openHttpPort(anywhere, {
      ...pages,
      metrics: () => Promise.reject(new Error('password=secret')),
    });
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect([response.status, await response.text()]).toEqual([500, 'this page cannot be made\n']);
    await close();
  });

  it('cuts whoever begins a request and does not end it', async () => {
    const { port, close } = await openHttpPort(anywhere, pages);
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /healthz HTTP/1.1\r\n'));
    const sent = await new Promise((resolve) => {
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.once('close', () => resolve(text));
    });
    expect(sent).toMatch(/^HTTP\/1\.1 408 /);
    await close();
  }, 15_000);

  it('is refused where it cannot be, with the reason', async () => {
    const { port, close } = await openHttpPort(anywhere, pages);
    const taken = openHttpPort({ host: '127.0.0.1', port }, pages);
    await expect(taken).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: the port is taken`);
    await expect(openHttpPort({ host: 'no-such-host.invalid', port: 0 }, pages)).rejects.toThrow(
      /^cannot listen on no-/,
    );
    await expect(openHttpPort({ host: '203.0.113.1', port: 0 }, pages)).rejects.toThrow('does not have that address');
    await close();
  });
});

describe('readiness', () => {
  const answers = () => Promise.resolve();
  const fails = () => Promise.reject(new Error('away'));
  const hangs = () => new Promise<never>(() => {});

  it.for<[string, WorkerPhase, () => Promise<void>, () => Promise<void>, object]>([
    ['all is well', 'polling', answers, answers, { isReady: true, status: 'ready', temporal: 'answers' }],
    [
      'the history is away',
      'polling',
      answers,
      fails,
      { isReady: true, status: 'degraded', history: 'does not answer' },
    ],
    ['the history hangs', 'polling', answers, hangs, { isReady: true, status: 'degraded', history: 'does not answer' }],
    ['Temporal is away', 'polling', fails, answers, { isReady: false, status: 'unready', temporal: 'does not answer' }],
    ['Temporal hangs', 'polling', hangs, answers, { isReady: false, status: 'unready', temporal: 'does not answer' }],
    ['it starts', 'starting', fails, fails, { isReady: false, status: 'starting' }],
    ['it drains', 'draining', answers, answers, { isReady: false, status: 'draining' }],
  ])('where %s', async ([, phase, askTemporal, askHistory, says]) => {
    expect(await createReadiness({ phase: () => phase, askTemporal, askHistory }).readiness()).toMatchObject(says);
  });

  it('asks once for many who ask', async () => {
    let asked = 0;
    const count = async () => void (asked += 1);
    const { readiness } = createReadiness({ phase: () => 'polling', askTemporal: count, askHistory: answers });
    await Promise.all(Array.from({ length: 50 }, readiness));
    await readiness();
    expect(asked).toBe(1);
  });
});

describe('a worker process', () => {
  let runner: Runner;
  let worker: WorkerProcess;
  let http: string;
  let database: Awaited<ReturnType<typeof openHoldingProxy>>;
  let temporal: Awaited<ReturnType<typeof openGrpcProxy>>;

  beforeAll(async () => {
    runner = await startRunner();
    database = await openHoldingProxy(runner.databaseUrl);
    temporal = await openGrpcProxy(runner.temporalAddress);
    http = `127.0.0.1:${await chooseAnyPort()}`;
    worker = await startWorkerProcess(runner, {
      TEMPORAL_ADDRESS: temporal.address,
      ACTCORE_DATABASE_URL: database.url,
      ACTCORE_HTTP_ADDRESS: http,
    });
  }, 90_000);
  afterAll(async () => {
    worker.signal('SIGKILL');
    await worker.ended;
    await temporal.close();
    await database.close();
    await runner.close();
  });

  async function show(path: string) {
    const response = await fetch(`http://${http}${path}`);
    return { status: response.status, text: await response.text() };
  }

  it('shows its runs, its state and the SDK on /metrics, in a format that Prometheus reads', async () => {
    const definition = defineSweep('test.measured');
    const options = {
      ...runOptions(definition, 'canary', 'tester'),
      taskQueue: runner.taskQueue,
      workflowId: randomUUID(),
      args: [definition.order, { trigger: 'canary', actor: 'tester' }],
    };
    await (await runner.client.workflow.start(workflowType, options)).result();
    const { text } = await show('/metrics');
    expect(text).toMatch(/^actcore_build_info\{version="[\d.]+",node="[\d.]+"\} 1$/m);
    expect(text).toContain(
      'actcore_runs_total{definition="test.measured",outcome="completed",assessment="passed"} 1\n',
    );
    expect(text).toContain('actcore_run_duration_seconds_count{definition="test.measured"} 1\n');
    for (const [name, value] of Object.entries({ worker_ready: 1, worker_draining: 0, runs_in_flight: 0 })) {
      expect(text).toContain(`\nactcore_${name} ${value}\n`);
    }
    for (const name of ['temporal_up', 'history_up', 'sdk_metrics_up']) expect(text).toContain(`\nactcore_${name} 1\n`);
    expect(text).toContain('actcore_ledger_queue_depth 0');
    expect(text).toMatch(/^temporal_activity_task_received_total\{.*\} 1$/m);
    // Nothing of the definition but its name, and nothing that opens a door.
    for (const hidden of [runner.secret, runner.target.url, new URL(runner.databaseUrl).password, 'Bearer']) {
      expect(text).not.toContain(hidden);
    }
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  it.skipIf('missing' in prometheus)('passes promtool, but for names that others gave', async () => {
    const { text } = await show('/metrics');
    const promtool = 'file' in prometheus ? join(dirname(prometheus.file), 'promtool') : '';
    const { stdout, stderr, exitCode } = await execa(promtool, ['check', 'metrics'], { input: text, reject: false });
    // 1 is text that cannot be read; 3 is a name that it would not have chosen.
    expect([0, 3]).toContain(exitCode);
    const complaints = `${stdout}\n${stderr}`.split('\n').filter((line) => line.startsWith('actcore_'));
    expect(complaints.filter((line) => !line.startsWith('actcore_ledger_write_latency_ms'))).toEqual([]);
  });

  it('stays ready without its history, and says so; without Temporal it is not ready, and lives', async () => {
    expect(JSON.parse((await show('/readyz')).text)).toEqual({
      status: 'ready',
      temporal: 'answers',
      history: 'answers',
    });
    await database.close();
    const degraded = await eventually(async () => {
      const shown = await show('/readyz');
      return shown.text.includes('degraded') ? shown : undefined;
    });
    expect(degraded).toMatchObject({ status: 200 });
    expect(JSON.parse(degraded.text)).toEqual({ status: 'degraded', temporal: 'answers', history: 'does not answer' });
    expect((await show('/metrics')).text).toContain('\nactcore_history_up 0\n');
    await temporal.close();
    await eventually(async () => (await show('/readyz')).status === 503);
    expect(JSON.parse((await show('/readyz')).text)).toMatchObject({ status: 'unready', temporal: 'does not answer' });
    expect((await show('/healthz')).status).toBe(200);
  });
});

it('a worker that starts before the tables are there says so, with what to do, and works', async () => {
  const runner = await startRunner();
  const database = await createTestDatabase();
  const worker = await startWorkerProcess(runner, { ACTCORE_DATABASE_URL: database.url });
  worker.signal('SIGTERM');
  const { exitCode, stderr } = await worker.ended;
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(
    / has no tables yet; runs are recorded once it is there\n {2}Make them with: actcore migrate\n/,
  );
  await database.drop();
  await runner.close();
});

it('actcore worker refuses a port that is taken', async () => {
  const database = await createTestDatabase();
  const { hostname, port } = new URL(database.url);
  const ended = await runActcore(['worker', '--http', `${hostname}:${port}`], {
    env: {
      ACTCORE_DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: readTestSetting('ACTCORE_TEST_TEMPORAL_ADDRESS'),
    },
  });
  expect(ended).toMatchObject({
    exitCode: 1,
    stderr: `error: cannot listen on ${hostname}:${port}: the port is taken`,
  });
  await database.drop();
});
