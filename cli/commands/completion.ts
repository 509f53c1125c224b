import { Argument } from 'commander';
import type { Command } from 'commander';
import { handle } from '../command.ts';
import { shells, writeCompletion } from '../completion.ts';
import type { Shell } from '../completion.ts';
import { describeProgram } from '../completion-shape.ts';
import { defaultDefinitions } from '../settings.ts';

export function addCompletion(program: Command, signal: AbortSignal): void {
  const command = program
    .command('completion')
    .summary('print the completion for a shell')
    .description('Print the completion of commands, options and ids for a shell: source <(actcore completion bash)')
    .addArgument(new Argument('<shell>', 'which one').choices([...shells]));
  handle(command, signal, async ({ output }, _, [shell]) => {
    output.line(writeCompletion(shell as Shell, describeProgram(program), defaultDefinitions).trimEnd());
  });
}
