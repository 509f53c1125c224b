import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseAnyPort } from '../../dev/ports.ts';
import { obtainTemporalBinary } from '../../dev/temporal-binary.ts';
import { startTemporalServer, type TemporalServer } from '../../dev/temporal-server.ts';

/** A Temporal server of one test's own, which can be stopped and started again on the same state and ports. */
export interface RestartableServer {
  address: string;
  uiUrl: string;
  start: () => Promise<void>;
  stop: () => Promise<void>;
  /** Stops it and removes its state. */
  remove: () => Promise<void>;
}

/** Starts such a server; the binary is the one the global set-up has found. */
export async function startOwnTemporalServer(): Promise<RestartableServer> {
  const stateDir = await mkdtemp(join(tmpdir(), 'actcore-own-'));
  const { path: binary } = await obtainTemporalBinary();
  const [port, uiPort] = [await chooseAnyPort(), await chooseAnyPort()];
  let server: TemporalServer | undefined;
  const start = async () => {
    server ??= await startTemporalServer({ binary, stateDir, port, uiPort });
  };
  const stop = async () => {
    await server?.stop();
    server = undefined;
  };
  const remove = async () => {
    await stop();
    await rm(stateDir, { recursive: true, force: true });
  };
  await start();
  return { address: `127.0.0.1:${port}`, uiUrl: `http://127.0.0.1:${uiPort}`, start, stop, remove };
}
