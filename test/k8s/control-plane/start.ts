import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { chooseAnyPort } from '../../../dev/ports.ts';
import { eventually } from '../../support/eventually.ts';
import type { Programs } from './programs.ts';

/** A real control plane on loopback, with one node that only pretends to run what it is given. */
export interface ControlPlane {
  kubeconfig: string;
  stop: () => Promise<void>;
}

/** Starts etcd, the API server, the controllers, the scheduler and kwok; takes about five seconds. */
export async function startControlPlane(programs: Programs): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), 'actcore-kube-'));
  const children: ReturnType<typeof startProgram>[] = [];
  const start = (name: string, args: string[]) => children.push(startProgram(programs, folder, name, args));
  const stop = async () => {
    // All state goes with the folder, so there is nothing to bring to an orderly end.
    for (const child of children.toReversed()) child.kill('SIGKILL');
    await Promise.all(children);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const [etcdPort, peerPort, port] = [await chooseAnyPort(), await chooseAnyPort(), await chooseAnyPort()];
    const token = writeCredentials(folder);
    const kubeconfig = writeKubeconfig(folder, port, token);
    start('etcd', etcdArgs(folder, etcdPort, peerPort));
    start('kube-apiserver', serverArgs(folder, etcdPort, port));
    await awaitServer(folder, { port, token }, children);
    const clients = ['--authentication-kubeconfig', kubeconfig, '--authorization-kubeconfig', kubeconfig];
    const common = ['--kubeconfig', kubeconfig, ...clients, '--leader-elect=false', '--secure-port=0'];
    start('kube-controller-manager', [
      ...common,
      `--service-account-private-key-file=${folder}/sa.key`,
      `--root-ca-file=${folder}/apiserver.crt`,
    ]);
    start('kube-scheduler', common);
    await execa(programs.kubectl, ['create', '-f', '-'], { env: { KUBECONFIG: kubeconfig }, input: inventory });
    start('kwok', [
      ...['--kubeconfig', kubeconfig, '--config', programs.stages, '--manage-all-nodes=true'],
      ...['--node-ip=10.99.0.1', '--cidr=10.99.0.0/16', '--node-lease-duration-seconds=40'],
    ]);
    await awaitAccount(programs, kubeconfig);
    return { kubeconfig, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startProgram({ folder: programs }: Programs, folder: string, name: string, args: string[]) {
  const log = { file: join(folder, `${name}.log`) };
  return execa(join(programs, name), args, { cwd: folder, reject: false, stdin: 'ignore', stdout: log, stderr: log });
}

function etcdArgs(folder: string, port: number, peerPort: number): string[] {
  const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  return [
    ...['--name=default', `--data-dir=${folder}/etcd`, '--unsafe-no-fsync', '--log-level=warn'],
    ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
    ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=default=${peer}`],
  ];
}

/** The server signs a certificate for itself, at `apiserver.crt`. */
function serverArgs(folder: string, etcdPort: number, port: number): string[] {
  return [
    ...[`--etcd-servers=http://127.0.0.1:${etcdPort}`, '--bind-address=127.0.0.1', `--secure-port=${port}`],
    ...[`--cert-dir=${folder}`, '--advertise-address=127.0.0.1', '--endpoint-reconciler-type=none'],
    ...['--service-cluster-ip-range=10.96.0.0/16', '--service-account-issuer=https://kubernetes.default.svc'],
    ...[`--service-account-key-file=${folder}/sa.pub`, `--service-account-signing-key-file=${folder}/sa.key`],
    ...[`--token-auth-file=${folder}/tokens.csv`, '--authorization-mode=RBAC', '--profiling=false'],
  ];
}

function writeCredentials(folder: string): string {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const token = randomBytes(24).toString('hex');
  mkdirSync(join(folder, 'etcd'), { mode: 0o700 });
  const secret = { mode: 0o600 };
  writeFileSync(join(folder, 'sa.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }), secret);
  writeFileSync(join(folder, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(folder, 'tokens.csv'), `${token},admin,admin,"system:masters"\n`, secret);
  return token;
}

function writeKubeconfig(folder: string, port: number, token: string): string {
  const file = join(folder, 'kubeconfig');
  const cluster = { server: `https://127.0.0.1:${port}`, 'certificate-authority': join(folder, 'apiserver.crt') };
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

async function awaitServer(
  folder: string,
  { port, token }: { port: number; token: string },
  children: readonly Promise<unknown>[],
): Promise<void> {
  let ended = false;
  for (const child of children) void child.then(() => (ended = true));
  const isReady = async () => {
    if (ended)
      throw new Error(`the control plane ended: ${readTail(folder, 'kube-apiserver')}${readTail(folder, 'etcd')}`);
    return askReady(folder, port, token);
  };
  await eventually(isReady, { withinMs: 50_000, what: 'the API server' });
}

function readTail(folder: string, name: string): string {
  return readFileSync(join(folder, `${name}.log`), 'utf8').slice(-1_500);
}

function askReady(folder: string, port: number, token: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { port, host: '127.0.0.1', path: '/readyz', headers: { authorization: `Bearer ${token}` } };
    try {
      const ca = readFileSync(join(folder, 'apiserver.crt'));
      const asked = request({ ...options, ca, timeout: 2_000 }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      asked.on('timeout', () => asked.destroy());
      asked.on('error', () => resolve(false));
      asked.end();
    } catch {
      // It has not made its certificate yet.
      resolve(false);
    }
  });
}

/** Pods cannot be made before their namespace has an account. */
async function awaitAccount({ kubectl }: Programs, kubeconfig: string): Promise<void> {
  const ask = async () => {
    const env = { KUBECONFIG: kubeconfig };
    return (await execa(kubectl, ['get', 'serviceaccount', 'default'], { env, reject: false })).exitCode === 0;
  };
  await eventually(ask, { withinMs: 50_000, what: 'the controllers' });
}

/** A node that kwok brings to life, and two volumes for what claims one. */
const inventory = JSON.stringify({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      ...{ apiVersion: 'v1', kind: 'Node' },
      metadata: { name: 'pretended', labels: { 'kubernetes.io/hostname': 'pretended', type: 'kwok' } },
      status: { allocatable: { cpu: '32', memory: '256Gi', pods: '110', 'ephemeral-storage': '100Gi' } },
    },
    ...['one', 'two'].map((name) => ({
      ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name } },
      spec: {
        ...{ capacity: { storage: '10Gi' }, accessModes: ['ReadWriteOnce'] },
        hostPath: { path: `/nowhere/${name}` },
      },
    })),
  ],
});
