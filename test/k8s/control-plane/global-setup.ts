import { printProgress } from '../../../dev/progress.ts';
import { obtainPrograms } from './programs.ts';

/** Gets the programs of a control plane, with progress, before any test waits for them. */
export default async function preparePrograms(): Promise<void> {
  if (process.env['KUBECONFIG']) return;
  const programs = await obtainPrograms(printProgress());
  if ('missing' in programs) process.env['ACTCORE_TEST_NO_CLUSTER'] = programs.missing;
}
