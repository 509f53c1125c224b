import { access, constants, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { examineGit, examineNode, examineTemporalBinary } from './doctor-tools.ts';
import { examinePorts, examinePostgres, examineTemporalServer } from './doctor-servers.ts';
import type { GivenAccess } from './doctor-servers.ts';
import { quoteError } from './stack-problem.ts';
import { locateStateDir } from './state.ts';
import { locateCache, readCache } from './temporal-cache.ts';

/** One thing that was looked at. `missing` stops a start, `warning` may; `advice` says what to do. */
export interface Finding {
  name: string;
  ok: 'ok' | 'warning' | 'missing';
  found: string;
  advice?: string;
}

const stateBytes = 1e9;
const buildBytes = 4e9;

/** Looks at everything a start needs, changes nothing, and takes a few seconds at most; passwords never appear. */
export async function examine(
  env: NodeJS.ProcessEnv,
  stateDir: string = locateStateDir(env, process.cwd()),
  given?: GivenAccess,
): Promise<Finding[]> {
  const cacheDir = locateCache(env);
  const needsBuild = !env['TEMPORAL_ADDRESS'] && (await readCache(cacheDir)).kind !== 'ready';
  const findings = await Promise.all([
    Promise.resolve(examineNode()),
    examineGit(env),
    examineTemporalBinary(env),
    examineTemporalServer(env, stateDir, given),
    examinePostgres(env, stateDir),
    examineFolder('state folder', stateDir),
    examineFolder('cache folder', cacheDir),
    examineDisk('disk for state', stateDir, stateBytes),
    needsBuild ? examineDisk('disk for cache', cacheDir, buildBytes) : Promise.resolve([]),
    examinePorts(),
  ]);
  return findings.flat();
}

async function examineFolder(name: string, folder: string): Promise<Finding> {
  const existing = await findExisting(folder);
  try {
    await access(existing, constants.W_OK | constants.X_OK);
    return { name, ok: 'ok', found: existing === folder ? `${folder} is writable` : `${folder} can be made` };
  } catch (error) {
    const advice = `Make ${existing} writable, or set ${name === 'state folder' ? 'ACTCORE_STATE_DIR' : 'XDG_CACHE_HOME'}.`;
    return { name, ok: 'missing', found: quoteError(error), advice };
  }
}

async function examineDisk(name: string, folder: string, neededBytes: number): Promise<Finding> {
  const { bavail, bsize } = await statfs(await findExisting(folder));
  const free = bavail * bsize;
  const found = `${(free / 1e9).toFixed(1)} GB free for ${folder}`;
  if (free >= neededBytes) return { name, ok: 'ok', found };
  return { name, ok: 'warning', found, advice: `Free some: ${neededBytes / 1e9} GB are needed.` };
}

async function findExisting(folder: string): Promise<string> {
  const there = await access(folder).then(
    () => true,
    () => false,
  );
  return there || dirname(folder) === folder ? folder : findExisting(dirname(folder));
}
