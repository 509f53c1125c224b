import { compileFiles, prepareCompiler } from '../compiler/compile-files.ts';
import type { Definition } from '../compiler/definition.ts';
import { compareProblems, renderProblem } from '../compiler/problem.ts';
import type { Problem } from '../compiler/problem.ts';
import { readSources } from './definition-sources.ts';
import type { Output } from './output.ts';
import { Refusal } from './refusal.ts';

/** What became of a set of definition files: either all are good, or there is something to put right. */
export interface CompiledSet {
  definitions: Definition[];
  problems: Problem[];
  texts: Map<string, string>;
}

/** Reads and compiles files and folders; what cannot be read is a problem among the others. */
export async function compilePaths(paths: string[]): Promise<CompiledSet> {
  const { files, problems } = await readSources(paths);
  await prepareCompiler(files);
  const compiled = compileFiles(files);
  return {
    definitions: compiled.definitions,
    problems: [...problems, ...compiled.problems].sort(compareProblems),
    texts: new Map(files.map(({ file, text }) => [file, text])),
  };
}

/** The definitions of `paths`, all of them good; otherwise prints every problem and refuses. */
export async function requireDefinitions(paths: string[], output: Output): Promise<Definition[]> {
  return (await requireSet(paths, output)).definitions;
}

/** The same, with the texts of their files. */
export async function requireSet(paths: string[], output: Output): Promise<CompiledSet> {
  const set = await compilePaths(paths);
  if (set.problems.length > 0) printProblems(set, output);
  const errors = set.problems.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return set;
  throw new Refusal(countProblems(errors), 'Nothing was done.');
}

/** Prints problems with the line they stand in, or as data under `--json`. */
export function printProblems({ problems, texts }: CompiledSet, output: Output): void {
  output.data({ problems });
  if (output.json) return;
  const colors = output.noteColors;
  const paints = {
    place: colors.bold,
    message: colors.red,
    source: colors.reset,
    caret: colors.red,
    hint: colors.cyan,
  };
  for (const problem of problems) {
    output.note(renderProblem(problem, texts.get(problem.file), (part, text) => paints[part](text)));
  }
}

export function countProblems(problems: Problem[]): string {
  const files = new Set(problems.map((problem) => problem.file)).size;
  return `${problems.length} problem${problems.length === 1 ? '' : 's'} in ${files} file${files === 1 ? '' : 's'}`;
}
