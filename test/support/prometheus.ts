import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { chooseAnyPort } from '../../dev/ports.ts';
import { findOnPath } from '../../dev/temporal-probe.ts';
import { locateCache } from '../../dev/temporal-cache.ts';
import { eventually } from './eventually.ts';

/** A Prometheus of one test's own. */
export interface Prometheus {
  url: string;
  stop: () => Promise<void>;
}

/**
 * The program: on the PATH, else in the cache, else out of Debian's package, which is only unpacked and needs no root. Where
 * there is none, the sentence that says why.
 */
export async function findPrometheus(): Promise<{ file: string } | { missing: string }> {
  const onPath = findOnPath('prometheus', process.env);
  if (onPath !== undefined) return { file: onPath };
  const cache = locateCache(process.env);
  const folder = join(cache, `prometheus-debian-${process.arch}`);
  const file = join(folder, 'usr/bin/prometheus');
  if (await runs(file)) return { file };
  if (findOnPath('apt-get', process.env) === undefined) {
    return { missing: 'there is no prometheus on the PATH, and no apt-get to get one' };
  }
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'work-'));
  try {
    await unpack(work);
    await rm(folder, { recursive: true, force: true });
    await rename(join(work, 'root'), folder);
    return { file };
  } catch (error) {
    // Another test run may have been faster.
    if (await runs(file)) return { file };
    return { missing: `Debian's package of prometheus cannot be had: ${error instanceof Error ? error.message : ''}` };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function runs(file: string): Promise<boolean> {
  return (await execa(file, ['--version'], { reject: false })).exitCode === 0;
}

async function unpack(work: string): Promise<void> {
  const download = () => execa('apt-get', ['download', 'prometheus'], { cwd: work, timeout: 60_000 });
  // Lists may never have been fetched on a new machine.
  await download().catch(async () => {
    await execa('apt-get', ['update'], { timeout: 60_000, reject: false });
    await download();
  });
  const archive = (await readdir(work)).find((name) => name.endsWith('.deb')) ?? '';
  await execa('dpkg-deb', ['--extract', join(work, archive), join(work, 'root')]);
}

/** Starts it with these alerting rules, each as YAML of one rule, evaluated every 200 ms. */
export async function startPrometheus(file: string, rules: string[]): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'actcore-prometheus-'));
  const listed = rules.map((rule) => `      - ${rule}\n`).join('');
  await writeFile(
    join(folder, 'rules.yml'),
    `groups:\n  - name: test\n    rules:${rules.length === 0 ? ' []' : `\n${listed}`}`,
  );
  const config = 'global: { evaluation_interval: 200ms, scrape_interval: 1h }\nrule_files: [rules.yml]\n';
  await writeFile(join(folder, 'prometheus.yml'), config);
  const url = `http://127.0.0.1:${await chooseAnyPort()}`;
  const args = [
    '--config.file=prometheus.yml',
    '--storage.tsdb.path=data',
    `--web.listen-address=${new URL(url).host}`,
  ];
  const child = execa(file, [...args, '--log.level=error'], { cwd: folder, reject: false, forceKillAfterDelay: 5_000 });
  const stop = async () => {
    child.kill('SIGTERM');
    await child;
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const isReady = () =>
      fetch(`${url}/-/ready`).then(
        (response) => response.ok,
        () => false,
      );
    await eventually(isReady, { what: 'Prometheus' });
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
