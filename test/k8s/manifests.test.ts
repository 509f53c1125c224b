import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { kubectl, listObjects, mustKubectl } from './support/kubectl.ts';
import type { KubeObject } from './support/kubectl.ts';
import { copyManifests } from './support/manifest-folder.ts';

const missing = process.env['ACTCORE_TEST_NO_CLUSTER'];
const reason = missing === undefined ? '' : ` (skipped: ${missing})`;
/** On another cluster images would have to be pulled, and Secrets be there. */
const isOwn = process.env['ACTCORE_TEST_OWN_CLUSTER'] === 'true';

const apply = (folder: string) => kubectl(['apply', '-k', folder, '--validate=strict']);

/** Each way of installing, put into a namespace of its own; the root folder is applied as it is where that harms nobody. */
const installs = ['k8s', 'k8s/overlays/quickstart', 'k8s/overlays/production', 'production with an API key'] as const;

function prepare(install: (typeof installs)[number]) {
  const manifests = copyManifests();
  const production = 'k8s/overlays/production';
  if (install === 'production with an API key') {
    manifests.edit(`${production}/kustomization.yaml`, (text) =>
      text.replace('  - ../../components/temporal-mtls\n  # - ', '  - '),
    );
    return manifests.wrap(production);
  }
  if (install === 'k8s' && isOwn) return { folder: join(manifests.root, 'k8s'), namespace: 'actcore' };
  return manifests.wrap(install);
}

