import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ExecaError, execa } from 'execa';
import type { Progress } from '../../../dev/progress.ts';
import { formatElapsed } from '../../../dev/progress.ts';
import { locateCache } from '../../../dev/temporal-cache.ts';
import { findOnPath } from '../../../dev/temporal-probe.ts';

/** The go.mod beside this file says the same. */
const kubernetesVersion = 'v1.36.3';
const kwokModule = 'sigs.k8s.io/kwok@v0.8.0';
const source = fileURLToPath(new URL('.', import.meta.url));

const prefix = 'build-';
const abandonedMs = 7_200_000;

/** What a program is built from; kwok apart, as it would raise the versions of what the others are made of. */
const packages = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
} as const;

type Program = keyof typeof packages | 'kwok';

/** Where the programs are; `stages` tells kwok how pods and nodes come to life. */
export interface Programs {
  folder: string;
  kubectl: string;
  stages: string;
}

/** The programs of a control plane: from the cache, else built by Go, which takes minutes. Where they cannot be had, why. */
export async function obtainPrograms(progress: Progress): Promise<Programs | { missing: string }> {
  const cache = join(locateCache(process.env), 'kube');
  const programs = locatePrograms(cache);
  const wanted = await listMissing(programs);
  if (wanted.length === 0) return programs;
  if (findOnPath('go', process.env) === undefined) {
    return { missing: `neither KUBECONFIG is set nor Go is there to build ${wanted.join(', ')}` };
  }
  await mkdir(programs.folder, { recursive: true });
  await removeAbandoned(cache);
  const work = await mkdtemp(join(cache, prefix));
  try {
    await build(wanted, work, progress);
    for (const name of [...wanted, ...(wanted.includes('kwok') ? ['kwok-stages.yaml'] : [])]) {
      await rename(join(work, name), join(programs.folder, name));
    }
    return locatePrograms(cache);
  } catch (error) {
    return { missing: `${wanted.join(', ')} cannot be built: ${explain(error)}` };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What a run that was killed while it built has left; none builds for this long. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const folder = join(cache, name);
    if (!name.startsWith(prefix) || Date.now() - (await stat(folder)).mtimeMs < abandonedMs) continue;
    await rm(folder, { recursive: true, force: true });
  }
}

/** Go tells what it downloads first, and what is wrong at the end. */
function explain(error: unknown): string {
  const text = error instanceof ExecaError ? `${error.shortMessage}\n${String(error.stderr)}` : String(error);
  return text.trim().split('\n').slice(-2).join(' ');
}

/** The programs, where global set-up has got them. */
export function locatePrograms(cache = join(locateCache(process.env), 'kube')): Programs {
  const folder = join(cache, 'bin');
  const own = join(folder, 'kubectl');
  const kubectl = existsSync(own) ? own : findOnPath('kubectl', process.env);
  return { folder, kubectl: kubectl ?? own, stages: join(folder, 'kwok-stages.yaml') };
}

async function listMissing({ folder, kubectl, stages }: Programs): Promise<Program[]> {
  const version = await execa(join(folder, 'kube-apiserver'), ['--version'], { reject: false });
  const isCurrent = version.stdout?.trim() === `Kubernetes ${kubernetesVersion}`;
  const isThere = (name: Program) => {
    if (name === 'kubectl') return existsSync(kubectl);
    if (name === 'kwok' && !existsSync(stages)) return false;
    return existsSync(join(folder, name)) && (isCurrent || name === 'kwok' || name === 'etcd');
  };
  return ([...Object.keys(packages), 'kwok'] as Program[]).filter((name) => !isThere(name));
}

async function build(wanted: Program[], work: string, progress: Progress): Promise<void> {
  const startedAt = Date.now();
  const tell = (what: string) =>
    `building ${what} for the tests on Kubernetes, ${formatElapsed(Date.now() - startedAt)}`;
  const inFront = wanted.filter((name) => name !== 'kwok');
  const run = async (what: string, args: string[], env: Record<string, string> = {}) => {
    progress(`${tell(what)} (some minutes, once)`);
    const timer = setInterval(() => progress(tell(what), 'tick'), 1_000);
    try {
      await execa('nice', ['go', ...args], { cwd: source, env: { CGO_ENABLED: '0', GOGC: '400', ...env } });
    } finally {
      clearInterval(timer);
    }
  };
  const flags = ['-trimpath', '-gcflags=all=-dwarf=false'];
  if (inFront.length > 0) {
    const named = inFront.map((name) => packages[name]);
    await run(inFront.join(', '), [
      'build',
      ...flags,
      '-ldflags',
      `-s -w${stampVersion()}`,
      '-o',
      `${work}/`,
      ...named,
    ]);
    // Go names a program after the folder of its package.
    if (inFront.includes('etcd')) await rename(join(work, 'server'), join(work, 'etcd'));
  }
  if (!wanted.includes('kwok')) return;
  const [path = '', version = ''] = kwokModule.split('@');
  await run('kwok', ['install', ...flags, '-ldflags', '-s -w', `${path}/cmd/kwok@${version}`], { GOBIN: work });
  await writeFile(join(work, 'kwok-stages.yaml'), await readStages());
}

/** The programs panic at their start where this is empty. */
function stampVersion(): string {
  const [major, minor] = kubernetesVersion.slice(1).split('.');
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
    .map(
      (name) => ` -X ${name}.gitVersion=${kubernetesVersion} -X ${name}.gitMajor=${major} -X ${name}.gitMinor=${minor}`,
    )
    .join('');
}

/** kwok's own ones: nodes become ready, pods run at once, those of Jobs succeed, and what is deleted goes. */
async function readStages(): Promise<string> {
  const { stdout } = await execa('go', ['mod', 'download', '-json', kwokModule], { cwd: '/' });
  const { Dir: folder } = JSON.parse(stdout) as { Dir: string };
  const names = ['node/fast/node-initialize', 'pod/fast/pod-ready', 'pod/fast/pod-complete', 'pod/fast/pod-delete'];
  const texts = await Promise.all(names.map((name) => readFile(join(folder, `kustomize/stage/${name}.yaml`), 'utf8')));
  return texts.join('\n---\n');
}
