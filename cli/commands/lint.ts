import { relative, resolve } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import { renderAnnotation } from '../../compiler/annotation.ts';
import type { Problem } from '../../compiler/problem.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { compilePaths, countProblems, printProblems } from '../definition-files.ts';
import type { CompiledSet } from '../definition-files.ts';
import { openOutput } from '../output.ts';
import type { Output } from '../output.ts';
import { exitCodes } from '../refusal.ts';
import { defaultDefinitions } from '../settings.ts';

interface LintOptions extends CommonOptions {
  strict?: boolean;
  format: 'text' | 'github' | 'json';
}

export function addLint(program: Command, signal: AbortSignal): void {
  const command = program
    .command('lint')
    .summary('check definition files')
    .description(
      'Check definition files: every problem of every file, each with its place. Needs no server. Exits with 1 where there ' +
        'is an error; a warning is none.',
    )
    .argument('[paths...]', 'files or folders', [defaultDefinitions])
    .option('--strict', 'take every warning for an error')
    .addOption(
      new Option('--format <format>', 'how problems are printed; github: as annotations of a workflow')
        .choices(['text', 'github', 'json'])
        .default('text'),
    );
  handle<LintOptions>(withJson(command), signal, async ({ env }, options, args) => {
    const format = options.json === true ? 'json' : options.format;
    const paths = args.length > 0 ? args : [defaultDefinitions];
    const set = await compilePaths(paths, { strict: options.strict === true });
    const output = openOutput(format === 'json');
    output.data(describeSet(set));
    if (format === 'github') printAnnotations(set.problems, env['GITHUB_WORKSPACE'], output);
    if (format === 'text') printProblems(set, output);
    return concludeLint(set, output);
  });
}

function describeSet({ problems, definitions }: CompiledSet) {
  const good = definitions.map(({ file, id, enabled, order }) => ({ file, id, kind: order.definition.kind, enabled }));
  return { problems, definitions: good };
}

/** The code host knows files by their path from the top of the checkout, wherever the command runs. */
function printAnnotations(problems: Problem[], workspace: string | undefined, output: Output): void {
  const top = workspace === undefined || workspace === '' ? process.cwd() : workspace;
  for (const problem of problems) {
    const path = relative(top, resolve(problem.file));
    output.line(renderAnnotation({ ...problem, file: path.startsWith('..') ? problem.file : path }));
  }
}

function concludeLint({ problems, definitions }: CompiledSet, output: Output) {
  const count = `${definitions.length} definition${definitions.length === 1 ? '' : 's'}`;
  if (problems.length > 0 && !output.json) output.note(countProblems(problems));
  if (problems.some(({ severity }) => severity === 'error')) return exitCodes.failed;
  output.line(`${count}, ${problems.length === 0 ? 'no problems' : 'no errors'}`);
  return exitCodes.ok;
}
