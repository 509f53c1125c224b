import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Program from '../../cli/program.ts';
import type * as Bundle from '../../worker/bundle.ts';
import type * as Runtime from '../../worker/runtime.ts';
import type * as Worker from '../../worker/worker.ts';
import { checkout } from './program.ts';

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the callers below know what they load
async function load<Module>(file: string): Promise<Module> {
  return (await import(pathToFileURL(join(checkout, 'dist', file)).href)) as Module;
}

/** The command line as it ships; the global set-up has built it. */
export const loadProgram = () => load<typeof Program>('cli/program.js');

/** The workflow code as it ships. To bundle the sources takes two seconds of CPU. */
export const loadBundle = () => load<typeof Bundle>('worker/bundle.js');

let isRuntimeInstalled = false;

/** The worker as it ships, which only those load who start one: the SDK's native part takes a second. */
export async function loadWorker(): Promise<typeof Worker> {
  const { installRuntime } = await load<typeof Runtime>('worker/runtime.js');
  if (!isRuntimeInstalled) installRuntime('ERROR');
  isRuntimeInstalled = true;
  return load<typeof Worker>('worker/worker.js');
}
