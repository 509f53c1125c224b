import type { Command } from 'commander';
import { handle, withJson } from '../command.ts';
import { compilePaths, countProblems, printProblems } from '../definition-files.ts';
import { exitCodes } from '../refusal.ts';
import { defaultDefinitions } from '../settings.ts';

export function addLint(program: Command, signal: AbortSignal): void {
  const command = program
    .command('lint')
    .summary('check definition files')
    .description('Check definition files: every problem of every file, each with its place. Needs no server.')
    .argument('[paths...]', 'files or folders', [defaultDefinitions]);
  handle(withJson(command), signal, async ({ output }, _, args) => {
    const set = await compilePaths(args.length > 0 ? args : [defaultDefinitions]);
    if (set.problems.length > 0) {
      printProblems(set, output);
      output.note(countProblems(set.problems));
      return exitCodes.failed;
    }
    output.data({
      problems: [],
      definitions: set.definitions.map(({ file, id, enabled, order }) => ({
        file,
        id,
        kind: order.definition.kind,
        enabled,
      })),
    });
    const count = set.definitions.length;
    output.line(`${count} definition${count === 1 ? '' : 's'}, no problems`);
    return exitCodes.ok;
  });
}
