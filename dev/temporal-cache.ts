import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { quoteError } from './stack-problem.ts';

/** The release that is fetched or built; later tags cannot be built with `go install` (replace directive in go.mod). */
export const temporalVersion = 'v1.5.1';

/** What is written beside a cached server binary when it is installed, and checked before each use. */
export interface CachedBinary {
  version: string;
  sha256: string;
  bytes: number;
  /** How it came here. */
  source: 'download' | 'build';
  installedAt: string;
}

/** State of the cache: usable, empty, or holding something that is not what was installed. */
export type CacheState =
  { kind: 'ready'; path: string; entry: CachedBinary } | { kind: 'empty' } | { kind: 'corrupt'; reason: string };

/** The folder that all checkouts of one user share: `$XDG_CACHE_HOME/activity-core`, else `~/.cache/activity-core`. */
export function locateCache(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'activity-core');
}

/** Reads and verifies the cached binary against the size and sha256 recorded at its installation. */
export async function readCache(cacheDir: string): Promise<CacheState> {
  const folder = entryFolder(cacheDir);
  const path = join(folder, 'temporal');
  try {
    await stat(folder);
  } catch {
    return { kind: 'empty' };
  }
  try {
    const entry = JSON.parse(await readFile(join(folder, 'temporal.json'), 'utf8')) as CachedBinary;
    if (entry.version !== temporalVersion) return { kind: 'corrupt', reason: `it is ${entry.version}` };
    const { size } = await stat(path);
    if (size !== entry.bytes) return { kind: 'corrupt', reason: `it has ${size} bytes instead of ${entry.bytes}` };
    if ((await hashFile(path)) !== entry.sha256)
      return { kind: 'corrupt', reason: 'its sha256 is not the recorded one' };
    return { kind: 'ready', path, entry };
  } catch (error) {
    return { kind: 'corrupt', reason: `it cannot be read (${quoteError(error)})` };
  }
}

/** Moves a corrupt entry out of the way, so that it can be looked at; keeps the last one only (it is large). */
export async function setCorruptAside(cacheDir: string): Promise<string> {
  const aside = `${entryFolder(cacheDir)}.corrupt`;
  await rm(aside, { recursive: true, force: true });
  await rename(entryFolder(cacheDir), aside);
  return aside;
}

/** Moves a fresh binary into the cache with its record, both at once; the file must be on the cache's file system. */
export async function installBinary(cacheDir: string, file: string, source: CachedBinary['source']): Promise<string> {
  const draft = await createWorkFolder(cacheDir);
  await rename(file, join(draft, 'temporal'));
  await chmod(join(draft, 'temporal'), 0o755);
  const { size: bytes } = await stat(join(draft, 'temporal'));
  const sha256 = await hashFile(join(draft, 'temporal'));
  const entry = { version: temporalVersion, sha256, bytes, source, installedAt: new Date().toISOString() };
  await writeFile(join(draft, 'temporal.json'), `${JSON.stringify(entry satisfies CachedBinary, null, 2)}\n`);
  await chmod(draft, 0o755);
  await rename(draft, entryFolder(cacheDir));
  return join(entryFolder(cacheDir), 'temporal');
}

/** A throw-away folder inside the cache: big enough (a build needs 3 GB) and one rename away from its place. */
export async function createWorkFolder(cacheDir: string): Promise<string> {
  await mkdir(cacheDir, { recursive: true });
  return mkdtemp(join(cacheDir, workPrefix));
}

/** Removes what a killed build left; only for the holder of the cache's lock. */
export async function removeWorkFolders(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (name.startsWith(workPrefix)) await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}

const workPrefix = 'work-';

function entryFolder(cacheDir: string): string {
  return join(cacheDir, `temporal-${temporalVersion}-${process.platform}-${process.arch}`);
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
