import { afterAll } from 'vitest';
import { locatePrograms } from './programs.ts';
import { startControlPlane } from './start.ts';

/** Each file of this project has a control plane of its own, unless KUBECONFIG names a cluster. */
if (!process.env['KUBECONFIG'] && !process.env['ACTCORE_TEST_NO_CLUSTER']) {
  const plane = await startControlPlane(locatePrograms());
  process.env['KUBECONFIG'] = plane.kubeconfig;
  process.env['ACTCORE_TEST_OWN_CLUSTER'] = 'true';
  afterAll(async () => {
    delete process.env['KUBECONFIG'];
    await plane.stop();
  });
}
