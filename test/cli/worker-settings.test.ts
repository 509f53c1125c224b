import { describe, expect, it } from 'vitest';
import { Refusal } from '../../cli/refusal.ts';
import { readDeploymentName, readWorkerSettings } from '../../cli/worker-settings.ts';
import type { WorkerChoices } from '../../cli/worker-settings.ts';

describe('the settings of a worker', () => {
  it.for<[string, WorkerChoices, Record<string, string>, RegExp]>([
    ['an address without a port', { http: 'localhost' }, {}, /^--http is not host:port: localhost$/],
    ['an empty host', { http: ':9090' }, {}, /^--http is not host:port: :9090$/],
    ['a port that is none', {}, { ACTCORE_HTTP_ADDRESS: '127.0.0.1:70000' }, /^ACTCORE_HTTP_ADDRESS is not host:port/],
    ['a URL', {}, { ACTCORE_HTTP_ADDRESS: 'http://127.0.0.1:9090' }, /^ACTCORE_HTTP_ADDRESS is not host:port/],
    ['an IPv6 address without brackets', { http: '::1:9090' }, {}, /^--http is not host:port/],
    ['a drain time that is none', {}, { ACTCORE_DRAIN_TIMEOUT: 'soon' }, /^ACTCORE_DRAIN_TIMEOUT is not a length/],
    ['a drain time without a unit', {}, { ACTCORE_DRAIN_TIMEOUT: '30' }, /^ACTCORE_DRAIN_TIMEOUT is not a length/],
    ['a drain time beyond a day', {}, { ACTCORE_DRAIN_TIMEOUT: '25h' }, /^ACTCORE_DRAIN_TIMEOUT is not a length/],
    ['a deployment without a build', { deployment: 'd' }, {}, /^There is a deployment without its build id$/],
    ['a build without a deployment', {}, { ACTCORE_BUILD_ID: 'b' }, /^There is a build id without its deployment$/],
    ['a build that is no name', { deployment: 'd', buildId: 'a b' }, {}, /^--build-id is no name: a b$/],
    ['a name that the server keeps for itself', { deployment: '__d', buildId: 'b' }, {}, /^--deployment is no name/],
  ])('refuse %s', ([, choices, env, says]) => {
    expect(() => readWorkerSettings(env, choices)).toThrow(Refusal);
    expect(() => readWorkerSettings(env, choices)).toThrow(says);
  });

  it('are none where nothing is said, or nothing is in the variables', () => {
    expect(readWorkerSettings({}, {})).toEqual({});
    expect(readWorkerSettings({ ACTCORE_HTTP_ADDRESS: '', ACTCORE_BUILD_ID: '' }, {})).toEqual({});
  });

  it('are taken from the options before the environment', () => {
    const env = {
      ...{ ACTCORE_HTTP_ADDRESS: '0.0.0.0:9090', ACTCORE_DRAIN_TIMEOUT: '5m' },
      ...{ ACTCORE_DEPLOYMENT_NAME: 'd', ACTCORE_BUILD_ID: 'v1.2.3' },
    };
    const drainMs = 300_000;
    expect(readWorkerSettings(env, {})).toEqual({
      ...{ http: { host: '0.0.0.0', port: 9_090 }, drainMs, deployment: { name: 'd', buildId: 'v1.2.3' } },
    });
    expect(readWorkerSettings(env, { http: '[::1]:0', buildId: 'v2' })).toEqual({
      ...{ http: { host: '::1', port: 0 }, drainMs, deployment: { name: 'd', buildId: 'v2' } },
    });
    expect(readDeploymentName(env, {})).toBe('d');
    expect(() => readDeploymentName({}, {})).toThrow('No worker deployment is named');
  });
});
