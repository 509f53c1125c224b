import { compileFiles, prepareCompiler } from '../../compiler/compile-files.ts';
import type { Definition } from '../../compiler/definition.ts';
import { renderProblem } from '../../compiler/problem.ts';
import type { WatchdogOrder } from '../../workflows/contract.ts';
import type { Frontmatter } from './definitions.ts';

/** A check as a test writes it: `keys` are lines of its frontmatter beside `key: id`. */
export interface WrittenCheck {
  keys?: Record<string, string>;
  detect: string;
  remedy?: string;
  audit?: string;
}

const plain: Frontmatter = {
  title: 'A watchdog under test',
  owner: 'tests',
  kind: 'watchdog',
  enabled: 'true',
  schedule: '{ cron: "0 0 1 1 *" }',
  misfire_grace: '60s',
  budget: '{ max_seconds: 30, hard_timeout: 40s }',
};

/** A definition file of kind watchdog; `watchdog` are keys beside `checks`. */
export function writeWatchdog(
  id: string,
  checks: Record<string, WrittenCheck>,
  { watchdog = {}, ...changes }: { watchdog?: Record<string, string> } & Record<string, unknown> = {},
): string {
  const keys = Object.entries({ id, ...plain, ...(changes as Frontmatter) }).filter(([, value]) => value !== '');
  const head = keys.map(([key, value]) => `${key}: ${value}`);
  const plan = Object.entries({ database: '[WATCHED_URL]', ...watchdog }).map(([key, value]) => `  ${key}: ${value}`);
  const listed = Object.entries(checks).map(([name, check]) => {
    const lines = Object.entries({
      key: 'id',
      ...(check.remedy === undefined ? {} : { action: 'mend' }),
      ...check.keys,
    });
    return `    ${name}:\n${lines.map(([key, value]) => `      ${key}: ${value}`).join('\n')}`;
  });
  const sections = Object.entries(checks).map(([name, check]) => {
    const block = (role: 'detect' | 'remedy' | 'audit') =>
      check[role] === undefined ? '' : `\n\`\`\`sql ${role}\n${check[role]}\n\`\`\`\n`;
    return `## ${name}\n${block('detect')}${block('remedy')}${block('audit')}`;
  });
  const frontmatter = [...head, 'watchdog:', ...plan, '  checks:', ...listed].join('\n');
  const prose =
    '# What this does\n\nIt watches.\n\n## On automation error\n\nLook.\n\n## On assessment failure\n\nLook.\n';
  return `---\n${frontmatter}\n---\n${prose}\n${sections.join('\n')}`;
}

/** Compiles such a file by the way every definition takes. */
export async function defineWatchdog(
  ...written: Parameters<typeof writeWatchdog>
): Promise<Definition & { order: WatchdogOrder }> {
  const files = [{ file: `${written[0]}.md`, text: writeWatchdog(...written) }];
  await prepareCompiler(files);
  const { definitions, problems } = compileFiles(files);
  const [definition] = definitions;
  if (definition?.order.kind !== 'watchdog') throw new Error(problems.map((one) => renderProblem(one)).join('\n'));
  return { ...definition, order: definition.order };
}
