import { escapeTemplate } from '../expressions/template.ts';
import { environmentName } from '../expressions/variables.ts';

/**
 * The words of a command line, each as a template: a variable of the shell is `${NAME}`. Or why it is more than one plain
 * command. Redirections are left out: what they keep is kept by the history.
 */
export type ShellReading = { words: string[] } | { reason: string };

const harmlessEnd = /\s*\|\|\s*(true|:|\/bin\/true|exit 0)\s*$/;

/** Reads a line as a POSIX shell does, or with `isShell: false` as systemd does, to whom `|`, `>` and `;` say nothing. */
export function readShellWords(line: string, { isShell }: { isShell: boolean }): ShellReading {
  const reader = new WordReader(isShell ? line.replace(harmlessEnd, '') : line, isShell);
  return reader.read();
}

class Beyond extends Error {}

/** Walks a line once, from left to right. */
class WordReader {
  readonly #line: string;
  readonly #isShell: boolean;
  #at = 0;
  #word: string | undefined;
  #skipsNext = false;
  readonly #words: string[] = [];

  constructor(line: string, isShell: boolean) {
    this.#line = line.trim();
    this.#isShell = isShell;
  }

  read(): ShellReading {
    try {
      while (this.#at < this.#line.length) this.#step();
      this.#endWord();
      return { words: this.#words };
    } catch (error) {
      if (error instanceof Beyond) return { reason: error.message };
      throw error;
    }
  }

  #step(): void {
    const char = this.#line[this.#at] ?? '';
    if (/\s/.test(char)) {
      if (char === '\n' && this.#isShell) throw new Beyond('it is more than one line');
      this.#endWord();
      this.#at += 1;
    } else if (char === "'") this.#readSingle();
    else if (char === '"') this.#readDouble();
    else if (char === '\\') this.#readEscape();
    else if (char === '$') this.#readVariable();
    else if (this.#isShell && this.#word === undefined && char === '#') this.#at = this.#line.length;
    else if (this.#isShell && /[|&;<>()`]/.test(char)) this.#readOperator(char);
    else this.#add(char, 1);
  }

  #add(text: string, length: number): void {
    this.#word = (this.#word ?? '') + text;
    this.#at += length;
  }

  #endWord(): void {
    const word = this.#word;
    this.#word = undefined;
    if (word === undefined) return;
    if (this.#skipsNext) this.#skipsNext = false;
    else this.#words.push(word);
  }

  #readSingle(): void {
    const end = this.#line.indexOf("'", this.#at + 1);
    if (end === -1) throw new Beyond("a `'` is not closed");
    this.#add(escapeTemplate(this.#line.slice(this.#at + 1, end)), end + 1 - this.#at);
  }

  #readDouble(): void {
    this.#add('', 1);
    for (;;) {
      const char = this.#line[this.#at];
      if (char === undefined) throw new Beyond('a `"` is not closed');
      if (char === '"') break;
      if (char === '`') throw new Beyond('it holds the output of another command');
      if (char === '$') this.#readVariable();
      else if (char === '\\' && /["\\$`\n]/.test(this.#line[this.#at + 1] ?? '')) this.#readEscape();
      else this.#add(char, 1);
    }
    this.#add('', 1);
  }

  #readEscape(): void {
    const escaped = this.#line[this.#at + 1];
    if (escaped === undefined) throw new Beyond('it ends with a backslash');
    this.#add(escaped === '\n' ? '' : escaped === '$' && this.#line[this.#at + 2] === '{' ? '$$' : escaped, 2);
  }

  #readVariable(): void {
    const rest = this.#line.slice(this.#at);
    const named = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/.exec(rest);
    const name = named?.[1] ?? named?.[2];
    if (named && name !== undefined) {
      if (!environmentName.test(name)) throw new Beyond(`its variable \`${name}\` is not in capitals`);
      this.#add(`\${${name}}`, named[0].length);
    } else if (/^\$[({]/.test(rest) && this.#isShell) throw new Beyond('it holds the output of another command');
    else if (/^\$[\d@*#?$!-]/.test(rest)) throw new Beyond('it uses a variable of the shell itself');
    else this.#add(escapeTemplate('$'), 1);
  }

  #readOperator(char: string): void {
    const rest = this.#line.slice(this.#at);
    const redirect = /^&?>>?(&\d|&-)?|^<</.exec(rest);
    if (redirect && redirect[0] !== '<<') {
      // `2>` is not the word 2.
      if (this.#word !== undefined && /^\d$/.test(this.#word)) this.#word = undefined;
      this.#endWord();
      this.#at += redirect[0].length;
      this.#skipsNext = redirect[1] === undefined;
      return;
    }
    const several = 'it is several commands';
    const reasons: Record<string, string> = {
      '|': 'it is a pipe',
      '<': 'it reads a file',
      '`': 'it holds the output of another command',
    };
    throw new Beyond(rest.startsWith('||') ? several : (reasons[char] ?? several));
  }
}
