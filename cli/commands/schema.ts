import type { Command } from 'commander';
import { renderJsonSchema } from '../../compiler/json-schema.ts';
import { handle } from '../command.ts';

export function addSchema(program: Command, signal: AbortSignal): void {
  const command = program
    .command('schema')
    .summary('print the JSON Schema of a definition')
    .description(
      'Print the JSON Schema of the frontmatter of a definition, for editors. What needs more than one key, and what stands ' +
        'inside a text, only lint checks.',
    );
  handle(command, signal, async ({ output }) => {
    output.line(renderJsonSchema().trimEnd());
  });
}
