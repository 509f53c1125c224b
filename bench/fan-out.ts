import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MockActivityEnvironment } from '@temporalio/testing';
import { Pool } from 'undici';
import { createActivities } from '../activities/index.ts';
import { compileFiles } from '../compiler/compile-files.ts';
import { printProgress } from '../dev/progress.ts';
import { startStack } from '../dev/stack.ts';
import { openHistory } from '../history/database.ts';
import { openDetailWriter } from '../history/detail-writer.ts';
import { createLedger } from '../history/ledger.ts';
import { migrate } from '../history/migrate.ts';
import { readResults } from '../history/results.ts';
import type { Order, RunReport } from '../workflows/contract.ts';

const targets = 1_000;
const concurrency = 50;
const rounds = 7;
const mostRatio = 1.5;

interface Cost {
  ms: number;
  cpuMs: number;
}

/** What a fan-out costs beside a bare script that makes the same requests with the same client, reads the answers and no more. */
export async function measureFanOut(): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), 'actcore-bench-'));
  const script = fileURLToPath(new URL('fan-out-target.ts', import.meta.url));
  const target = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(target.stdout, 'data')) as [Buffer];
  const url = line.toString().trim();
  const env = { ...process.env };
  delete env['TEMPORAL_ADDRESS'];
  delete env['ACTCORE_DATABASE_URL'];
  const stack = await startStack({ stateDir, ports: 'any', fast: true, onProgress: printProgress(), env });
  const history = openHistory(stack.databaseUrl);
  try {
    await migrate(history);
    await compare(
      () => sweepTargets(history, url),
      () => callBare(url),
    );
  } finally {
    await history.end();
    target.kill();
    await stack.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function compare(ours: () => Promise<void>, bare: () => Promise<void>): Promise<void> {
  for (const warmUp of [ours, bare, ours, bare]) await warmUp();
  const ratios: Cost[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const [first, second] = [await measure(bare), await measure(ours)];
    const ratio = { ms: second.ms / first.ms, cpuMs: second.cpuMs / first.cpuMs };
    ratios.push(ratio);
    console.log(
      `fan-out ${round}/${rounds}: ours ${show(second)}, bare ${show(first)}, ratio ${ratio.ms.toFixed(2)} of time, ${ratio.cpuMs.toFixed(2)} of CPU`,
    );
  }
  const [ms, cpuMs] = [median(ratios.map((ratio) => ratio.ms)), median(ratios.map((ratio) => ratio.cpuMs))];
  console.log(`fan-out: median ratio ${ms.toFixed(2)} of time, ${cpuMs.toFixed(2)} of CPU (limit ${mostRatio})`);
  if (ms > mostRatio || cpuMs > mostRatio) process.exitCode = 1;
}

async function measure(work: () => Promise<void>): Promise<Cost> {
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1_000 };
}

const show = ({ ms, cpuMs }: Cost) => `${Math.round(ms)} ms and ${Math.round(cpuMs)} ms of CPU`;

function median(values: number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const names = Array.from({ length: targets }, (_, index) => `target-${index}`);

const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };

async function sweepTargets(history: ReturnType<typeof openHistory>, url: string): Promise<void> {
  const details = openDetailWriter(history);
  const { sweep } = createActivities({
    ledger: createLedger(history),
    details,
    readResults: (runId, scheduledAt) => readResults(history, runId, scheduledAt),
    environment: { TARGET_URL: url, TARGET_TOKEN: 'secret-of-the-bench' },
    now: () => new Date(),
  });
  const workflow = { workflowId: 'bench', workflowRunId: randomUUID() };
  const scheduledAt = new Date().toISOString();
  const firing = { source: 'activity-core', trigger: 'manual', actor: 'bench', scheduledAt, ...workflow } as const;
  const startedAt = Date.now();
  const times = { scheduledTimestampMs: startedAt, currentAttemptScheduledTimestampMs: startedAt };
  const environment = new MockActivityEnvironment(times, { logger: quiet });
  const report: RunReport = await environment.run(sweep, order, firing);
  if (report.targets?.completed !== targets || report.detailsDropped !== undefined) throw new Error(report.reason);
  await details.close();
}

async function callBare(url: string): Promise<void> {
  const pool = new Pool(url, { connections: concurrency, pipelining: 1 });
  let next = 0;
  let failed = 0;
  const takeTurns = async () => {
    while (next < names.length) {
      const name = names[next++] ?? '';
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: `/at/${name}`,
        headers: { authorization: 'Bearer secret-of-the-bench', 'content-type': 'application/json' },
        body: JSON.stringify({ target: name }),
      });
      const answer = JSON.parse(await body.text()) as { automation_error: unknown };
      if (statusCode !== 200 || answer.automation_error !== null) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, takeTurns));
  await pool.close();
  if (failed > 0) throw new Error(`${failed} calls failed`);
}

const order = defineFanOut();

function defineFanOut(): Order {
  const text = `---
id: bench.fan-out
title: A fan-out
owner: bench
kind: sweep
schedule: { every: 1h }
env: [TARGET_URL]
secrets: [TARGET_TOKEN]
budget: { max_seconds: 60 }
sweep:
  request:
    method: POST
    url: "\${TARGET_URL}/at/\${target}"
    headers: { Authorization: "Bearer \${TARGET_TOKEN}" }
    body: { target: "\${target}" }
  each: { targets: [${names.join(', ')}], concurrency: ${concurrency} }
  outcome:
    lock_skipped: body.status == "lock_skipped"
    automation_error: body.automation_error != null
    assessment_failures: body.assessment_failures
---
# A fan-out
`;
  const { definitions, problems } = compileFiles([{ file: 'bench.fan-out.md', text }]);
  const [definition] = definitions;
  if (definition === undefined) throw new Error(JSON.stringify(problems));
  return definition.order;
}
