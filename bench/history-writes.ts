import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { compileFiles } from '../compiler/compile-files.ts';
import { createLedger } from '../history/ledger.ts';
import type { Firing, Order, RunReport } from '../workflows/contract.ts';
import type { Statement } from './query-plans.ts';

const rounds = 15;
const writesARound = 200;
const mostRatio = 1.3;

/** What it costs to write how a run ended, beside a bare INSERT of the same row: medians of both, turn by turn. */
export async function measureWrites(pool: pg.Pool): Promise<void> {
  const order = defineSweep();
  const ratios: number[] = [];
  await timeRound(pool, order);
  for (let round = 1; round <= rounds; round += 1) {
    const { oursMs, bareMs } = await timeRound(pool, order);
    ratios.push(oursMs / bareMs);
  }
  ratios.sort((left, right) => left - right);
  const ratio = ratios[Math.floor(rounds / 2)] ?? Number.NaN;
  console.log(
    `history: writing a run costs ${ratio.toFixed(2)} times a bare INSERT of the same row (limit ${mostRatio}); median of ${rounds} rounds of ${writesARound}, from ${ratios[0]?.toFixed(2)} to ${ratios.at(-1)?.toFixed(2)}`,
  );
  if (ratio > mostRatio) process.exitCode = 1;
}

async function timeRound(pool: pg.Pool, order: Order): Promise<{ oursMs: number; bareMs: number }> {
  const ledger = createLedger(pool);
  let [oursMs, bareMs] = [0, 0];
  for (let count = 0; count < writesARound; count += 1) {
    const bare = await composeInsert(order);
    const firing = fire();
    const report = makeReport();
    let startedAt = performance.now();
    await ledger.recordEnd(order, firing, report);
    oursMs += performance.now() - startedAt;
    startedAt = performance.now();
    await pool.query(bare.text, bare.values);
    bareMs += performance.now() - startedAt;
  }
  return { oursMs, bareMs };
}

/** The row that the ledger would write for another run, as an INSERT and nothing else. */
async function composeInsert(order: Order): Promise<Statement> {
  const sent: Statement[] = [];
  const query = (statement: Statement) => {
    sent.push(statement);
    return { rowCount: 1, rows: [] };
  };
  await createLedger({ query } as unknown as pg.Pool).recordEnd(order, fire(), makeReport());
  const [statement] = sent;
  const columns = /INSERT INTO actcore\.runs AS run \(([^)]*)\)/.exec(statement?.text ?? '')?.[1]?.split(', ') ?? [];
  const places = columns.map((_, index) => `$${index + 1}`).join(', ');
  return {
    text: `INSERT INTO actcore.runs (${columns.join(', ')}) VALUES (${places})`,
    values: (statement?.values ?? []).slice(0, columns.length),
  };
}

function fire(): Firing {
  const workflow = { workflowId: `bench.write-${randomUUID()}`, workflowRunId: randomUUID() };
  const scheduledAt = new Date().toISOString();
  return { source: 'activity-core', trigger: 'manual', actor: 'bench', scheduledAt, ...workflow };
}

function makeReport(): RunReport {
  const at = new Date().toISOString();
  return {
    ...{ runId: '', trigger: 'manual', outcome: 'completed', assessment: 'passed', assessmentFailureCount: 0 },
    ...{ assessmentFailures: [], exitCode: 0, reason: 'the target answered 200', startedAt: at, finishedAt: at },
    ...{ latenessMs: 0, attempt: 1, certainty: 'witnessed', recorded: false },
    response: { status: 200, json: '{"status": "completed", "checked": 42, "assessment_failures": []}' },
    stages: { queueMs: 12, connectMs: 3, tlsMs: 0, firstByteMs: 840, bodyMs: 2, retryMs: 0, pollMs: 0 },
  };
}

function defineSweep(): Order {
  const text = `---
id: bench.write
title: A sweep
owner: bench
kind: sweep
schedule: { every: 1h }
budget: { max_seconds: 60 }
sweep:
  request: { method: POST, url: "http://127.0.0.1/sweep" }
---
# A sweep
`;
  const { definitions, problems } = compileFiles([{ file: 'bench.write.md', text }]);
  const [definition] = definitions;
  if (definition === undefined) throw new Error(JSON.stringify(problems));
  return definition.order;
}
