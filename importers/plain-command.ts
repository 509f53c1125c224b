import { readShellWords } from './shell-words.ts';

/** A program with its arguments as templates, out of what only limits or starts it; or why it is none. */
export type PlainCommand =
  | { words: string[]; maxSeconds?: number; notes: string[] }
  | {
      /** A sentence that begins with "it". */
      reason: string;
    };

/** A command as its old runner has it: a line for a shell, or the words themselves. */
export type OldCommand = { line: string; isShell: boolean; stdin?: string } | { words: string[] };

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** The options of each that take a word of their own. */
const optionsWithWord: Record<string, RegExp> = {
  timeout: /^-[ks]$|^--(kill-after|signal)$/,
  nice: /^-n$|^--adjustment$/,
  ionice: /^-[cn]$|^--class(data)?$/,
  flock: /^-[wE]$|^--(timeout|wait|conflict-exit-code)$/,
};

/** Takes off `timeout`, `nice`, `ionice`, `flock`, `chronic` and `sh -c`, as deep as they are nested. */
export function readPlainCommand(command: OldCommand): PlainCommand {
  if ('line' in command && command.stdin !== undefined) return { reason: 'it gets lines on its standard input' };
  const read = 'line' in command ? readShellWords(command.line, command) : command;
  if ('reason' in read) return read;
  let words = read.words;
  let maxSeconds: number | undefined;
  const notes: string[] = [];
  for (let depth = 0; depth < 8; depth += 1) {
    const [program = '', ...rest] = words;
    const name = program.split('/').at(-1) ?? '';
    if (/^[A-Za-z_]\w*=/.test(program)) return { reason: 'it sets a variable for itself' };
    if (/^(sh|bash|dash|ash)$/.test(name) && /^-[a-z]*c$/.test(rest[0] ?? '')) {
      const inner = readShellWords(unescapeWord(rest[1] ?? ''), { isShell: true });
      if ('reason' in inner) return inner;
      words = inner.words;
    } else if (name in optionsWithWord) {
      words = skipOptions(name, rest);
      if (name === 'timeout') maxSeconds = readSeconds(words.shift());
      if (name === 'flock') words = takeLock(words, notes);
    } else if (name === 'chronic' || name === 'exec') words = rest;
    else break;
  }
  if (words.length === 0) return { reason: 'it names no program' };
  return { words, notes, ...(maxSeconds === undefined ? {} : { maxSeconds }) };
}

/** A word that is read as a line again gets its variables back in the spelling of the shell. */
function unescapeWord(word: string): string {
  return word.replaceAll('$${', '${');
}

function skipOptions(name: string, words: string[]): string[] {
  let at = 0;
  while (words[at]?.startsWith('-') === true) at += optionsWithWord[name]?.test(words[at] ?? '') === true ? 2 : 1;
  return words.slice(at);
}

function takeLock([, ...words]: string[], notes: string[]): string[] {
  notes.push('`flock` is left out: a tick that comes while the run before is still going is skipped by itself.');
  return words[0] === '-c' ? ['sh', ...words] : words;
}

function readSeconds(text = ''): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text);
  return match ? Math.ceil(Number(match[1]) * (unitSeconds[match[2] || 's'] ?? 1)) : undefined;
}
