import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { chooseAnyPort } from '../dev/ports.ts';
import { startPostgres } from '../dev/postgres.ts';
import { openHistory } from '../history/database.ts';
import { findDue } from '../history/due-facts.ts';
import { countErrors, listErrors } from '../history/errors.ts';
import {
  countGaps,
  countQuarantined,
  countTooShort,
  listApplied,
  listFailing,
  listHeadroom,
  listRetiredReports,
  listRunning,
  listUnreconciled,
  measureSize,
} from '../history/health-queries.ts';
import { findLastLook } from '../history/schedule-states.ts';
import { readHeadroom } from '../history/headroom.ts';
import { migrate } from '../history/migrate.ts';
import { findRun, findRunIds, listRuns } from '../history/queries.ts';
import { readResults } from '../history/results.ts';
import { listTracked } from '../history/in-force.ts';
import { listSourceRuns } from '../history/source-runs.ts';
import { type GeneratedHistory, definitions, generateHistory, nameOf, sources } from './history-data.ts';
import { measureWrites } from './history-writes.ts';
import { captureStatements, explainStatement, findReadRelations } from './query-plans.ts';

export interface HistoryBenchOptions {
  runs: number;
  /** Prints the plan of every statement. */
  explain: boolean;
}

/** A question of an operator, and what its answer may read. */
interface Question {
  name: string;
  ask: (pool: pg.Pool) => Promise<unknown>;
  /** Of `runs`: the most partitions that it needs. */
  partitions: number;
}

const rounds = 30;
const limitMs = 50;
/** What a run takes on disk with its indexes, generously. */
const bytesARun = 1_300;
/** In fewer rows than this the server rightly prefers to read a partition from end to end. */
const leastRunsForPlans = 1_000_000;
const allPartitions = 14;

