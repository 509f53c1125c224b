import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanOnExit } from './last-resort.ts';
import { formatElapsed, type Progress } from './progress.ts';
import { temporalVersion } from './temporal-cache.ts';

const firstByteMs = 15_000;
const stallMs = 30_000;

/**
 * The SDK downloads only on the way to starting a server: `--help` makes that server end at once. It runs in a process
 * of its own, because the native download can be neither bounded nor cancelled.
 */
const script = `
const [sdk, downloadDir, version] = process.argv.slice(1);
const executable = { type: 'cached-download', downloadDir, version, ttl: '3650d' };
require(sdk).TestWorkflowEnvironment.createLocal({ server: { executable, extraArgs: ['--help'] } })
  .then(() => process.exit(0), (error) => { console.error(error.message); process.exit(1); });`;

/** Either a file, or why there is none. */
export type Fetched = { file: string } | { failure: string };

/** Lets the Temporal SDK download its dev server into a folder; gives up 15 s without a first byte or 30 s without more. */
export async function downloadTemporal(folder: string, onProgress: Progress, signal?: AbortSignal): Promise<Fetched> {
  const require = createRequire(import.meta.url);
  const sdk = require.resolve('@temporalio/testing');
  const child = spawn(process.execPath, ['-e', script, sdk, folder, temporalVersion], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const forget = cleanOnExit(() => child.kill('SIGKILL'));
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  let ended = false;
  const end = new Promise<void>((resolve) => child.once('close', () => resolve())).then(() => (ended = true));
  try {
    const stalled = await watchDownload(folder, () => ended, onProgress, signal);
    if (stalled !== undefined) return { failure: stalled };
    await end;
    const name = (await readdir(folder)).find((file) => file === `temporal-${temporalVersion}`);
    return name === undefined ? { failure: shortenFailure(output) } : { file: join(folder, name) };
  } finally {
    child.kill('SIGKILL');
    await end;
    forget();
  }
}

/** Watches the growing file; the reason to give up, or undefined when the child has ended. */
async function watchDownload(
  folder: string,
  hasEnded: () => boolean,
  onProgress: Progress,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const startedAt = Date.now();
  let [bytes, grewAt] = [0, Date.now()];
  while (!hasEnded()) {
    signal?.throwIfAborted();
    const now = await measureDownload(folder);
    if (now > bytes) [bytes, grewAt] = [now, Date.now()];
    const idleMs = Date.now() - grewAt;
    if (bytes === 0 && idleMs > firstByteMs) return `no answer within ${firstByteMs / 1000} s`;
    if (idleMs > stallMs) return `nothing more came for ${stallMs / 1000} s`;
    const size = `${Math.round(bytes / 1e6)} MB`;
    onProgress(`downloading the Temporal server: ${size}, ${formatElapsed(Date.now() - startedAt)}`, 'tick');
    await sleep(200);
  }
  return undefined;
}

async function measureDownload(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    bytes += found?.size ?? 0;
  }
  return bytes;
}

/** The SDK nests its causes into one line and repeats the address; the innermost cause says it. */
function shortenFailure(output: string): string {
  const line = output.trim().split('\n').at(-1) ?? '';
  const cause = line.split(/: (?=client error|dns error|tcp connect error|failed to|HTTP status)/).at(-1) ?? '';
  return cause === '' ? 'the download ended without a file' : cause;
}
