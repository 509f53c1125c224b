import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { eventually } from '../../support/eventually.ts';
import { checkout } from '../../support/program.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';
import { kubectl, listObjects } from './kubectl.ts';
import type { KubeObject } from './kubectl.ts';

/** What a kubelet would start for the one container of a pod. */
export interface PodStart {
  command: string[];
  env: Record<string, string>;
  /** By mount path: the files by their names. */
  mounts: Record<string, Record<string, string>>;
}

/** A pod whose container cannot be started, in the words of a kubelet. */
export class CreateContainerConfigError extends Error {
  override readonly name = 'CreateContainerConfigError';
}

interface KeyReference {
  name: string;
  key: string;
  optional?: boolean;
}

interface Container {
  command?: string[];
  args?: string[];
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef?: KeyReference; configMapKeyRef?: KeyReference } }[];
  envFrom?: { configMapRef?: Omit<KeyReference, 'key'>; secretRef?: Omit<KeyReference, 'key'> }[];
  volumeMounts?: { name: string; mountPath: string }[];
}

interface Source {
  configMap?: { name: string };
  secret?: { secretName?: string; name?: string };
}

/** The pod that the Job of this name has made, once it is there. */
export async function awaitPod(namespace: string, job: string): Promise<KubeObject> {
  const ask = async () => (await listObjects('pods', namespace, `--selector=batch.kubernetes.io/job-name=${job}`))[0];
  return eventually(ask, { what: `the pod of ${job}` });
}

/**
 * Reads what the pod's container is started with: everything that it refers to is asked of the API server.
 * @throws CreateContainerConfigError where something that it needs is not there
 */
export async function readStart(namespace: string, pod: KubeObject): Promise<PodStart> {
  const [container] = pod.spec.containers as [Container];
  const read = (kind: 'configmap' | 'secret', name: string, optional = false) =>
    readData(namespace, kind, { name, optional });
  const env: Record<string, string> = {};
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef) Object.assign(env, await read('configmap', configMapRef.name, configMapRef.optional));
    if (secretRef) Object.assign(env, await read('secret', secretRef.name, secretRef.optional));
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const { secretKeyRef, configMapKeyRef } = valueFrom ?? {};
    const reference = secretKeyRef ?? configMapKeyRef;
    if (reference === undefined) env[name] = value ?? '';
    else env[name] = await readKey(namespace, secretKeyRef === undefined ? 'ConfigMap' : 'Secret', reference);
  }
  const mounts: PodStart['mounts'] = {};
  for (const { name, mountPath } of container.volumeMounts ?? []) {
    const volume = (pod.spec.volumes as ({ name: string; projected?: { sources: Source[] } } & Source)[]).find(
      (one) => one.name === name,
    );
    const files: Record<string, string> = {};
    for (const { configMap, secret } of volume?.projected?.sources ?? (volume === undefined ? [] : [volume])) {
      if (configMap) Object.assign(files, await read('configmap', configMap.name));
      if (secret) Object.assign(files, await read('secret', secret.secretName ?? secret.name ?? ''));
    }
    mounts[mountPath] = files;
  }
  return { command: [...(container.command ?? []), ...(container.args ?? [])], env, mounts };
}

async function readKey(namespace: string, kind: 'ConfigMap' | 'Secret', reference: KeyReference): Promise<string> {
  const { name, key, optional = false } = reference;
  const data = await readData(namespace, kind === 'Secret' ? 'secret' : 'configmap', { name, optional });
  const value = data[key];
  if (value !== undefined) return value;
  throw new CreateContainerConfigError(`couldn't find key ${key} in ${kind} ${namespace}/${name}`);
}

async function readData(
  namespace: string,
  kind: 'configmap' | 'secret',
  { name, optional }: { name: string; optional: boolean },
): Promise<Record<string, string>> {
  const { exitCode, stdout } = await kubectl(['get', kind, name, '--namespace', namespace, '--output', 'json']);
  if (exitCode !== 0 && optional) return {};
  if (exitCode !== 0) throw new CreateContainerConfigError(`${kind} "${name}" not found`);
  const { data = {} } = JSON.parse(stdout) as { data?: Record<string, string> };
  if (kind === 'configmap') return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  );
}

/**
 * Runs what a pod would run as a process here: nothing in its environment but the pod's, the mounted files below a folder of
 * its own, laid out with links as a kubelet does. The folder of the image is the checkout.
 */
export async function runStart(
  { command, env, mounts }: PodStart,
  { change = (args) => args, onNote }: { change?: (args: string[]) => string[]; onNote?: (text: string) => void } = {},
): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  const root = makeTempFolder();
  for (const [path, files] of Object.entries(mounts)) layFiles(join(root, path), files);
  const paths = Object.keys(mounts);
  const place = (text: string) => paths.reduce((placed, path) => placed.replace(path, join(root, path)), text);
  const [program = '', ...args] = change(command);
  const placed = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, place(value)]));
  const child = execa(program, args.map(place), {
    ...{ cwd: checkout, extendEnv: false, reject: false, timeout: 60_000 },
    env: { PATH: process.env['PATH'] ?? '', ...placed },
  });
  if (onNote) child.stderr.on('data', (chunk: Buffer) => onNote(chunk.toString()));
  const { exitCode, stdout, stderr } = await child;
  return { exitCode, stdout, stderr };
}

function layFiles(folder: string, files: Record<string, string>): void {
  const data = join(folder, '..2026_11_21_00_00_00.000000001');
  mkdirSync(data, { recursive: true });
  symlinkSync('..2026_11_21_00_00_00.000000001', join(folder, '..data'));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(data, name), text);
    symlinkSync(join('..data', name), join(folder, name));
  }
}
