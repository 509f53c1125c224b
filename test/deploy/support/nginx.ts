import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { execa } from 'execa';
import { chooseAnyPort } from '../../../dev/ports.ts';
import { locateCache } from '../../../dev/temporal-cache.ts';
import { findOnPath } from '../../../dev/temporal-probe.ts';
import { eventually } from '../../support/eventually.ts';
import { checkout } from '../../support/program.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

/** nginx: on the PATH, else in the cache, else out of Debian's package, which is only unpacked. Where there is none, why. */
export async function findNginx(): Promise<{ file: string } | { missing: string }> {
  const onPath = findOnPath('nginx', process.env);
  if (onPath !== undefined) return { file: onPath };
  const cache = locateCache(process.env);
  const folder = join(cache, `nginx-debian-${process.arch}`);
  const file = join(folder, 'usr/sbin/nginx');
  if (await runs(file)) return { file };
  if (findOnPath('apt-get', process.env) === undefined) {
    return { missing: 'there is no nginx on the PATH, and no apt-get to get one' };
  }
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'work-'));
  try {
    const download = () => execa('apt-get', ['download', 'nginx'], { cwd: work, timeout: 60_000 });
    // Lists may never have been fetched on a new machine.
    await download().catch(async () => {
      await execa('apt-get', ['update'], { timeout: 60_000, reject: false });
      await download();
    });
    const archive = (await readdir(work)).find((name) => name.endsWith('.deb')) ?? '';
    await execa('dpkg-deb', ['--extract', join(work, archive), join(work, 'root')]);
    await rm(folder, { recursive: true, force: true });
    await rename(join(work, 'root'), folder);
  } catch (error) {
    // Another test run may have been faster.
    if (!(await runs(file)))
      return { missing: `Debian's nginx cannot be had: ${error instanceof Error ? error.message : ''}` };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return (await runs(file)) ? { file } : { missing: "Debian's nginx does not run here" };
}

async function runs(file: string): Promise<boolean> {
  return (await execa(file, ['-v'], { reject: false })).exitCode === 0;
}

/** The bridge to a State Hub as the manifests configure it. */
export interface Bridge {
  url: string;
  stop: () => Promise<void>;
}

/**
 * Starts nginx with the configuration of the manifests. What the image's entrypoint puts in is put in here; beside that, the
 * port and the places of files are those of a test, and `change` may spoil the rest.
 */
export async function startBridge(
  nginx: string,
  upstream: string,
  change: (text: string) => string = (text) => text,
): Promise<Bridge> {
  const folder = makeTempFolder();
  const port = await chooseAnyPort();
  const [file, ca] = [join(folder, 'nginx.conf'), join(folder, 'ca.crt')];
  writeFileSync(ca, rootCertificates.join('\n'));
  const template = readFileSync(join(checkout, 'k8s/base/bridge/nginx.conf.template'), 'utf8');
  const placed = [
    ['${NGINX_LOCAL_RESOLVERS}', '127.0.0.1'],
    ['${STATE_HUB_UPSTREAM}', upstream],
    ['listen 8080;', `listen 127.0.0.1:${port};`],
    ['/etc/ssl/certs/ca-certificates.crt', ca],
  ].reduce((text, [from = '', to = '']) => text.replace(from, to), template.replaceAll('/tmp/', `${folder}/`));
  writeFileSync(file, change(placed));
  const log = openSync(join(folder, 'log'), 'w');
  // It opens its standard output by name, which has to be a file.
  const child = spawn(nginx, ['-c', file, '-p', folder, '-e', 'stderr', '-g', 'daemon off;'], {
    stdio: ['ignore', log, log],
  });
  const ended = once(child, 'exit');
  closeSync(log);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  const answers = async () => {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${readFileSync(join(folder, 'log'), 'utf8')}`);
    return canConnect(port);
  };
  try {
    await eventually(answers, { what: 'nginx' });
  } catch (error) {
    if (child.exitCode === null) await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${port}`, stop };
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