describe.skipIf(missing !== undefined)(`the manifests on a real API server${reason}`, () => {
  it.for(installs)(
    '%s is taken twice under strict validation and Pod Security, comes up, and leaves no difference',
    { timeout: 120_000 },
    async (install) => {
      const { folder, namespace } = prepare(install);
      const first = await apply(folder);
      expect(first).toMatchObject({ exitCode: 0, stderr: '' });
      expect(first.stdout).toContain('deployment.apps/actcore-worker created');
      const again = await apply(folder);
      expect(again).toMatchObject({ exitCode: 0, stderr: '' });
      expect(again.stdout).not.toContain('created');
      const diff = await kubectl(['diff', '-k', folder]);
      expect(diff).toMatchObject({ exitCode: 0, stdout: '' });
      if (isOwn) await awaitUp(namespace);
      const refused = await listObjects('events', namespace, '--field-selector=reason=FailedCreate');
      expect(refused).toEqual([]);
      expectSelectors(await listObjects('pods,networkpolicies,poddisruptionbudgets,services', namespace));
      // Those that are not ready, as all workers are while Temporal is away, must not keep a node from being emptied.
      for (const { spec } of await listObjects('poddisruptionbudgets', namespace)) {
        expect(spec).toMatchObject({ minAvailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' });
      }
      expectLeastPrivilege(await listObjects('pods', namespace));
      await kubectl(['delete', 'namespace', namespace, '--wait=false']);
    },
  );

  it('with versions of the workers, a new one comes beside the old one, which stays as it is', async () => {
    const manifests = copyManifests();
    const component = 'k8s/components/worker-version/kustomization.yaml';
    manifests.edit('k8s/overlays/production/kustomization.yaml', (text) =>
      text.replace('components:\n', 'components:\n  - ../../components/worker-version\n'),
    );
    const { folder, namespace } = manifests.wrap('k8s/overlays/production');
    expect(await apply(folder)).toMatchObject({ exitCode: 0, stderr: '' });
    manifests.edit(component, (text) => text.replaceAll('0-1-0', '0-2-0'));
    const second = await apply(folder);
    expect(second).toMatchObject({ exitCode: 0, stderr: '' });
    expect(second.stdout.match(/^\S+ created$/gm)).toEqual(['deployment.apps/actcore-worker-0-2-0 created']);
    const deployments = await listObjects('deployments', namespace, '--selector=app.kubernetes.io/name=actcore-worker');
    const shown = deployments.map(({ metadata, spec }) => [
      metadata.name,
      spec.selector.matchLabels['actcore/build-id'],
      spec.template.metadata.labels['actcore/build-id'],
    ]);
    expect(shown).toEqual(['0-1-0', '0-2-0'].map((id) => [`actcore-worker-${id}`, id, id]));
    const variables = deployments.flatMap(({ spec }) => spec.template.spec.containers[0].env);
    const buildId = {
      name: 'ACTCORE_BUILD_ID',
      valueFrom: { fieldRef: { fieldPath: "metadata.labels['actcore/build-id']" } },
    };
    expect(variables).toContainEqual(expect.objectContaining({ name: 'ACTCORE_DEPLOYMENT_NAME' }));
    expect(variables.filter(({ name }) => name === buildId.name)).toMatchObject([buildId, buildId]);
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  }, 60_000);

  it('a misspelt key is refused, and so is nothing applied of that object', async () => {
    const manifests = copyManifests();
    manifests.edit('k8s/base/20-runtime.yaml', (text) => text.replace('  replicas: 2', '  replica: 2'));
    const { folder, namespace } = manifests.wrap('k8s');
    const ended = await apply(folder);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain('unknown field "spec.replica"');
    const deployments = await listObjects('deployments', namespace);
    expect(deployments.map(({ metadata }) => metadata.name)).not.toContain('actcore-worker');
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  }, 60_000);

  it('a pod that asks for more than the namespace allows is told at apply, and never made', async () => {
    const manifests = copyManifests();
    manifests.edit('k8s/base/30-bridge.yaml', (text) =>
      text.replace('allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: true'),
    );
    const { folder, namespace } = manifests.wrap('k8s');
    expect((await apply(folder)).stderr).toContain('would violate PodSecurity "restricted:latest"');
    const refused = await eventually(async () => {
      const events = await listObjects('events', namespace, '--field-selector=reason=FailedCreate');
      return events.length > 0 && events;
    });
    expect(JSON.stringify(refused)).toContain('allowPrivilegeEscalation != false');
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  }, 60_000);
});

/** Fails where something has not come up in a minute; kwok runs what the scheduler has placed. */
async function awaitUp(namespace: string): Promise<void> {
  const options = [`--namespace=${namespace}`, '--timeout=60s'];
  await mustKubectl(['wait', 'deployments', '--all', '--for=condition=Available', ...options]);
  await mustKubectl(['wait', 'jobs', '--all', '--for=condition=Complete', ...options]);
  for (const { metadata } of await listObjects('statefulsets', namespace)) {
    await mustKubectl(['rollout', 'status', `statefulset/${metadata.name}`, ...options]);
  }
}

/** What selects pods by labels has to find some, or it guards and serves nothing. */
function expectSelectors(objects: KubeObject[]): void {
  const pods = objects.filter(({ kind }) => kind === 'Pod');
  const selectorsOf = ({ kind, spec }: KubeObject): Record<string, string>[] => {
    if (kind === 'Service') return [spec.selector];
    if (kind === 'PodDisruptionBudget') return [spec.selector.matchLabels];
    const peers = [...(spec.ingress ?? []), ...(spec.egress ?? [])].flatMap(({ from = [], to = [] }) => [
      ...from,
      ...to,
    ]);
    return [spec, ...peers].flatMap(({ podSelector }) => (podSelector?.matchLabels ? [podSelector.matchLabels] : []));
  };
  const others = objects.filter(({ kind }) => kind !== 'Pod');
  const selectors = others.flatMap((object) =>
    selectorsOf(object).map((labels) => ({ by: object.metadata.name, labels })),
  );
  expect(selectors.length).toBeGreaterThan(8);
  const blind = selectors.filter(
    ({ labels }) =>
      !pods.some(({ metadata }) => Object.entries(labels).every(([name, value]) => metadata.labels?.[name] === value)),
  );
  expect(blind).toEqual([]);
}

function expectLeastPrivilege(pods: KubeObject[]): void {
  expect(pods.length).toBeGreaterThan(5);
  for (const { spec } of pods) {
    const mounts = JSON.stringify(spec.volumes ?? []);
    expect(mounts).not.toContain('serviceAccountToken');
    for (const { securityContext, resources } of spec.containers) {
      expect(securityContext).toMatchObject({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
      expect(resources.limits.memory).toBeDefined();
    }
  }
}
