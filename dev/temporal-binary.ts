import { rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanOnExit } from './last-resort.ts';
import { takeProcessLock } from './process-lock.ts';
import { formatElapsed, type Progress } from './progress.ts';
import { StackProblem } from './stack-problem.ts';
import { buildTemporal } from './temporal-build.ts';
import {
  createWorkFolder,
  installBinary,
  locateCache,
  readCache,
  removeWorkFolders,
  setCorruptAside,
  temporalVersion,
} from './temporal-cache.ts';
import { downloadTemporal, type Fetched } from './temporal-download.ts';
import { findOnPath, probeTemporal } from './temporal-probe.ts';

/** A Temporal CLI that can run the dev server, and where it came from. */
export interface TemporalBinary {
  path: string;
  version: string;
  source: 'path' | 'cache' | 'download' | 'build';
}

/** `fetch` replaces the ways to get a binary: each is tried until one gives a file. */
export interface TemporalBinaryOptions {
  env?: NodeJS.ProcessEnv;
  onProgress?: Progress;
  signal?: AbortSignal;
  fetchers?: BinaryFetcher[];
}

/** One way to get a binary: puts it into `folder`, or says why it could not. */
export interface BinaryFetcher {
  source: 'download' | 'build';
  title: string;
  fetch: (folder: string) => Promise<Fetched>;
}

/** What is there without fetching anything: the one on the PATH, else the cached one. */
export async function findTemporalBinary(
  env: NodeJS.ProcessEnv,
  onProgress: Progress = () => {},
): Promise<TemporalBinary | undefined> {
  const onPath = findOnPath('temporal', env);
  if (onPath !== undefined) {
    const probe = await probeTemporal(onPath);
    if (probe.usable) return { path: onPath, version: probe.version, source: 'path' };
    onProgress(`passing over ${onPath}: ${probe.reason}`);
  }
  const cached = await readCache(locateCache(env));
  if (cached.kind !== 'ready') return undefined;
  return { path: cached.path, version: cached.entry.version, source: 'cache' };
}

/**
 * The Temporal CLI to run the dev server with: on the PATH, cached, downloaded by the SDK, or built with Go. The last
 * two fill the cache; of several processes one does it and the others wait.
 * @throws StackProblem when there is no way to get one.
 */
export async function obtainTemporalBinary(options: TemporalBinaryOptions = {}): Promise<TemporalBinary> {
  const { env = process.env, onProgress = () => {}, signal } = options;
  const present = await findTemporalBinary(env, onProgress);
  if (present) return present;
  const cacheDir = locateCache(env);
  await mkdir(cacheDir, { recursive: true });
  const waitingSince = Date.now();
  for (;;) {
    signal?.throwIfAborted();
    const lock = takeProcessLock(join(cacheDir, 'temporal.lock'));
    if (lock.taken) {
      const forget = cleanOnExit(lock.release);
      try {
        return await fillCache(cacheDir, { ...options, env, onProgress });
      } finally {
        lock.release();
        forget();
      }
    }
    const waited = formatElapsed(Date.now() - waitingSince);
    onProgress(`waiting for process ${lock.holder.pid}, which is getting the Temporal server: ${waited}`, 'tick');
    await sleep(250, undefined, { ...(signal && { signal }) });
  }
}

/** Runs under the cache's lock; whoever waited for it finds the cache filled. */
async function fillCache(
  cacheDir: string,
  options: TemporalBinaryOptions & { env: NodeJS.ProcessEnv; onProgress: Progress },
): Promise<TemporalBinary> {
  const { onProgress } = options;
  const cached = await readCache(cacheDir);
  if (cached.kind === 'ready') return { path: cached.path, version: cached.entry.version, source: 'cache' };
  if (cached.kind === 'corrupt') {
    const aside = await setCorruptAside(cacheDir);
    onProgress(`the cached Temporal server was not usable: ${cached.reason}; set aside as ${aside}`);
  }
  await removeWorkFolders(cacheDir);
  const failures: string[] = [];
  for (const fetcher of options.fetchers ?? chooseFetchers(cacheDir, options)) {
    const folder = await createWorkFolder(cacheDir);
    const forget = cleanOnExit(() => rmSync(folder, { recursive: true, force: true }));
    try {
      onProgress(`getting the Temporal server ${temporalVersion}: ${fetcher.title}`);
      const startedAt = Date.now();
      const failure = await installFetched(cacheDir, fetcher, folder);
      if (typeof failure !== 'string') {
        onProgress(`the Temporal server is ready after ${formatElapsed(Date.now() - startedAt)}: ${failure.path}`);
        return failure;
      }
      failures.push(`${fetcher.title}: ${failure}`);
      onProgress(`that did not work: ${failure}`);
    } finally {
      await rm(folder, { recursive: true, force: true });
      forget();
    }
  }
  throw new StackProblem(`There is no Temporal server to start (${failures.join('; ')}).`, installAdvice);
}

const installAdvice =
  'Put the `temporal` CLI on the PATH, or install Go 1.24 or later with access to its module proxy, ' +
  'or set TEMPORAL_ADDRESS to a server that runs.';

async function installFetched(
  cacheDir: string,
  fetcher: BinaryFetcher,
  folder: string,
): Promise<TemporalBinary | string> {
  const fetched = await fetcher.fetch(folder);
  if ('failure' in fetched) return fetched.failure;
  const probe = await probeTemporal(fetched.file);
  if (!probe.usable) return probe.reason;
  const path = await installBinary(cacheDir, fetched.file, fetcher.source);
  return { path, version: temporalVersion, source: fetcher.source };
}

function chooseFetchers(
  cacheDir: string,
  { env, onProgress, signal }: TemporalBinaryOptions & { env: NodeJS.ProcessEnv; onProgress: Progress },
): BinaryFetcher[] {
  const download = (folder: string) => downloadTemporal(folder, onProgress, signal);
  const build = async (folder: string): Promise<Fetched> => {
    if (findOnPath('go', env) === undefined) return { failure: 'there is no `go` on the PATH' };
    return buildTemporal(cacheDir, folder, onProgress, env, signal);
  };
  return [
    { source: 'download', title: "the SDK's download", fetch: download },
    { source: 'build', title: 'go install (2 to 5 minutes, once for all checkouts)', fetch: build },
  ];
}
