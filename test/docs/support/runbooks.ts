import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../../support/program.ts';

/** The folder of the runbooks, from the root of the project. */
export const runbookFolder = 'docs/runbooks';

/** A block of commands in a runbook. */
interface CommandBlock {
  file: string;
  /** The words behind `sh`: `not-run`, or a name by which a test runs it. */
  mark: string;
  text: string;
}

/** A command line of such a block: its words without quotes, and without the variables before them. */
interface CommandLine extends CommandBlock {
  words: string[];
}

/** The texts of all runbooks by their names. */
export function readRunbooks(): Record<string, string> {
  const folder = join(checkout, runbookFolder);
  const names = readdirSync(folder).filter((name) => name.endsWith('.md'));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** Every block of commands. */
export function listBlocks(): CommandBlock[] {
  return Object.entries(readRunbooks()).flatMap(([file, content]) =>
    [...content.matchAll(/^```sh(?: (\S+))?\n(.*?)^```$/gms)].map(([, mark = '', text = '']) => ({ file, mark, text })),
  );
}

/** Every command of every block; what stands behind `&&` or `|` is one of its own. */
export function listCommands(): CommandLine[] {
  return listBlocks().flatMap((block) =>
    block.text
      .replaceAll(/\\\n\s*/g, '')
      .split('\n')
      .flatMap((line) => line.split(/ (?:&&|\|) /))
      .map((line) => ({ ...block, words: splitWords(line) }))
      .filter(({ words }) => words.length > 0),
  );
}

/** Splits as a shell does, as far as runbooks need it. */
function splitWords(line: string): string[] {
  const words = [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replaceAll(/['"]/g, ''));
  const first = words.findIndex((word) => !/^[A-Z_]+=/.test(word));
  return first === -1 ? [] : words.slice(first);
}
