import { compileFile } from './compile-file.ts';
import type { Claim } from './compile-file.ts';
import type { Definition } from './definition.ts';
import { compareProblems } from './problem.ts';
import type { Problem } from './problem.ts';

/** A definition file as it was read: the name is only shown, the text is compiled. */
export interface SourceFile {
  file: string;
  text: string;
}

/**
 * Compiles all files, with all their problems at once: those inside each and those between them. A file with a
 * problem has no definition; where two files claim one identity the first keeps it.
 */
export function compileFiles(files: readonly SourceFile[]): { definitions: Definition[]; problems: Problem[] } {
  const definitions: Definition[] = [];
  const problems: Problem[] = [];
  const claimed = new Map<string, Claim>();
  for (const { file, text } of files) {
    const compiled = compileFile(file, text);
    const conflicts = findConflicts(compiled.claims, claimed);
    problems.push(...compiled.problems, ...conflicts);
    if (compiled.definition && conflicts.length === 0) definitions.push(compiled.definition);
  }
  return { definitions, problems: problems.sort(compareProblems) };
}

function findConflicts(claims: readonly Claim[], claimed: Map<string, Claim>): Problem[] {
  const problems: Problem[] = [];
  for (const claim of claims) {
    const name = `${claim.key} ${claim.value}`;
    const first = claimed.get(name);
    if (first === undefined) {
      claimed.set(name, claim);
    } else if (problems.length === 0) {
      problems.push(describeConflict(claim, first));
    }
  }
  return problems;
}

function describeConflict({ key, value, file, line, column }: Claim, first: Claim): Problem {
  const message = `${key} \`${value}\` is already taken by ${first.file}:${first.line}`;
  const hint =
    key === 'id' ? 'every definition needs an id of its own' : 'leave `uuid` out and it is derived from the id';
  return { file, line, column, path: key, message, hint };
}
