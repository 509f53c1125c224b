import { printProgress } from '../../../dev/progress.ts';
import { obtainPrograms } from './programs.ts';

/** Gets the programs of a control plane, with progress, before any test waits for them. */
export default async function preparePrograms(): Promise<void> {
  if (process.env['KUBECONFIG']) return;
  const progress = printProgress();
  const programs = await obtainPrograms(progress);
  if (!('missing' in programs)) return;
  process.env['ACTCORE_TEST_NO_CLUSTER'] = programs.missing;
  // Titles of what is skipped are not printed.
  progress(`the tests on Kubernetes are skipped: ${programs.missing}`);
}
