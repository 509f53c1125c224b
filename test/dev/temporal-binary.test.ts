import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { obtainTemporalBinary, type BinaryFetcher } from '../../dev/temporal-binary.ts';
import { installBinary, readCache, temporalVersion } from '../../dev/temporal-cache.ts';
import { scriptedTemporal, writeScript } from '../support/probe.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { runScript } from '../support/script.ts';

function prepare() {
  const folder = makeTempFolder();
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const cacheDir = join(folder, 'cache', 'activity-core');
  let fetched = 0;
  const fetcher: BinaryFetcher = {
    source: 'download',
    title: 'a scripted download',
    fetch: async (target) => {
      fetched++;
      return { file: writeScript(join(target, 'fresh'), scriptedTemporal) };
    },
  };
  const env = { PATH: `${bin}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, 'cache'), HOME: folder };
  return { folder, bin, cacheDir, env, fetcher, fetchCount: () => fetched };
}

it('prefers a temporal on the PATH and reports its version', async () => {
  const { bin, env, fetcher, fetchCount } = prepare();
  const path = writeScript(join(bin, 'temporal'), scriptedTemporal);
  expect(await obtainTemporalBinary({ env, fetchers: [fetcher] })).toMatchObject({ path, source: 'path' });
  expect(fetchCount()).toBe(0);
});

it.for([
  ['cannot start the dev server we need', 'echo "temporal version 0.1.0"', '--sqlite-pragma'],
  ['does not run', 'echo "wrong machine" >&2; exit 126', 'wrong machine'],
])('passes over a temporal on the PATH that %s', async ([, body, said]) => {
  const { bin, env, fetcher } = prepare();
  writeScript(join(bin, 'temporal'), body!);
  const messages: string[] = [];
  const found = await obtainTemporalBinary({ env, fetchers: [fetcher], onProgress: (line) => messages.push(line) });
  expect(found.source).toBe('download');
  expect(messages.join('\n')).toContain(said);
});

it('fetches once, records version and sha256, and uses the cached one from then on', async () => {
  const { env, fetcher, fetchCount, cacheDir } = prepare();
  const first = await obtainTemporalBinary({ env, fetchers: [fetcher] });
  expect(first).toMatchObject({ source: 'download', version: temporalVersion });
  const record = JSON.parse(readFileSync(join(dirname(first.path), 'temporal.json'), 'utf8')) as object;
  expect(record).toMatchObject({ version: temporalVersion, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
  expect(await obtainTemporalBinary({ env, fetchers: [fetcher] })).toEqual({ ...first, source: 'cache' });
  expect(fetchCount()).toBe(1);
  expect(readdirSync(cacheDir)).toHaveLength(1);
});

describe('a corrupt cache', () => {
  it.for<[string, (path: string) => void]>([
    [
      'a changed byte',
      (path) => writeFileSync(path, `#${readFileSync(path, 'utf8').slice(1).replace('9.9.9', '9.9.8')}`),
    ],
    ['a cut file', (path) => truncateSync(path, 10)],
    ['another version', (path) => writeFileSync(join(dirname(path), 'temporal.json'), '{"version":"v0.0.1"}')],
    ['no record', (path) => writeFileSync(join(dirname(path), 'temporal.json'), '')],
  ])('with %s is set aside and fetched again', async ([, spoil]) => {
    const { env, fetcher, fetchCount, cacheDir } = prepare();
    const { path } = await obtainTemporalBinary({ env, fetchers: [fetcher] });
    spoil(path);
    expect((await readCache(cacheDir)).kind).toBe('corrupt');
    const messages: string[] = [];
    const again = await obtainTemporalBinary({ env, fetchers: [fetcher], onProgress: (line) => messages.push(line) });
    expect(again.source).toBe('download');
    expect(fetchCount()).toBe(2);
    expect((await readCache(cacheDir)).kind).toBe('ready');
    expect(messages.join('\n')).toContain('set aside');
    expect(readdirSync(cacheDir).some((name) => name.endsWith('.corrupt'))).toBe(true);
  });
});

it('tries the ways in order and refuses with every reason when none works', async () => {
  const { env, cacheDir } = prepare();
  const broken = (source: 'download' | 'build', failure: string): BinaryFetcher => ({
    source,
    title: `the ${source}`,
    fetch: () => Promise.resolve({ failure }),
  });
  const fetchers = [broken('download', 'host not found'), broken('build', 'no compiler')];
  await expect(obtainTemporalBinary({ env, fetchers })).rejects.toMatchObject({
    name: 'StackProblem',
    message: expect.stringMatching(/the download: host not found; the build: no compiler/) as string,
    advice: expect.stringContaining('TEMPORAL_ADDRESS') as string,
  });
  expect(readdirSync(cacheDir)).toEqual([]);
});

