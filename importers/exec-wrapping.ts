import type { CrontabEntry } from './crontab-line.ts';
import { readShellWords } from './shell-words.ts';

/** A word as a POSIX shell reads it. */
export function quoteForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The line of a crontab with `words` before its command. What is more than one plain command is given to a shell as a
 * whole, so that one run is all of it; redirections, `\%` and what follows a `%` stay where they are.
 */
export function wrapCrontabCommand(entry: CrontabEntry, words: readonly string[], shell = '/bin/sh'): string {
  const { raw, command, commandColumn } = entry;
  const percent = command.search(/(?<!\\)%/);
  const [line, input] = percent === -1 ? [command, ''] : [command.slice(0, percent), command.slice(percent)];
  const plain = readShellWords(line.replaceAll('\\%', '%'), { isShell: true });
  const isPlain =
    'words' in plain &&
    !/^[A-Za-z_]\w*=/.test(plain.words[0] ?? '') &&
    !/^(cd|\.|source|exec)$/.test(plain.words[0] ?? '');
  const wrapped = isPlain ? line : `${quoteForShell(shell)} -c '${line.trim().replaceAll("'", `'\\''`)}'`;
  return `${raw.slice(0, commandColumn - 1)}${words.map(quoteForShell).join(' ')} ${wrapped}${input}`;
}
