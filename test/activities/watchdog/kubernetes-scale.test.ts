import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCluster, whyNoCluster } from '../../support/kubernetes.ts';
import type { Cluster } from '../../support/kubernetes.ts';
import { defineRemedy, openRemedyStage } from './support/remedy-stage.ts';
import type { RemedyStage } from './support/remedy-stage.ts';

const missing = whyNoCluster();
const reason = missing === undefined ? '' : ` (skipped: ${missing})`;

/** As many workers as the depth of the queue asks for, within bounds. */
const detect = `select 'deployment/' || deployment as id, deployment,
  least(greatest(ceil(count(*) / 10.0), 1), 8)::int as desired
from experiment_queue group by deployment order by deployment`;
const scale = `{ method: PATCH, url: "\${KUBERNETES_API_URL}/apis/apps/v1/namespaces/\${KUBERNETES_NAMESPACE}/deployments/\${finding.deployment}/scale", tls: { ca: "\${KUBERNETES_CA_FILE}" }, auth: { bearer: "\${KUBERNETES_TOKEN}" }, headers: { Content-Type: application/merge-patch+json }, body: { spec: { replicas: "\${finding.desired}" } }, expect: { condition: "body.kind == 'Scale'" } }`;
const variables = {
  env: '[KUBERNETES_API_URL, KUBERNETES_CA_FILE, KUBERNETES_NAMESPACE]',
  secrets: '[KUBERNETES_TOKEN]',
};

describe.skipIf(missing !== undefined)(`a real Kubernetes${reason}`, () => {
  let cluster: Cluster;
  let stage: RemedyStage;
  let deployments: string;
  beforeAll(async () => {
    [cluster, stage] = await Promise.all([openCluster(), openRemedyStage()]);
    deployments = `/apis/apps/v1/namespaces/${cluster.environment.KUBERNETES_NAMESPACE}/deployments`;
    const labels = { app: 'workers' };
    const containers = [{ name: 'worker', image: 'example.invalid/worker' }];
    const spec = {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    };
    const made = await cluster.ask('POST', deployments, { metadata: { name: 'workers' }, spec });
    if (made.status !== 201) throw new Error(JSON.stringify(made.body));
    await stage.client.query(`
      create table experiment_queue (id bigserial, deployment text);
      insert into experiment_queue (deployment) select 'workers' from generate_series(1, 34);
      insert into experiment_queue (deployment) values ('not-there')`);
  });
  afterAll(() => Promise.all([cluster.close(), stage.close()]));

  it('a deployment is scaled to what the finding desires; one that is not there fails by itself', async () => {
    const order = await defineRemedy(detect, scale, variables);
    const { environment } = cluster;
    const treated = await stage.treat(order, environment);
    expect(treated).toMatchObject([
      { outcome: 'failed', error: expect.stringMatching(/^the target answered 404: .*not found/) },
      { outcome: 'sent', record: { after: expect.stringContaining('"spec":{"replicas":4}') } },
    ]);
    expect(await cluster.ask('GET', `${deployments}/workers`)).toMatchObject({ body: { spec: { replicas: 4 } } });

    const refused = await stage.treat(order, { ...environment, KUBERNETES_TOKEN: 'not-a-good-one' });
    expect(refused).toMatchObject([1, 2].map(() => ({ error: expect.stringMatching(/^the target answered 401/) })));
    expect(JSON.stringify(stage.kept)).not.toContain(cluster.environment.KUBERNETES_TOKEN);
  });
});
