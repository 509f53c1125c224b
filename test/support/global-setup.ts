import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { printProgress } from '../../dev/progress.ts';
import { startStack } from '../../dev/stack.ts';
import { endLeftovers, readRunningStack } from '../../dev/state.ts';
import { checkout } from './program.ts';

const prefix = 'actcore-test-';

type Stop = () => Promise<void>;

/** Each project of the suite sets up for itself, in one process. */
const shared = globalThis as { suiteServers?: { users: number; starting: Promise<Stop> } };

/** One Postgres and one Temporal server for the whole suite, however many of its projects want them. */
export default async function shareServers(): Promise<Stop> {
  const servers = (shared.suiteServers ??= { users: 0, starting: startServers() });
  servers.users += 1;
  const stop = await servers.starting;
  return async () => {
    servers.users -= 1;
    if (servers.users === 0) await stop();
  };
}

/** They get ports of their own. The first run on a machine may have to get the Temporal server and shows how far it is. */
async function startServers(): Promise<Stop> {
  await removeAbandoned();
  // Processes that the tests start run the program as it ships.
  await execa('npm', ['run', '--silent', 'build'], { cwd: checkout });
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error('interrupted'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  const stateDir = await mkdtemp(join(tmpdir(), prefix));
  try {
    const env = { ...process.env };
    delete env['TEMPORAL_ADDRESS'];
    delete env['TEMPORAL_NAMESPACE'];
    delete env['ACTCORE_DATABASE_URL'];
    const { signal } = interrupted;
    const stack = await startStack({ stateDir, env, onProgress: printProgress(), ports: 'any', fast: true, signal });
    process.env['ACTCORE_TEST_DATABASE_URL'] = stack.embedded.postgres?.adminUrl ?? '';
    process.env['ACTCORE_TEST_TEMPORAL_ADDRESS'] = stack.temporalAddress;
    process.env['ACTCORE_TEST_TEMPORAL_UI_URL'] = stack.uiUrl ?? '';
    process.env['ACTCORE_TEST_TEMPORAL_HTTP_URL'] = stack.embedded.temporal?.httpUrl ?? '';
    return async () => {
      try {
        await stack.stop();
        await rm(stateDir, { recursive: true, force: true });
      } catch (error) {
        // The runner prints what a teardown throws and stays green.
        process.exitCode = 1;
        throw error;
      }
    };
  } catch (error) {
    await rm(stateDir, { recursive: true, force: true });
    throw error;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
  }
}

/** What a run that was killed left: its servers and its folder. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const stateDir = join(tmpdir(), name);
    if (!name.startsWith(prefix) || !existsSync(join(stateDir, 'stack.lock'))) continue;
    if ((await stat(stateDir)).uid !== process.getuid?.() || readRunningStack(stateDir)) continue;
    await endLeftovers(stateDir, () => {});
    await rm(stateDir, { recursive: true, force: true });
  }
}
