import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MockActivityEnvironment } from '@temporalio/testing';
import { Pool } from 'undici';
import { openHostGuard } from '../activities/host-guard.ts';
import { openHttpClient } from '../activities/http-client.ts';
import { createActivities } from '../activities/index.ts';
import { compileFiles } from '../compiler/compile-files.ts';
import { printProgress } from '../dev/progress.ts';
import { startStack } from '../dev/stack.ts';
import { openHistory } from '../history/database.ts';
import { openDetailWriter } from '../history/detail-writer.ts';
import { createLedger } from '../history/ledger.ts';
import { migrate } from '../history/migrate.ts';
import { readResults } from '../history/results.ts';
import { createWatchLedger } from '../history/watch-ledger.ts';
import type { Order, RunReport } from '../workflows/contract.ts';

const targets = 1_000;
const concurrency = 50;
const warmUps = 15;
const rounds = 25;
const mostRatio = 1.5;

interface Cost {
  ms: number;
  cpuMs: number;
}

/** What a fan-out costs beside a bare script that makes the same requests with the same client, reads the answers and no more. */
export async function measureFanOut(): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), 'actcore-bench-'));
  const script = fileURLToPath(new URL('fan-out-target.js', import.meta.url));
  const target = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
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
      () => callUndici(url),
    );
  } finally {
    await history.end();
    target.kill();
    await stack.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function compare(ours: () => Promise<void>, bare: () => Promise<void>, undici: () => Promise<void>) {
  for (let warmUp = 0; warmUp < warmUps; warmUp += 1) for (const work of [ours, bare, undici]) await work();
  const ratios: { byBare: Cost; byUndici: Cost }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const costs = { undici: await measure(undici), bare: await measure(bare), ours: await measure(ours) };
    ratios.push({ byBare: divide(costs.ours, costs.bare), byUndici: divide(costs.ours, costs.undici) });
    const told = Object.entries(costs).map(([name, { ms, cpuMs }]) => `${name} ${Math.round(ms)}/${Math.round(cpuMs)}`);
    console.log(`fan-out ${round}/${rounds}: ${told.join(', ')} (ms of time / of CPU)`);
  }
  const byBare = {
    ms: median(ratios, (ratio) => ratio.byBare.ms),
    cpuMs: median(ratios, (ratio) => ratio.byBare.cpuMs),
  };
  const byUndici = median(ratios, (ratio) => ratio.byUndici.cpuMs);
  console.log(
    `fan-out: ${byBare.ms.toFixed(2)} times the time and ${byBare.cpuMs.toFixed(2)} times the CPU of a bare script on the same client (limit ${mostRatio}), ${byUndici.toFixed(2)} times the CPU of one on bare undici; medians of ${rounds}`,
  );
  if (byBare.ms > mostRatio || byBare.cpuMs > mostRatio) process.exitCode = 1;
}

const divide = (left: Cost, right: Cost): Cost => ({ ms: left.ms / right.ms, cpuMs: left.cpuMs / right.cpuMs });

async function measure(work: () => Promise<void>): Promise<Cost> {
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1_000 };
}

function median<Item>(items: Item[], read: (item: Item) => number): number {
  const values = items.map(read).sort((left, right) => left - right);
  return values[Math.floor(values.length / 2)] ?? Number.NaN;
}

const names = Array.from({ length: targets }, (_, index) => `target-${index}`);

const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };

async function sweepTargets(history: ReturnType<typeof openHistory>, url: string): Promise<void> {
  const details = openDetailWriter(history);
  const { sweep } = createActivities({
    ledger: createLedger(history),
    details,
    watch: createWatchLedger(history),
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

/** A script that asks every target and looks at the answer, by whatever sends a request and reads the text. */
async function callAll(send: (name: string) => Promise<{ status: number; text: string }>): Promise<void> {
  let next = 0;
  let failed = 0;
  const takeTurns = async () => {
    while (next < names.length) {
      const { status, text } = await send(names[next++] ?? '');
      const answer = JSON.parse(text) as { automation_error: unknown };
      if (status !== 200 || answer.automation_error !== null) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, takeTurns));
  if (failed > 0) throw new Error(`${failed} calls failed`);
}

/** The same as those of a fan-out. */
const describe = () => {
  const key = randomUUID();
  const trace = `00-${key.replaceAll('-', '')}-${randomUUID().slice(19).replace('-', '')}-01`;
  return { ...usualHeaders, 'idempotency-key': key, traceparent: trace };
};
const usualHeaders = {
  accept: 'application/json',
  'user-agent': 'activity-core',
  'content-type': 'application/json',
  authorization: 'Bearer secret-of-the-bench',
};
const write = (name: string) => JSON.stringify({ target: name });

async function callBare(url: string): Promise<void> {
  const environment = {};
  const client = await openHttpClient({ guard: openHostGuard(environment), environment, connections: concurrency });
  const { signal } = new AbortController();
  await callAll((name) =>
    client.exchange({ method: 'POST', url: `${url}/at/${name}`, headers: describe(), body: write(name) }, signal),
  );
  await client.close();
}

async function callUndici(url: string): Promise<void> {
  const pool = new Pool(url, { connections: concurrency, pipelining: 1 });
  await callAll(async (name) => {
    const { statusCode, body } = await pool.request({
      ...{ method: 'POST', path: `/at/${name}`, headers: describe(), body: write(name) },
    });
    return { status: statusCode, text: await body.text() };
  });
  await pool.close();
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
