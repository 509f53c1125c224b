import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type pg from 'pg';
import { startPostgres } from '../dev/postgres.ts';
import type { Progress } from '../dev/progress.ts';
import { startStack } from '../dev/stack.ts';
import type { Stack } from '../dev/stack.ts';
import { obtainTemporalBinary } from '../dev/temporal-binary.ts';
import { startTemporalServer } from '../dev/temporal-server.ts';
import { openHistory } from '../history/database.ts';
import { migrate } from '../history/migrate.ts';

/** The servers of a drill, which can be taken away and brought back on the same state and ports. */
export interface Stage {
  client: Client;
  history: pg.Pool;
  temporalAddress: string;
  databaseUrl: string;
  /** Makes a database beside the history, and returns its address. */
  createDatabase(name: string): Promise<string>;
  /** Kills the server (-9); it is brought back by the returned function. */
  killTemporal(): Promise<() => Promise<void>>;
  /** Stops the Postgres of the history; it is brought back by the returned function. */
  stopPostgres(): Promise<() => Promise<void>>;
  /** A folder of the drill's own, gone at the end. */
  makeFolder(name: string): Promise<string>;
  close(): Promise<void>;
}

/** Brings up a stack of the drill's own: nothing that the environment names is used. */
export async function openStage(signal: AbortSignal, onProgress: Progress): Promise<Stage> {
  const stateDir = await mkdtemp(join(tmpdir(), 'actcore-drill-'));
  const closing: (() => Promise<unknown>)[] = [() => rm(stateDir, { recursive: true, force: true })];
  const close = async () => {
    for (const end of closing.splice(0).toReversed()) await end().catch(() => {});
  };
  try {
    const stack = await startStack({ stateDir, ports: 'any', onProgress, signal, env: bareEnv() });
    closing.push(() => stack.stop());
    const history = openHistory(stack.databaseUrl);
    closing.push(() => history.end());
    await migrate(history);
    const connection = await Connection.connect({ address: stack.temporalAddress });
    closing.push(() => connection.close());
    const { temporalAddress, databaseUrl, embedded } = stack;
    return {
      ...{ client: new Client({ connection }), history, temporalAddress, databaseUrl, close },
      createDatabase: (name) => embeddedPostgres(embedded).createDatabase(name),
      killTemporal: () => killTemporal(stack, stateDir, closing),
      stopPostgres: () => stopPostgres(stack, stateDir, closing),
      makeFolder: (name) => mkdtemp(join(stateDir, `${name}-`)),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Closing = (() => Promise<unknown>)[];

async function killTemporal(stack: Stack, stateDir: string, closing: Closing): Promise<() => Promise<void>> {
  const { temporal } = stack.embedded;
  if (temporal === undefined) throw new Error('the drill needs a Temporal server of its own');
  const { path: binary } = await obtainTemporalBinary();
  process.kill(temporal.pid, 'SIGKILL');
  // It is dead: this only waits for its end, and forgets it.
  await temporal.stop();
  return async () => {
    const ports = { port: portOf(temporal.address), uiPort: portOf(temporal.uiUrl) };
    const onSpawn = stack.recordServer;
    const { namespace } = temporal;
    const server = await startTemporalServer({ binary, stateDir, ...ports, namespace, onSpawn });
    closing.push(() => server.stop());
  };
}

async function stopPostgres(stack: Stack, stateDir: string, closing: Closing): Promise<() => Promise<void>> {
  const postgres = embeddedPostgres(stack.embedded);
  const port = portOf(postgres.url);
  await postgres.stop();
  return async () => {
    const server = await startPostgres({ stateDir, port, onSpawn: stack.recordServer });
    closing.push(() => server.stop());
  };
}

function embeddedPostgres({ postgres }: Stack['embedded']) {
  if (postgres === undefined) throw new Error('the drill needs a Postgres of its own');
  return postgres;
}

function portOf(address: string): number {
  return Number(/:(\d+)(\/|$)/.exec(address)?.[1]);
}

/** The environment without what would make the drill use, or kill, somebody else's servers. */
function bareEnv(): NodeJS.ProcessEnv {
  const { TEMPORAL_ADDRESS: _address, TEMPORAL_NAMESPACE: _name, ACTCORE_DATABASE_URL: _url, ...env } = process.env;
  return env;
}
