/** What a command line says of a request, as it says it; every text is a template. */
export interface HttpParts {
  urls: string[];
  method?: string;
  headers: string[];
  /** What is sent, in pieces as they were given. */
  data: { text: string; isEncoded: boolean; isJson: boolean }[];
  /** The data belong into the query. */
  isQuery: boolean;
  user?: string;
  password?: string;
  bearer?: string;
  maxSeconds?: number;
  attempts?: number;
  tls: { ca?: string; cert?: string; key?: string };
  /** What differs from the command, in sentences. */
  notes: string[];
}

/** A request without anything in it. */
export function startParts(): HttpParts {
  return { urls: [], headers: [], data: [], isQuery: false, tls: {}, notes: [] };
}

/** What an option does with the word behind it; gives a reason where it has no counterpart. */
export type OptionEffect = (parts: HttpParts, word: string) => string | void;

/** The options of a program: those that take no word, and those that do. */
export interface OptionTable {
  flags: Record<string, (parts: HttpParts) => string | void>;
  withWord: Record<string, OptionEffect>;
}

/**
 * Reads a command line in the manner of getopt_long: `-fsS`, `-XPOST`, `--max-time 5`, `--max-time=5`. Gives a reason
 * where an option has no counterpart in a definition.
 */
export function readOptions(program: string, words: string[], table: OptionTable): HttpParts | { reason: string } {
  const parts = startParts();
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '-' || !word.startsWith('-')) {
      parts.urls.push(word);
      continue;
    }
    const reason = word.startsWith('--') ? readLong(word, queue, table, parts) : readShort(word, queue, table, parts);
    if (reason !== undefined) return { reason: `\`${program}\` ${reason}` };
  }
  return parts;
}

function readLong(option: string, queue: string[], table: OptionTable, parts: HttpParts): string | undefined {
  const [name = '', ...value] = option.split('=');
  const flag = Object.hasOwn(table.flags, name) ? table.flags[name] : undefined;
  if (flag) return flag(parts) ?? undefined;
  const effect = Object.hasOwn(table.withWord, name) ? table.withWord[name] : undefined;
  if (!effect) return unknown(name);
  return effect(parts, value.length > 0 ? value.join('=') : (queue.shift() ?? '')) ?? undefined;
}

/** Letters may stand together; the first that takes a word takes the rest, or the next one. */
function readShort(option: string, queue: string[], table: OptionTable, parts: HttpParts): string | undefined {
  for (let at = 1; at < option.length; at += 1) {
    const name = `-${option[at] ?? ''}`;
    const flag = Object.hasOwn(table.flags, name) ? table.flags[name] : undefined;
    if (flag) {
      const reason = flag(parts);
      if (reason !== undefined) return reason;
      continue;
    }
    const effect = Object.hasOwn(table.withWord, name) ? table.withWord[name] : undefined;
    if (!effect) return unknown(name);
    const rest = option.slice(at + 1);
    return effect(parts, rest === '' ? (queue.shift() ?? '') : rest) ?? undefined;
  }
  return undefined;
}

function unknown(name: string): string {
  return `has \`${name}\`, which a definition has no word for`;
}

/** Does nothing: it is about what is printed, or about what the worker does in a way of its own. */
export const ignored = (): void => {};
