import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { detect } from '../activities/watchdog/detect.ts';
import { treatBySql } from '../activities/watchdog/sql-remedy.ts';
import { chooseAnyPort } from '../dev/ports.ts';
import { startPostgres } from '../dev/postgres.ts';
import { openHistory } from '../history/database.ts';
import { migrate } from '../history/migrate.ts';
import { createWatchLedger } from '../history/watch-ledger.ts';
import type { ActionRecord, WatchdogCheck } from '../workflows/contract.ts';
import { defineChecks, findByHand, makeTables, mendByHand, stuckRows } from './watchdog-sample.ts';

const rounds = 9;
const detectTurns = 10;
const most = { each: 5, batch: 1.5, detect: 1.1 };
const timeoutMs = 600_000;

/** Works done in one round, by name, in milliseconds. */
type Round = Record<'byHand' | 'each' | 'batch' | 'history' | 'bareDetect' | 'detect', number>;

/**
 * What it costs to cure 10,000 findings with their triplets beside one UPDATE ... RETURNING and one INSERT of the audit
 * written by hand, and to detect on a million rows beside the bare query. Postgres keeps its promises to the disk.
 */
export async function measureWatchdog(): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), 'actcore-bench-'));
  const server = await startPostgres({ stateDir, port: await chooseAnyPort() });
  const history = openHistory(await server.createDatabase('history'));
  const types = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;
  const client = new pg.Client({ connectionString: server.url, types });
  try {
    await client.connect();
    await migrate(history);
    await makeTables(client);
    await compare(client, history);
  } finally {
    await client.end();
    await history.end();
    await server.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function compare(client: pg.Client, history: pg.Pool): Promise<void> {
  const checks = await defineChecks();
  await playRound(client, history, checks);
  const played: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const times = await playRound(client, history, checks);
    played.push(times);
    const told = Object.entries(times).map(([name, ms]) => `${name} ${Math.round(ms)}`);
    console.log(`watchdog ${round}/${rounds}: ${told.join(', ')} (ms)`);
  }
  const ratios = {
    each: median(played.map(({ each, byHand }) => each / byHand)),
    batch: median(played.map(({ batch, byHand }) => batch / byHand)),
    detect: median(played.map((times) => times.detect / times.bareDetect)),
  };
  const kept = median(played.map(({ history: ms, byHand }) => ms / byHand));
  console.log(
    `watchdog: ${stuckRows} findings cured one by one in ${ratios.each.toFixed(2)} times what it takes by hand (limit ${most.each}), ` +
      `as a batch in ${ratios.batch.toFixed(2)} (limit ${most.batch}); detect ${ratios.detect.toFixed(2)} times the bare query ` +
      `(limit ${most.detect}); keeping the triplets in the history costs ${kept.toFixed(2)} more; medians of ${rounds}`,
  );
  if (ratios.each > most.each || ratios.batch > most.batch || ratios.detect > most.detect) process.exitCode = 1;
}

async function playRound(
  client: pg.Client,
  history: pg.Pool,
  { each, batch, large }: Record<'each' | 'batch' | 'large', WatchdogCheck>,
): Promise<Round> {
  const byHand = await time(client, () => mendByHand(client));
  const prepared: { records: ActionRecord[]; xid: string | undefined }[] = [];
  const eachMs = await time(client, () => cure(client, each, prepared));
  const batchMs = await time(client, () => cure(client, batch, []));
  const historyMs = await time(client, () => keep(history, prepared));
  const { bareDetect, detectMs } = await compareDetect(client, large);
  return { byHand, each: eachMs, batch: batchMs, history: historyMs, bareDetect, detect: detectMs };
}

/** The best of some turns, for a query of a tenth of a second is soon held up; first one, then the other goes first. */
async function compareDetect(client: pg.Client, large: WatchdogCheck) {
  const best = { bareDetect: Infinity, detectMs: Infinity };
  const works = [
    { name: 'bareDetect', work: () => findByHand(client) },
    { name: 'detectMs', work: () => detect(client, large, { timeoutMs }) },
  ] as const;
  for (let turn = 1; turn <= detectTurns; turn += 1) {
    for (const { name, work } of turn % 2 === 0 ? works : works.toReversed()) {
      const startedAt = performance.now();
      await work();
      best[name] = Math.min(best[name], performance.now() - startedAt);
    }
  }
  return best;
}

/** The time of some work, from the same state of the tables on; a function that it gives is what is to be timed. */
async function time(client: pg.Client, work: () => Promise<void | (() => Promise<void>)>): Promise<number> {
  await client.query('CALL break_rows()');
  await client.query('VACUUM ANALYZE queue');
  await client.query('CHECKPOINT');
  let startedAt = performance.now();
  const proper = await work();
  if (proper) {
    startedAt = performance.now();
    await proper();
  }
  return performance.now() - startedAt;
}

/** The remedy alone: what it acts on is detected before. */
async function cure(
  client: pg.Client,
  check: WatchdogCheck,
  prepared: { records: ActionRecord[]; xid: string | undefined }[],
): Promise<() => Promise<void>> {
  const { findings } = await detect(client, check, { timeoutMs });
  const decision = { check: check.name, mode: 'auto', parameters: check.params, threshold: '6 hours', dry_run: false };
  return async () => {
    const treated = await treatBySql(
      {
        ...{ client, check, mode: 'auto', definitionId: 'bench.watchdog', runId: randomUUID(), now: () => new Date() },
        decide: (_, reason) => JSON.stringify({ ...decision, reason }),
        statementTimeoutMs: () => timeoutMs,
        signal: new AbortController().signal,
        async prepare(records, xid) {
          prepared.push({ records, xid });
          return { settle: async () => {} };
        },
      },
      findings,
    );
    const cured = treated.filter(({ outcome }) => outcome === 'cured').length;
    if (cured !== stuckRows) throw new Error(`${cured} of ${stuckRows} were cured`);
    const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM runs');
    if (rows[0]?.count !== String(stuckRows)) throw new Error(`${rows[0]?.count} of ${stuckRows} were audited`);
  };
}

/** Writes the triplets as a run does: before each of its transactions commits, and again when it has. */
async function keep(history: pg.Pool, prepared: { records: ActionRecord[]; xid: string | undefined }[]): Promise<void> {
  const ledger = createWatchLedger(history);
  const run = { definitionId: 'bench.watchdog', definitionUuid: randomUUID(), runId: randomUUID() };
  const scheduledAt = new Date().toISOString();
  for (const { records, xid } of prepared) {
    const id = randomUUID();
    const actions = records.map((record) => ({ ...record, id: randomUUID() }));
    const batch = { id, run: { ...run, scheduledAt, trigger: 'schedule' as const }, systemIdentifier: '1', actions };
    await ledger.prepare(xid === undefined ? batch : { ...batch, xid });
    await ledger.settle(id, 'committed');
  }
}

function median(values: number[]): number {
  return values.sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
