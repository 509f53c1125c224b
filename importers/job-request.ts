import { isMapping } from '../compiler/mapping.ts';
import { escapeTemplate } from '../expressions/template.ts';
import type { HttpCall } from './http-call.ts';
import { VariableCollector } from './request-variables.ts';
import { holdsSecrets } from './mask-object.ts';
import { isSecretName, isSecretText } from './secrets.ts';
import type { FoundJob } from './found-job.ts';

/** A call of the Kubernetes API that runs the Job of a CronJob, with how it is followed to its end. */
export interface JobCall extends HttpCall {
  poll: Record<string, unknown>;
  outcome: Record<string, unknown>;
}

/** Names of Jobs have at most 63 characters, and the id of a run takes 37 of them. */
const longestName = 26;

/** Makes the same Job as the CronJob does; a credential that stands in the manifest becomes a variable. */
export function requestJob(template: NonNullable<FoundJob['jobTemplate']>, base: string): JobCall | { reason: string } {
  const variables = new VariableCollector(base);
  const spec = copyValue(template.spec, '', variables);
  if (holdsSecrets(spec)) {
    return { reason: 'it has a credential among its arguments: move that to a Secret, and name it by `env`' };
  }
  variables.note('${KUBERNETES_API_URL}${KUBERNETES_CA_FILE}');
  variables.note('${KUBERNETES_TOKEN}', true);
  const name = template.name.slice(0, longestName).replace(/[-.]+$/, '');
  const jobSpec = {
    ttlSecondsAfterFinished: 86_400,
    ...(isMapping(spec) ? spec : {}),
    activeDeadlineSeconds: '${budget.max_seconds}',
  };
  const { env, secrets, origins } = variables.list();
  return {
    ...{ env, secrets },
    origins: origins.map((origin) => ({ ...origin, from: kubernetesVariables[origin.name] ?? origin.from })),
    request: {
      method: 'POST',
      url: `\${KUBERNETES_API_URL}/apis/batch/v1/namespaces/${template.namespace}/jobs`,
      auth: { bearer: '${KUBERNETES_TOKEN}' },
      tls: { ca: '${KUBERNETES_CA_FILE}' },
      body: {
        ...{ apiVersion: 'batch/v1', kind: 'Job' },
        metadata: { name: `${name}-\${run.id}`, labels: { 'app.kubernetes.io/managed-by': 'activity-core' } },
        spec: jobSpec,
      },
    },
    poll: {
      ...{ when: 'status == 201', every: '2s', max_every: '15s' },
      url: '"/apis/batch/v1/namespaces/" + body.metadata.namespace + "/jobs/" + body.metadata.name',
      done: 'has(body.status.conditions) && body.status.conditions.exists(c, c.status == "True" && (c.type == "Complete" || c.type == "Failed"))',
    },
    outcome: {
      assessment_failures:
        'body.status.conditions.filter(c, c.status == "True" && c.type == "Failed").map(c, {"target": body.metadata.name, "rule": "C-00", "message": c.reason + ": " + c.message})',
    },
    notes: [
      'It makes the Job of the CronJob through the Kubernetes API; the account of the token needs `create` and `get` on `jobs` in the namespace.',
    ],
  };
}

const kubernetesVariables: Record<string, string> = {
  KUBERNETES_API_URL: 'the address of the API server, such as https://kubernetes.default.svc',
  KUBERNETES_CA_FILE: 'the PEM file of its authority on the worker',
  KUBERNETES_TOKEN: 'a token that may create Jobs there',
};

/** Texts of a manifest are no templates; values of `env` that are credentials become variables. */
function copyValue(value: unknown, name: string, variables: VariableCollector): unknown {
  if (typeof value === 'string') {
    const isCredential = name !== '' && (isSecretName(name) || isSecretText(value)) && !value.startsWith('$(');
    return isCredential
      ? variables.hide(escapeTemplate(value), name, `the value of \`${name}\` in the manifest`)
      : escapeTemplate(value);
  }
  if (Array.isArray(value)) return value.map((item: unknown) => copyValue(item, '', variables));
  if (!isMapping(value)) return value;
  const { name: variable } = value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      copyValue(item, key === 'value' && typeof variable === 'string' ? variable : '', variables),
    ]),
  );
}
