import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { findOnPath } from '../../dev/temporal-probe.ts';
import { obtainPrograms } from '../k8s/control-plane/programs.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

afterAll(() => {
  vi.unstubAllEnvs();
});

/** An empty cache, and a Go that may fetch nothing. */
function prepareCache(): string {
  const root = makeTempFolder();
  vi.stubEnv('XDG_CACHE_HOME', root);
  vi.stubEnv('GOMODCACHE', join(root, 'modules'));
  vi.stubEnv('GOPROXY', 'off');
  vi.stubEnv('GOFLAGS', '-modcacherw');
  return join(root, 'activity-core/kube');
}

it.skipIf(findOnPath('go', process.env) === undefined)(
  'a control plane that cannot be built is missing, for the reason that Go gives, and leaves nothing behind',
  async () => {
    const cache = prepareCache();
    const [abandoned, recent] = [join(cache, 'build-old'), join(cache, 'build-new')];
    for (const folder of [abandoned, recent]) mkdirSync(folder, { recursive: true });
    utimesSync(abandoned, 0, 0);
    const told: string[] = [];
    const programs = await obtainPrograms((message) => void told.push(message));
    expect('missing' in programs && programs.missing).toMatch(
      /^etcd, kube-apiserver, .*kwok cannot be built: .*module lookup disabled by GOPROXY=off$/,
    );
    expect('missing' in programs && programs.missing).not.toContain('-ldflags');
    expect(told[0]).toMatch(/^building etcd, kube-apiserver, .* \(some minutes, once\)$/);
    expect([existsSync(abandoned), existsSync(recent)]).toEqual([false, true]);
  },
);