/** How long the questions of operators take over a long history, and what writing a run costs beside a bare INSERT. */
export async function measureHistory({ runs, explain }: HistoryBenchOptions): Promise<void> {
  await checkSpace(runs);
  const stateDir = await mkdtemp(join(tmpdir(), 'actcore-bench-'));
  const server = await startPostgres({ stateDir, port: await chooseAnyPort() });
  const pool = openHistory(server.url);
  try {
    await migrate(pool);
    const startedAt = performance.now();
    const made = await generateHistory(server.url, runs, (text) => console.error(`history: ${text}`));
    const tookS = Math.round((performance.now() - startedAt) / 1_000);
    const gigabytes = (made.bytes / 1e9).toFixed(2);
    console.log(`history: ${made.runs.toLocaleString('en')} runs, ${gigabytes} GB, made in ${tookS} s`);
    for (const question of await listQuestions(pool, made)) {
      await measureQuestion(pool, question, made.runs >= leastRunsForPlans);
      if (explain) await printPlans(pool, question);
    }
    await measureWrites(pool);
  } finally {
    await pool.end();
    await server.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function checkSpace(runs: number): Promise<void> {
  const { bavail, bsize } = await statfs(tmpdir());
  const [free, needed] = [bavail * bsize, runs * bytesARun];
  if (free > needed * 1.5) return;
  const inGigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new Error(`${tmpdir()} has ${inGigabytes(free)} free; ${runs} runs need about ${inGigabytes(needed)}`);
}

async function listQuestions(pool: pg.Pool, { busyId, quietId }: GeneratedHistory): Promise<Question[]> {
  const { rows } = await pool.query<{ id: string }>(
    "SELECT id FROM actcore.runs WHERE scheduled_at < now() - interval '200 days' ORDER BY scheduled_at DESC LIMIT 1",
  );
  const runId = rows[0]?.id ?? '';
  const until = new Date();
  const since = new Date(until.getTime() - 72 * 3_600_000);
  return [
    {
      name: 'runs of a busy definition',
      ask: (db) => listRuns(db, { definitionId: busyId, limit: 20 }),
      partitions: 2,
    },
    {
      name: 'runs of a quiet definition',
      ask: (db) => listRuns(db, { definitionId: quietId, limit: 20 }),
      partitions: 2,
    },
    { name: 'runs of all', ask: (db) => listRuns(db, { limit: 20 }), partitions: 2 },
    { name: 'run by id', ask: (db) => showRun(db, runId), partitions: allPartitions },
    { name: 'sources of a busy one, 72 h', ask: (db) => askSources(db, busyId, { since, until }), partitions: 2 },
    { name: 'sources of a quiet one, 72 h', ask: (db) => askSources(db, quietId, { since, until }), partitions: 2 },
    { name: 'headroom', ask: (db) => readHeadroom(db, busyId, 30_000), partitions: 2 },
    { name: 'errors of one', ask: (db) => listErrors(db, { definitionId: busyId, limit: 20 }), partitions: 2 },
    { name: 'errors of all', ask: (db) => listErrors(db, { limit: 20 }), partitions: 2 },
    { name: 'health, 60 min', ask: askHealth, partitions: allPartitions },
    { name: 'counts of errors, 72 h', ask: (db) => countErrors(db, { since, limit: 20 }), partitions: 2 },
  ];
}

/** What the command `compare` reads of the rows. */
async function askSources(pool: pg.Pool, id: string, span: { since: Date; until: Date }): Promise<void> {
  const [tracked] = await listTracked(pool, id);
  if (tracked !== undefined) await listSourceRuns(pool, tracked, span);
}

/** All that the command `health` asks, of every definition and source. */
async function askHealth(pool: pg.Pool): Promise<void> {
  const until = new Date();
  const span = { since: new Date(until.getTime() - 3_600_000), until };
  const names = Array.from({ length: definitions }, (_, index) => nameOf(index + 1));
  const dues = names.flatMap((definitionId) =>
    sources.map((source, index) => ({
      ...{ definitionId, source, ticks: 1, isOwn: index === 0, timeoutMs: 360_000 },
      since: new Date(until.getTime() - 7_200_000).toISOString(),
    })),
  );
  await listApplied(pool);
  await listRetiredReports(pool, span);
  await listFailing(pool, span);
  await findDue(pool, dues);
  await listRunning(pool);
  await countGaps(pool, span);
  await listUnreconciled(pool, nameOf(1));
  await countQuarantined(pool);
  await listHeadroom(pool, span, new Map(names.map((name) => [name, 20_000])));
  await countTooShort(pool, span);
  await findLastLook(pool);
  await measureSize(pool);
}

/** As the command `run` does it. */
async function showRun(pool: pg.Pool, runId: string): Promise<void> {
  const [id] = await findRunIds(pool, runId.slice(0, 8), 4);
  const run = id === undefined ? undefined : await findRun(pool, id);
  if (run === undefined) throw new Error(`the history has no run ${runId}`);
  await readResults(pool, run.id, run.scheduledAt);
}

async function measureQuestion(pool: pg.Pool, { name, ask, partitions }: Question, checksPlans: boolean) {
  await ask(pool);
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    await ask(pool);
    times.push(performance.now() - startedAt);
  }
  times.sort((left, right) => left - right);
  const medianMs = times[Math.floor(rounds / 2)] ?? Number.NaN;
  const longestMs = times.at(-1) ?? Number.NaN;
  const read = new Set<string>();
  const whole = new Set<string>();
  for (const statement of await captureStatements(pool, ask)) {
    const found = await findReadRelations(pool, statement);
    for (const relation of found.read) if (relation.startsWith('runs_')) read.add(relation);
    for (const relation of found.scannedWhole) if (/_\d{4}_\d\d$/.test(relation)) whole.add(relation);
  }
  const scanned = whole.size === 0 ? 'none from end to end' : `from end to end: ${[...whole].join(', ')}`;
  const told = `${medianMs.toFixed(1)} ms, longest ${longestMs.toFixed(1)} ms of ${rounds}`;
  console.log(
    `history: ${name.padEnd(30)} ${told} (limit ${limitMs}); ${read.size} partitions of runs read, ${scanned}`,
  );
  const isWide = checksPlans && (read.size > partitions || whole.size > 0);
  if (medianMs > limitMs || isWide) process.exitCode = 1;
}

async function printPlans(pool: pg.Pool, { ask }: Question): Promise<void> {
  for (const statement of await captureStatements(pool, ask)) {
    const lines = (await explainStatement(pool, statement)).split('\n');
    console.log(lines.map((line) => `    ${line}`).join('\n'));
  }
}
