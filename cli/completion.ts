import type { Candidates, CommandShape, OptionShape } from './completion-shape.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The completion of `actcore` for a shell: a script that the shell reads at its start and that starts no program but sed. */
export function writeCompletion(shell: Shell, commands: CommandShape[], folder: string): string {
  switch (shell) {
    case 'bash':
      return writeBash(commands, folder);
    case 'zsh':
      return writeZsh(commands, folder);
    case 'fish':
      return writeFish(commands, folder);
  }
}

/** Prints the ids of the definitions in the folder, two levels deep; silent where there is none. */
function listIds(folder: string): string {
  return `find -L ${folder} -maxdepth 2 -name '*.md' -exec sed -n 's/^id:[[:space:]]*//p' {} + 2>/dev/null`;
}

function writeBash(commands: CommandShape[], folder: string): string {
  return `# bash completion of actcore; load it with: source <(actcore completion bash)
_actcore() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} help --help --version' -- "$cur"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${commands.map(writeBashCommand).join('\n')}
  help) COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$cur")) ;;
  esac
}
_actcore_ids() { ${listIds(folder)}; }
complete -F _actcore actcore
`;
}

function writeBashCommand({ name, options, argument }: CommandShape): string {
  const valued = options.filter((option) => option.value !== undefined);
  const values = valued.map(({ names, value = 'none' }) => `    ${names.join('|')}) ${replyInBash(value)} return ;;`);
  const known = options.flatMap(({ names }) => names).join(' ');
  const cases = valued.length === 0 ? [] : ['    case "$prev" in', ...values, '    esac'];
  return [
    `  ${name})`,
    ...cases,
    `    if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W '${known}' -- "$cur")); return; fi`,
    ...argument.map((candidates) => `    ${replyInBash(candidates)}`),
    '    ;;',
  ].join('\n');
}

function replyInBash(candidates: Candidates): string {
  if (Array.isArray(candidates)) return `COMPREPLY+=($(compgen -W '${candidates.join(' ')}' -- "$cur"));`;
  switch (candidates) {
    case 'ids':
      return 'COMPREPLY+=($(compgen -W "$(_actcore_ids)" -- "$cur"));';
    case 'files':
      return 'compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "$cur"));';
    case 'folders':
      return 'compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -d -- "$cur"));';
    case 'none':
      return 'COMPREPLY=();';
  }
}

function writeZsh(commands: CommandShape[], folder: string): string {
  const listed = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`).join('\n');
  return `#compdef actcore
# zsh completion of actcore; load it with: source <(actcore completion zsh)
_actcore() {
  local -a commands
  commands=(
${listed}
  )
  if ((CURRENT == 2)); then _describe command commands; return; fi
  local name=$words[2]
  shift words
  ((CURRENT--))
  case $name in
${commands.map(writeZshCommand).join('\n')}
  esac
}
_actcore_ids() { local -a ids; ids=(\${(f)"$(${listIds(folder)})"}); _describe id ids; }
compdef _actcore actcore
`;
}

function writeZshCommand({ name, options, argument }: CommandShape): string {
  const specs = options.flatMap(({ names, description, value }) =>
    names.map((flag) => {
      const text = `${flag}[${description.replaceAll(/[[\]:]/g, '\\$&')}]`;
      return quote(value === undefined ? text : `${text}:value:${completeInZsh([value])}`);
    }),
  );
  if (argument.length > 0) specs.push(quote(`*:${name}:${completeInZsh(argument)}`));
  return `  ${name}) _arguments ${specs.join(' ')} ;;`;
}

function completeInZsh(all: Candidates[]): string {
  const actions = all.map((candidates) => {
    if (Array.isArray(candidates)) return `(${candidates.join(' ')})`;
    return { ids: '_actcore_ids', files: '_files', folders: '_files -/', none: ' ' }[candidates];
  });
  return actions.length === 1
    ? (actions[0] ?? ' ')
    : `_alternative ${actions.map((action) => `"sort:value:${action}"`).join(' ')}`;
}

function writeFish(commands: CommandShape[], folder: string): string {
  const lines = commands.flatMap((command) => [
    `complete -c actcore -n __fish_use_subcommand -a ${command.name} -d ${quote(command.summary)}`,
    ...command.options.map((option) => writeFishOption(command.name, option)),
    ...command.argument.map(
      (candidates) => `complete -c actcore -n '${under(command.name)}' ${completeInFish(candidates)}`,
    ),
  ]);
  return `# fish completion of actcore; load it with: actcore completion fish | source
function __actcore_ids; ${listIds(folder)}; end
complete -c actcore -f
${lines.join('\n')}
`;
}

function writeFishOption(command: string, { names, description, value }: OptionShape): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ');
  const values = value === undefined ? '' : ` -r ${completeInFish(value)}`;
  return `complete -c actcore -n '${under(command)}' ${flags}${values} -d ${quote(description)}`;
}

function completeInFish(candidates: Candidates): string {
  if (Array.isArray(candidates)) return `-a '${candidates.join(' ')}'`;
  return { ids: "-a '(__actcore_ids)'", files: '-F', folders: "-a '(__fish_complete_directories)'", none: '-f' }[
    candidates
  ];
}

const under = (command: string) => `__fish_seen_subcommand_from ${command}`;

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
