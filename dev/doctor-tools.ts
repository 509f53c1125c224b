import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Finding } from './doctor.ts';
import { locateCache, readCache, temporalVersion } from './temporal-cache.ts';
import { findTemporalBinary } from './temporal-binary.ts';
import { findOnPath } from './temporal-probe.ts';

const run = promisify(execFile);

/** Node against the range that package.json demands. */
export function examineNode(version = process.versions.node): Finding {
  const needed = readNeededNode();
  if (isAtLeast(version, needed)) return { name: 'node', ok: 'ok', found: version };
  return { name: 'node', ok: 'missing', found: version, advice: `Install Node ${needed} or later.` };
}

/** git, which the example State Hub works with. */
export async function examineGit(env: NodeJS.ProcessEnv): Promise<Finding> {
  const version = await readVersion('git', ['--version'], env);
  if (version !== undefined) return { name: 'git', ok: 'ok', found: version };
  return {
    name: 'git',
    ok: 'missing',
    found: 'not on the PATH',
    advice: 'Install git; the example State Hub needs it.',
  };
}

/** The Temporal server that a start would run, and Go, the last way to get one. */
export async function examineTemporalBinary(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const binary = env['TEMPORAL_ADDRESS'] ? undefined : await findTemporalBinary(env);
  const go = await readVersion('go', ['version'], env);
  const needless = binary !== undefined || Boolean(env['TEMPORAL_ADDRESS']);
  const goFinding: Finding =
    go !== undefined || needless
      ? { name: 'go', ok: 'ok', found: go ?? 'not on the PATH, not needed' }
      : {
          name: 'go',
          ok: 'warning',
          found: 'not on the PATH',
          advice: 'Install Go 1.24 or later to build a Temporal server.',
        };
  if (env['TEMPORAL_ADDRESS']) return [goFinding];
  if (binary) {
    const place = binary.source === 'path' ? 'on the PATH' : 'cached, verified';
    return [goFinding, { name: 'temporal binary', ok: 'ok', found: `${binary.version} at ${binary.path} (${place})` }];
  }
  return [goFinding, await describeAbsentBinary(env, go !== undefined)];
}

async function describeAbsentBinary(env: NodeJS.ProcessEnv, hasGo: boolean): Promise<Finding> {
  const cached = await readCache(locateCache(env));
  const found =
    cached.kind === 'corrupt' ? `the cached one is corrupt: ${cached.reason}` : 'none on the PATH, none cached';
  const way = hasGo
    ? `the SDK's download, else Go builds ${temporalVersion} in 2 to 5 minutes`
    : "the SDK's download only";
  const advice = `The first start gets it by ${way}. Or put the \`temporal\` CLI on the PATH, or set TEMPORAL_ADDRESS.`;
  return { name: 'temporal binary', ok: 'warning', found, advice };
}

async function readVersion(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const path = findOnPath(command, env);
  if (path === undefined) return undefined;
  try {
    const { stdout } = await run(path, args, { timeout: 5_000 });
    return /\d+(\.\d+)+/.exec(stdout)?.[0] ?? stdout.trim();
  } catch {
    return undefined;
  }
}

/** Sources and the built files lie at different depths below package.json. */
function readNeededNode(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  const { engines } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { engines: { node: string } };
  return engines.node.replace(/^>=\s*/, '');
}

function isAtLeast(version: string, needed: string): boolean {
  const [have, want] = [version, needed].map((text) => text.split('.').map(Number));
  for (let index = 0; index < 3; index++) {
    const difference = (have?.[index] ?? 0) - (want?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
