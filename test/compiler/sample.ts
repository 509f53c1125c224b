import { compileFiles } from '../../compiler/compile-files.ts';
import type { Definition } from '../../compiler/definition.ts';
import type { Problem } from '../../compiler/problem.ts';

/** A definition without a fault; the line numbers of the tests count from its first line. */
export const sample = `---
id: team.nightly-sweep
title: Nightly sweep
owner: team
kind: sweep
schedule: { cron: "0 3 * * *" }
budget: { max_seconds: 300 }
env: [HUB_URL]
secrets: [HUB_TOKEN]
sweep:
  request:
    method: POST
    url: \${HUB_URL}/sweep
    headers: { Authorization: "Bearer \${HUB_TOKEN}" }
    body: { max_seconds: "\${budget.max_seconds}" }
  outcome:
    lock_skipped: body.status == "lock_skipped"
    assessment_failures: body.failures
---
# What this does
## On automation error
## On assessment failure
`;

/** Compiles one text as `a.md`. */
export function compile(text: string): { definitions: Definition[]; problems: Problem[] } {
  return compileFiles([{ file: 'a.md', text }]);
}

/** Compiles a text that has to be right. */
export function compileGood(text: string): Definition {
  const { definitions, problems } = compile(text);
  const [definition] = definitions;
  if (!definition || problems.some(({ severity }) => severity === 'error'))
    throw new Error(JSON.stringify(problems, null, 1));
  return definition;
}

/** The sample with the first `from` replaced; fails where it is not there, so that no test tests nothing. */
export function change(from: string, to: string, text: string = sample): string {
  if (!text.includes(from)) throw new Error(`the sample does not hold ${from}`);
  return text.replace(from, () => to);
}

/** Problems as the first line that a person sees, with the hint behind an arrow. */
export function listProblems(text: string): string[] {
  return compile(text).problems.map(({ file, line, column, severity, message, hint }) => {
    const warning = severity === 'warning' ? 'warning: ' : '';
    return `${file}:${line}:${column}: ${warning}${message}${hint === undefined ? '' : ` -> ${hint}`}`;
  });
}
