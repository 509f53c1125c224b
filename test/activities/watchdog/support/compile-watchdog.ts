import { compileFiles, prepareCompiler } from '../../../../compiler/compile-files.ts';
import type { Definition } from '../../../../compiler/definition.ts';
import { renderProblem } from '../../../../compiler/problem.ts';
import type { WatchdogOrder } from '../../../../workflows/contract.ts';

/** Compiles the text of a watchdog's file by the way every definition takes. */
export async function compileWatchdog(text: string): Promise<Definition & { order: WatchdogOrder }> {
  const files = [{ file: 'test.md', text }];
  await prepareCompiler(files);
  const { definitions, problems } = compileFiles(files);
  const [definition] = definitions;
  if (definition?.order.kind !== 'watchdog') {
    throw new Error(problems.map((problem) => renderProblem(problem)).join('\n'));
  }
  return { ...definition, order: definition.order };
}
