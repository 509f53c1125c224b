import { compileFiles, prepareCompiler } from '../compiler/compile-files.ts';
import type { CompileOptions } from '../compiler/compile-files.ts';
import type { Definition } from '../compiler/definition.ts';
import { compareProblems, renderProblem } from '../compiler/problem.ts';
import type { Problem } from '../compiler/problem.ts';
import { readSources } from './definition-sources.ts';
import type { Output } from './output.ts';
import { Refusal } from './refusal.ts';

/** What became of a set of definition files: those that are good, and what is to be put right in any. */
export interface CompiledSet {
  definitions: Definition[];
  problems: Problem[];
  texts: Map<string, string>;
}

/** Reads and compiles files and folders; what cannot be read is a problem among the others. */
export async function compilePaths(paths: string[], options: CompileOptions = {}): Promise<CompiledSet> {
  const { files, problems } = await readSources(paths);
  await prepareCompiler(files);
  const compiled = compileFiles(files, options);
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

/** The same, with the texts of their files. That there are warnings is told on stderr, and stands in nobody's way. */
export async function requireSet(paths: string[], output: Output): Promise<CompiledSet> {
  const set = await compilePaths(paths);
  if (set.problems.length === 0) return set;
  if (set.problems.every(({ severity }) => severity === 'warning')) {
    output.note(`${countProblems(set.problems)}: actcore lint shows them`);
    return set;
  }
  output.data({ problems: set.problems });
  if (!output.json) printProblems(set, output);
  throw new Refusal(countProblems(set.problems), 'Nothing was done.');
}

/** Prints problems with the line they stand in on stderr: errors in red, warnings in yellow. */
export function printProblems({ problems, texts }: Pick<CompiledSet, 'problems' | 'texts'>, output: Output): void {
  const colors = output.noteColors;
  for (const problem of problems) {
    const loud = problem.severity === 'error' ? colors.red : colors.yellow;
    const paints = {
      place: colors.bold,
      severity: (text: string) => colors.bold(loud(text)),
      message: loud,
      source: colors.reset,
      caret: loud,
      hint: colors.cyan,
    };
    output.note(renderProblem(problem, texts.get(problem.file), (part, text) => paints[part](text)));
  }
}

/** `2 errors and 1 warning in 2 files`. */
export function countProblems(problems: Problem[]): string {
  const count = (number: number, word: string): string[] =>
    number === 0 ? [] : [`${number} ${word}${number === 1 ? '' : 's'}`];
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const found = [...count(errors, 'error'), ...count(problems.length - errors, 'warning')].join(' and ');
  return `${found} in ${count(new Set(problems.map(({ file }) => file)).size, 'file').join()}`;
}
