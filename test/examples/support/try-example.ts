import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameTrial, trySweep } from '../../../activities/trial.ts';
import { compileFiles } from '../../../compiler/compile-files.ts';
import type { RunReport, SweepOrder } from '../../../workflows/contract.ts';
import { checkout } from '../../support/program.ts';

/** Runs a definition of `examples/definitions` once, its text changed where the case needs another, against the real program. */
export async function tryExample(
  name: string,
  environment: Record<string, string>,
  change: (text: string) => string = (text) => text,
): Promise<RunReport> {
  const file = join(checkout, 'examples/definitions', `${name}.md`);
  const { definitions } = compileFiles([{ file, text: change(readFileSync(file, 'utf8')) }]);
  const order = definitions[0]?.order as SweepOrder;
  const firing = nameTrial('tester', new Date(), randomUUID());
  const { signal } = new AbortController();
  const { report } = await trySweep({ order, firing, environment, signal, onExchange() {} });
  return report;
}
