import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanOnExit } from './last-resort.ts';
import { formatElapsed, type Progress } from './progress.ts';
import { createWorkFolder, temporalVersion } from './temporal-cache.ts';
import type { Fetched } from './temporal-download.ts';

const module = `github.com/temporalio/cli/cmd/temporal@${temporalVersion}`;
const linkFlags = `-s -w -X github.com/temporalio/cli/temporalcli.Version=${temporalVersion.slice(1)}`;
/** Go's `-v` names each package as it is compiled; about so many are there, the standard library included. */
const packagesAbout = 1300;

/**
 * Builds the Temporal server from source with Go: minutes of both cores and 3 GB, all of which is removed again,
 * also on failure, abort or Ctrl-C. The result is put into `folder`.
 */
export async function buildTemporal(
  cacheDir: string,
  folder: string,
  onProgress: Progress,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<Fetched> {
  const work = await createWorkFolder(cacheDir);
  try {
    const failure = await runGoInstall(work, onProgress, env, signal);
    if (failure !== undefined) return { failure };
    await rename(join(work, 'bin', 'temporal'), join(folder, 'temporal'));
    return { file: join(folder, 'temporal') };
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function runGoInstall(
  work: string,
  onProgress: Progress,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const startedAt = Date.now();
  const child = spawn('go', ['install', '-v', '-trimpath', '-ldflags', linkFlags, module], {
    cwd: work,
    env: { ...env, ...(await throwAwayFolders(work)) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const killGroup = () => killProcessGroup(child.pid);
  const forget = cleanOnExit(() => {
    killGroup();
    rmSync(work, { recursive: true, force: true, maxRetries: 5 });
  });
  signal?.addEventListener('abort', killGroup, { once: true });
  const output = followOutput(child.stdout, child.stderr);
  const ticker = setInterval(() => onProgress(describeBuild(output.compiled(), startedAt), 'tick'), 1_000);
  try {
    const code = await new Promise<number | string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, exitSignal) => resolve(exitCode ?? exitSignal ?? 'unknown'));
    });
    signal?.throwIfAborted();
    return code === 0 ? undefined : `go install ended with ${code}: ${output.lastLines()}`;
  } finally {
    clearInterval(ticker);
    signal?.removeEventListener('abort', killGroup);
    forget();
  }
}

async function throwAwayFolders(work: string): Promise<NodeJS.ProcessEnv> {
  const names = { GOPATH: 'path', GOCACHE: 'cache', GOMODCACHE: 'modules', GOBIN: 'bin', GOTMPDIR: 'tmp' };
  const folders: NodeJS.ProcessEnv = { GOFLAGS: '-modcacherw', GO111MODULE: 'on', GOWORK: 'off', CGO_ENABLED: '0' };
  for (const [variable, name] of Object.entries(names)) {
    folders[variable] = join(work, name);
    await mkdir(join(work, name), { recursive: true });
  }
  return folders;
}

/** Go says `go: downloading ...` for modules and one bare import path for each package that it compiles. */
function followOutput(...streams: NodeJS.ReadableStream[]): { compiled: () => number; lastLines: () => string } {
  let packages = 0;
  let lines: string[] = [];
  for (const stream of streams) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      const fresh = chunk.split('\n').filter((line) => line.trim() !== '');
      packages += fresh.filter((line) => /^[\w./-]+$/.test(line)).length;
      lines = [...lines, ...fresh].slice(-5);
    });
  }
  return { compiled: () => packages, lastLines: () => lines.join(' | ') };
}

function describeBuild(packages: number, startedAt: number): string {
  const what = packages === 0 ? 'fetching its sources' : `${packages} of about ${packagesAbout} packages compiled`;
  return `building the Temporal server ${temporalVersion} with Go, once: ${what}, ${formatElapsed(Date.now() - startedAt)}`;
}

function killProcessGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
