import { compileFile } from './compile-file.ts';
import type { Claim } from './compile-file.ts';
import { findHerds } from './find-herds.ts';
import type { Definition } from './definition.ts';
import { compareProblems } from './problem.ts';
import type { Problem } from './problem.ts';
import { prepareSql } from './sql.ts';

/** A definition file as it was read: the name is only shown, the text is compiled. */
export interface SourceFile {
  file: string;
  text: string;
}

/** `strict` makes an error of every warning; `now` decides which clock changes are ahead. */
export interface CompileOptions {
  strict?: boolean;
  now?: Date;
}

/** Loads what compiling `files` takes: the SQL parser, where one of them is a watchdog, its name escaped or not. */
export async function prepareCompiler(files: readonly SourceFile[]): Promise<void> {
  if (files.some(({ text }) => text.includes('watchdog') || /[`~]{3}\s*sql/i.test(text))) await prepareSql();
}

/**
 * Compiles all files, with all their problems at once: those inside each and those between them. A file with an error
 * has no definition; where two files claim one identity the first keeps it. Watchdogs need `prepareCompiler` before.
 */
export function compileFiles(
  files: readonly SourceFile[],
  { strict = false, now = new Date() }: CompileOptions = {},
): { definitions: Definition[]; problems: Problem[] } {
  const definitions: Definition[] = [];
  const problems: Problem[] = [];
  const claimed = new Map<string, Claim>();
  const moves: Claim[] = [];
  for (const { file, text } of files) {
    const compiled = compileFile(file, text, { strict, now });
    const conflicts = findConflicts(compiled.claims, claimed);
    problems.push(...compiled.problems, ...conflicts);
    moves.push(...compiled.claims.filter(({ key }) => key === 'moved_from'));
    if (compiled.definition && conflicts.length === 0) definitions.push(compiled.definition);
  }
  const staying = findStaying(moves, claimed);
  const unmoved = new Set(staying.map(({ file }) => file));
  const good = definitions.filter(({ file }) => !unmoved.has(file));
  const severity = strict ? 'error' : 'warning';
  const herds = findHerds(good).flatMap(({ id, message, hint }): Problem[] => {
    const claim = claimed.get(`id ${id}`);
    return claim ? [{ ...claim.locate(), path: 'schedule', severity, message, hint }] : [];
  });
  return { definitions: good, problems: [...problems, ...staying, ...herds].sort(compareProblems) };
}

/** An id that a definition has moved from and another still has. */
function findStaying(moves: readonly Claim[], claimed: ReadonlyMap<string, Claim>): Problem[] {
  return moves.flatMap((move) => {
    const holder = claimed.get(`id ${move.value}`);
    if (!holder) return [];
    const { file, line } = holder.locate();
    const message = `\`${move.value}\` has not moved: ${file}:${line} defines it`;
    return [{ ...move.locate(), message, hint: 'rename it here, or leave `moved_from` out' }];
  });
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

function describeConflict({ key, value, locate }: Claim, first: Claim): Problem {
  const { file, line, column } = locate();
  const taken = first.locate();
  if (key === 'moved_from') {
    const message = `\`${value}\` has moved to ${taken.file}:${taken.line} already`;
    return { ...locate(), message, hint: 'only one definition can go on with its history' };
  }
  const message = `${key} \`${value}\` is already taken by ${taken.file}:${taken.line}`;
  const hint =
    key === 'id' ? 'every definition needs an id of its own' : 'leave `uuid` out and it is derived from the id';
  return { file, line, column, path: key, severity: 'error', message, hint };
}
