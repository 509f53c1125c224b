import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { openCluster, whyNoCluster } from '../support/kubernetes.ts';
import type { Cluster } from '../support/kubernetes.ts';
import { tryExample } from './support/try-example.ts';

const missing = whyNoCluster();
const reason = missing === undefined ? '' : ` (skipped: ${missing})`;

/** No node takes its pods, so that nobody runs them but the case. */
const homeless = (text: string) =>
  text.replace('restartPolicy: Never', 'restartPolicy: Never\n            nodeSelector: { nowhere: "true" }');
const doomed = (text: string) =>
  homeless(text).replace('activeDeadlineSeconds: ${budget.max_seconds}', 'activeDeadlineSeconds: 1');

describe.skipIf(missing !== undefined)(`a real Kubernetes${reason}`, () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await openCluster();
  });
  afterAll(() => cluster.close());

  const listJobs = async () => {
    const { body } = await cluster.ask(
      'GET',
      `/apis/batch/v1/namespaces/${cluster.environment.KUBERNETES_NAMESPACE}/jobs`,
    );
    return (body['items'] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
  };

  it('a Job is started under the id of the run, and followed until it has done its work', async () => {
    const report = await tryExample('kubernetes-job', cluster.environment);
    expect(report).toMatchObject({ outcome: 'completed', assessment: 'passed', exitCode: 0 });
    expect(report.stages?.pollMs).toBeGreaterThan(0);
    expect(await listJobs()).toEqual([`nightly-${report.runId}`]);
  });

  it('a Job that fails is an automation error, and the reason is that of Kubernetes', async () => {
    const report = await tryExample('kubernetes-job', cluster.environment, doomed);
    expect(report).toMatchObject({ outcome: 'automation_error', exitCode: 1 });
    expect(report.reason).toMatch(/\(C-00\): DeadlineExceeded: Job was active longer than specified deadline$/);
  });

  it('a Job that did its work at the second attempt has completed, and the pods that failed are found', async () => {
    const pods = `/api/v1/namespaces/${cluster.environment.KUBERNETES_NAMESPACE}/pods`;
    const endPod = async (phase: 'Failed' | 'Succeeded') => {
      const name = await eventually(async () => {
        const { body } = await cluster.ask('GET', `${pods}?fieldSelector=status.phase=Pending`);
        const [pod] = body['items'] as { metadata: { name: string; deletionTimestamp?: string } }[];
        return pod?.metadata.deletionTimestamp === undefined && pod?.metadata.name;
      });
      expect(await cluster.ask('PATCH', `${pods}/${name}/status`, { status: { phase } })).toMatchObject({
        status: 200,
      });
    };
    const trial = tryExample('kubernetes-job', cluster.environment, homeless);
    await endPod('Failed');
    await endPod('Succeeded');
    const report = await trial;
    expect(report).toMatchObject({ outcome: 'completed', assessment: 'failed', exitCode: 0 });
    const target = `nightly-${report.runId}`;
    expect(report.assessmentFailures).toEqual([{ target, rule: 'pods-failed', message: '1 failed' }]);
  }, 60_000);

  it('a Job that is none, and a token that is not good, start nothing', async () => {
    const before = await listJobs();
    const invalid = await tryExample('kubernetes-job', cluster.environment, (text) => text.replace('Never', 'Always'));
    expect(invalid).toMatchObject({ outcome: 'automation_error' });
    expect(invalid.reason).toMatch(/answered 422: .*restartPolicy/);
    const refused = await tryExample('kubernetes-job', { ...cluster.environment, KUBERNETES_TOKEN: 'not-a-good-one' });
    expect(refused.reason).toContain('answered 401');
    expect(await listJobs()).toEqual(before);
  });
});