it('lets one of two processes fetch while the other waits', async () => {
  const { env, folder, cacheDir } = prepare();
  const log = join(folder, 'fetches');
  const fetcher = `{ source: 'build', title: 'slow', fetch: async (target) => {
    appendFileSync(${JSON.stringify(log)}, 'x'); await sleep(1500);
    return { file: writeScript(join(target, 'fresh'), scriptedTemporal) }; } }`;
  const code = `
    import { appendFileSync } from 'node:fs'; import { join } from 'node:path';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { obtainTemporalBinary } from './dev/temporal-binary.ts';
    import { scriptedTemporal, writeScript } from './test/support/probe.ts';
    const { source } = await obtainTemporalBinary({ fetchers: [${fetcher}] }); console.log(source);`;
  const outputs = await Promise.all([1, 2, 3].map(() => runScript(code, { env }).finished));
  expect(outputs.map(({ stdout }) => stdout.trim()).toSorted()).toEqual(['build', 'cache', 'cache']);
  expect(readFileSync(log, 'utf8')).toBe('x');
  expect(readdirSync(cacheDir)).toHaveLength(1);
});

it('takes the cache over from a process that was killed in the middle, and clears its leavings', async () => {
  const { env, fetcher, cacheDir } = prepare();
  mkdirSync(join(cacheDir, 'work-abandoned', 'modules'), { recursive: true });
  appendFileSync(join(cacheDir, 'temporal.lock'), JSON.stringify({ pid: 999_999_999, startToken: 'x', since: '' }));
  await obtainTemporalBinary({ env, fetchers: [fetcher] });
  expect(readdirSync(cacheDir)).toHaveLength(1);
});

describe('building with Go', () => {
  const slowGo = 'mkdir -p "$GOCACHE/x" "$GOPATH/y"; echo "net/http" >&2; echo $$ > "$HOME/go.pid"; sleep 60';

  it('removes its throw-away caches when it is aborted', async () => {
    const { env, bin, folder, cacheDir } = prepare();
    writeScript(join(bin, 'go'), slowGo);
    const aborter = new AbortController();
    const fetchers = await onlyBuild(cacheDir, env, aborter.signal);
    const obtaining = obtainTemporalBinary({ env, fetchers, signal: aborter.signal });
    await expect.poll(() => existsSync(join(folder, 'go.pid'))).toBe(true);
    aborter.abort(new Error('enough'));
    await expect(obtaining).rejects.toThrow('enough');
    expect(readdirSync(cacheDir)).toEqual([]);
    expect(existsSync(`/proc/${readFileSync(join(folder, 'go.pid'), 'utf8').trim()}`)).toBe(false);
  });

  it.for(['SIGINT', 'SIGTERM'] as const)('removes them when %s ends the process', async (signal) => {
    const { env, bin, folder, cacheDir } = prepare();
    writeScript(join(bin, 'go'), slowGo);
    const code = `
      import { obtainTemporalBinary } from './dev/temporal-binary.ts';
      import { buildTemporal } from './dev/temporal-build.ts';
      const fetch = (folder) => buildTemporal(${JSON.stringify(cacheDir)}, folder, () => {}, process.env);
      await obtainTemporalBinary({ fetchers: [{ source: 'build', title: 'go', fetch }] });`;
    const { child, finished } = runScript(code, { env });
    await expect.poll(() => existsSync(join(folder, 'go.pid')), { timeout: 10_000 }).toBe(true);
    child.kill(signal);
    expect((await finished).signal).toBe(signal);
    await sleep(100);
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  it('quotes the last lines of Go when it fails', async () => {
    const { env, bin, cacheDir } = prepare();
    writeScript(join(bin, 'go'), 'echo "go: module lookup disabled" >&2; exit 1');
    const fetchers = await onlyBuild(cacheDir, env);
    await expect(obtainTemporalBinary({ env, fetchers })).rejects.toThrow(/ended with 1: go: module lookup disabled/);
    expect(readdirSync(cacheDir)).toEqual([]);
  });
});

async function onlyBuild(cacheDir: string, env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<BinaryFetcher[]> {
  const { buildTemporal } = await import('../../dev/temporal-build.ts');
  return [{ source: 'build', title: 'go', fetch: (folder) => buildTemporal(cacheDir, folder, () => {}, env, signal) }];
}

it('moves a binary and its record into place together', async () => {
  const { folder, cacheDir } = prepare();
  mkdirSync(cacheDir, { recursive: true });
  const path = await installBinary(cacheDir, writeScript(join(folder, 'fresh'), 'true'), 'build');
  expect(await readCache(cacheDir)).toMatchObject({ kind: 'ready', path, entry: { source: 'build' } });
});
