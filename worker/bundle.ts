import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { WorkflowBundleOption } from '@temporalio/worker';
import { MissingBundleError } from './missing-bundle.ts';

/** The bundle that the build leaves beside this file's compiled form. */
const builtBundle = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));
const isCompiled = import.meta.url.endsWith('.js');

/**
 * The workflow code that a worker runs: in a build the bundle made with it, so that what was tested is what runs; from
 * sources a bundle made now.
 *
 * @throws MissingBundleError in a build without one
 */
export async function obtainBundle(): Promise<WorkflowBundleOption> {
  if (!isCompiled) return makeBundle();
  if (!existsSync(builtBundle)) {
    throw new MissingBundleError(`there is no workflow bundle at ${builtBundle}; make it with: npm run build`);
  }
  return { codePath: builtBundle };
}

/** Bundles the workflows that lie beside this folder. */
export async function makeBundle(): Promise<{ code: string }> {
  const entry = new URL(`../workflows/activity-run.${isCompiled ? 'js' : 'ts'}`, import.meta.url);
  const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };
  return bundleWorkflowCode({ workflowsPath: fileURLToPath(entry), logger: silent });
}
