import { compileFiles } from '../../compiler/compile-files.ts';
import type { Definition } from '../../compiler/definition.ts';
import { renderProblem } from '../../compiler/problem.ts';

/** Lines of frontmatter that replace those of the same key in the plain definition. */
export type Frontmatter = Record<string, string>;

const plain: Frontmatter = {
  title: 'A sweep under test',
  owner: 'tests',
  kind: 'sweep',
  enabled: 'true',
  schedule: '{ cron: "0 0 1 1 *" }',
  misfire_grace: '60s',
  budget: '{ max_seconds: 30, hard_timeout: 40s }',
  env: '[TARGET_URL]',
  secrets: '[TARGET_TOKEN]',
  sweep: `
  request:
    method: POST
    url: \${TARGET_URL}/sweep
    headers: { Authorization: "Bearer \${TARGET_TOKEN}" }
    body: { max_seconds: "\${budget.max_seconds}", source: "\${run.source}", run_id: "\${run.id}" }
  outcome:
    lock_skipped: body.status == "lock_skipped"
    automation_error: body.automation_error != null
    assessment_failures: body.assessment_failures`,
};

const prose = `# What this does

It is swept.

## On automation error

Look at the target.

## On assessment failure

Look at the data.
`;

/** The text of a definition file: a sweep that is complete, with `changes` over it. An empty value leaves a key out. */
export function writeDefinition(id: string, changes: Frontmatter = {}): string {
  const keys = Object.entries({ id, ...plain, ...changes }).filter(([, value]) => value !== '');
  return `---\n${keys.map(([key, value]) => `${key}: ${value}`).join('\n')}\n---\n${prose}`;
}

/** Compiles such a file by the way every definition takes. */
export function defineSweep(id: string, changes: Frontmatter = {}): Definition {
  const { definitions, problems } = compileFiles([{ file: `${id}.md`, text: writeDefinition(id, changes) }]);
  const [definition] = definitions;
  if (definition === undefined) throw new Error(problems.map((problem) => renderProblem(problem)).join('\n'));
  return definition;
}
