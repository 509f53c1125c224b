import type { Argument, Command, Option } from 'commander';

/** What can stand in one place of a command line. */
export type Candidates = 'ids' | 'files' | 'folders' | 'none' | string[];

export interface OptionShape {
  /** `--limit`, and `-l` where there is one. */
  names: string[];
  description: string;
  /** Undefined for a flag. */
  value: Candidates | undefined;
}

export interface CommandShape {
  name: string;
  summary: string;
  options: OptionShape[];
  /** What the arguments can be; all of a command are of one sort. */
  argument: Candidates[];
}

/** Everything that a shell can complete, as the program declares it; the words of a command within another are its own. */
export function describeProgram(program: Command): CommandShape[] {
  return program.commands.map((command) => {
    const within = command.commands.map((inner) => inner.name());
    const options = [command, ...command.commands].flatMap(listOptions);
    return {
      name: command.name(),
      summary: command.summary() || command.description(),
      options: options.filter(({ names }, place) => place === options.findIndex((one) => one.names[0] === names[0])),
      argument: [...(within.length === 0 ? [] : [within]), ...new Set(listArguments(command).flatMap(argumentOf))],
    };
  });
}

/** Those of the commands within it, where it takes none itself. */
function listArguments({ registeredArguments, commands }: Command): readonly Argument[] {
  return registeredArguments.length > 0 ? registeredArguments : commands.flatMap((inner) => inner.registeredArguments);
}

function listOptions(command: Command): OptionShape[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({
      names: [option.long, option.short].filter((name) => name !== undefined),
      description: option.description,
      value: option.isBoolean() || (!option.required && !option.optional) ? undefined : valueOf(option),
    }));
}

function valueOf({ argChoices, flags }: Option): Candidates {
  if (argChoices !== undefined) return argChoices;
  if (flags.includes('<file>')) return 'files';
  return flags.includes('folder') ? 'folders' : 'none';
}

function argumentOf(argument: Argument): Candidates[] {
  if (argument.argChoices !== undefined) return [argument.argChoices];
  const words = argument.name().split('|');
  const sorts: Candidates[] = [];
  if (words.includes('id')) sorts.push('ids');
  if (words.includes('file') || words.includes('paths')) sorts.push('files');
  return sorts;
}
