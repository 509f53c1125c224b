import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { openHostGuard } from '../../activities/host-guard.ts';
import { openHttpClient } from '../../activities/http-client.ts';
import { makeTempFolder } from './temp-folder.ts';

/** A cluster as KUBECONFIG names it, and a namespace of one test's own in it. */
export interface Cluster {
  /** The variables of a definition that talks to it. */
  environment: Record<
    'KUBERNETES_API_URL' | 'KUBERNETES_CA_FILE' | 'KUBERNETES_NAMESPACE' | 'KUBERNETES_TOKEN',
    string
  >;
  ask: (method: string, path: string, body?: unknown) => Promise<{ status: number; body: Record<string, unknown> }>;
  close: () => Promise<void>;
}

type Named<Key extends string, Value> = { name: string } & Record<Key, Value>;

interface Kubeconfig {
  'current-context': string;
  contexts: Named<'context', { cluster: string; user: string }>[];
  clusters: Named<
    'cluster',
    { server: string; 'certificate-authority'?: string; 'certificate-authority-data'?: string }
  >[];
  users: Named<'user', { token?: string }>[];
}

/** Why there is no cluster to test with; undefined where there is one. */
export function whyNoCluster(): string | undefined {
  const file = process.env['KUBECONFIG'];
  if (!file) return 'KUBECONFIG is not set';
  return readContext(file).token === '' ? 'KUBECONFIG names no token' : undefined;
}

/** The cluster of KUBECONFIG; whatever is made in its namespace goes with it. */
export async function openCluster(): Promise<Cluster> {
  const { server, ca, token } = readContext(process.env['KUBECONFIG'] ?? '');
  const namespace = `actcore-${randomBytes(4).toString('hex')}`;
  const environment = {
    ...{ KUBERNETES_API_URL: server, KUBERNETES_CA_FILE: ca },
    ...{ KUBERNETES_NAMESPACE: namespace, KUBERNETES_TOKEN: token },
  };
  const client = await openHttpClient({ tls: { ca }, guard: openHostGuard({}), environment: {} });
  const ask: Cluster['ask'] = async (method, path, body) => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const headers = { authorization: `Bearer ${token}`, 'content-type': type };
    const sent = { method, url: server + path, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const { status, text } = await client.exchange(sent, AbortSignal.timeout(10_000));
    return { status, body: JSON.parse(text) as Record<string, unknown> };
  };
  const made = await ask('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  if (made.status !== 201) throw new Error(`no namespace could be made: ${JSON.stringify(made.body)}`);
  const close = async () => {
    await ask('DELETE', `/api/v1/namespaces/${namespace}`);
    await client.close();
  };
  return { environment, ask, close };
}

function readContext(file: string): { server: string; ca: string; token: string } {
  const config = parse(readFileSync(file, 'utf8')) as Kubeconfig;
  const context = config.contexts.find(({ name }) => name === config['current-context'])?.context;
  const cluster = config.clusters.find(({ name }) => name === context?.cluster)?.cluster;
  const token = config.users.find(({ name }) => name === context?.user)?.user.token ?? '';
  const { server = '', 'certificate-authority': path, 'certificate-authority-data': data } = cluster ?? {};
  if (path !== undefined) return { server, ca: resolve(dirname(file), path), token };
  const ca = join(makeTempFolder(), 'ca.crt');
  writeFileSync(ca, Buffer.from(data ?? '', 'base64'));
  return { server, ca, token };
}
