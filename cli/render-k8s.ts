import { createHash } from 'node:crypto';

/** A definition file as one key of a ConfigMap. */
export interface RenderedFile {
  key: string;
  text: string;
}

/** What the sync Job is to be called after and run in. */
export interface RenderOptions {
  namespace: string;
  image: string;
}

/** A Kubernetes object, as far as it matters here. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; labels: Record<string, string> };
  [key: string]: unknown;
}

/**
 * `kubectl apply` keeps the whole object in an annotation of at most 262,144 bytes
 * (TotalAnnotationSizeLimitB of k8s.io/apimachinery), which a few other annotations share.
 */
export const annotationBytes = 250_000;

/** The server's limit for the data of one ConfigMap: https://kubernetes.io/docs/concepts/configuration/configmap/ */
export const configMapBytes = 1_048_576;

const partOf = { 'app.kubernetes.io/part-of': 'activity-core' };
const name = 'actcore-sync';

/**
 * The files as ConfigMaps, and the Job that applies them. Both are named after what is in them, so that a change makes new ones.
 * A set that is too big for one ConfigMap takes several, which the Job sees as one folder.
 */
export function renderManifests(files: RenderedFile[], options: RenderOptions): Manifest[] {
  const parts = splitFiles(files);
  const digest = createHash('sha256')
    .update(JSON.stringify([files, options]))
    .digest('hex')
    .slice(0, 10);
  const names = parts.map((_, index) => `${name}-${digest}${index === 0 ? '' : `-${index + 1}`}`);
  const maps = parts.map((part, index): Manifest => ({
    ...{ apiVersion: 'v1', kind: 'ConfigMap' },
    metadata: { name: names[index] ?? name, namespace: options.namespace, labels: partOf },
    data: Object.fromEntries(part.map(({ key, text }) => [key, text])),
  }));
  return [...maps, renderJob(`${name}-${digest}`, names, options)];
}

/** As many files to a part as `kubectl apply` takes; one that is bigger by itself is a part. */
function splitFiles(files: RenderedFile[]): RenderedFile[][] {
  const parts: RenderedFile[][] = [[]];
  let used = 0;
  for (const file of files) {
    const size = measureFile(file);
    if (used > 0 && used + size > annotationBytes) {
      parts.push([]);
      used = 0;
    }
    parts.at(-1)?.push(file);
    used += size;
  }
  return parts;
}

/** The bytes that a file takes in the annotation, which is JSON. */
export function measureFile({ key, text }: RenderedFile): number {
  return Buffer.byteLength(JSON.stringify(key) + JSON.stringify(text)) + 2;
}

/** The Job of `k8s/base`; a test holds the two against each other. */
function renderJob(jobName: string, maps: string[], { namespace, image }: RenderOptions): Manifest {
  const labels = {
    ...{ 'app.kubernetes.io/name': name, ...partOf },
    ...{ 'actcore/temporal': 'client', 'actcore/postgres': 'client' },
  };
  const [single] = maps;
  const sources = maps.map((map) => ({ configMap: { name: map } }));
  const folder = maps.length === 1 ? { configMap: { name: single } } : { projected: { sources } };
  return {
    ...{ apiVersion: 'batch/v1', kind: 'Job' },
    metadata: { name: jobName, namespace, labels },
    spec: {
      ...{ backoffLimit: 3, activeDeadlineSeconds: 1_800, ttlSecondsAfterFinished: 600 },
      podFailurePolicy: {
        rules: [{ action: 'FailJob', onExitCodes: { containerName: 'actcore', operator: 'In', values: [1] } }],
      },
      template: {
        metadata: { labels },
        spec: {
          ...{ serviceAccountName: name, automountServiceAccountToken: false, enableServiceLinks: false },
          restartPolicy: 'Never',
          securityContext: {
            ...{ runAsNonRoot: true, runAsUser: 1_000, runAsGroup: 1_000, fsGroup: 1_000 },
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [renderContainer(image)],
          volumes: [
            { name: 'tmp', emptyDir: { sizeLimit: '32Mi' } },
            { name: 'definitions', ...folder },
          ],
        },
      },
    },
  };
}

const mountPath = '/etc/actcore/definitions';

function renderContainer(image: string): Record<string, unknown> {
  const secretKeyRef = { name: 'actcore-database', key: 'operator-url' };
  return {
    ...{ name: 'actcore', image, command: ['node', 'dist/cli/main.js'] },
    args: ['apply', '--hold', '--wait', '10m', mountPath],
    envFrom: [{ configMapRef: { name: 'actcore-settings' } }],
    env: [
      { name: 'ACTCORE_DATABASE_URL', valueFrom: { secretKeyRef } },
      { name: 'ACTCORE_ACTOR', value: 'actcore-sync' },
    ],
    resources: {
      requests: { cpu: '100m', memory: '128Mi', 'ephemeral-storage': '16Mi' },
      limits: { memory: '512Mi', 'ephemeral-storage': '64Mi' },
    },
    securityContext: {
      ...{ allowPrivilegeEscalation: false, privileged: false, readOnlyRootFilesystem: true },
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'definitions', mountPath, readOnly: true },
    ],
  };
}
