import { isAlias, isMap, isScalar, parseDocument, visit } from 'yaml';
import type { Document, Node, Pair, ParsedNode, Scalar, YAMLError, YAMLMap } from 'yaml';
import type { SplitFile } from './frontmatter.ts';
import { readPlainYaml } from './plain-yaml.ts';
import type { Problem } from './problem.ts';

/** The keys of one file as plain values, and the tree that knows where each of them stands, made when it is asked for. */
export interface YamlFile {
  split: SplitFile;
  data: Record<string, unknown>;
  readDocument: () => Document.Parsed<ParsedNode>;
}

/** Aliases may expand to at most this many nodes; a definition needs none, and a few lines can make billions. */
const mostAliases = 50;

/** A broken bracket at the top makes an error of every line below it. */
const mostFaults = 20;

/** Deeper nesting is refused, so that everything that walks the values may recurse. */
const deepestNesting = 32;

/** Parses the frontmatter as YAML 1.2 core: no merge keys, no tags of its own, every key once. All faults at once. */
export function parseYaml(split: SplitFile): YamlFile | Problem[] {
  const plain = readPlainYaml(split.yaml);
  if (plain) return { split, data: plain, readDocument: parseOnce(split.yaml) };
  const at: PlaceProblem = (offset, message, hint) => {
    const inBlock = Math.min(offset, split.yaml.trimEnd().length);
    const { line, col } = split.readLines().linePos(split.yamlOffset + inBlock);
    return {
      file: split.file,
      line,
      column: col,
      path: '',
      severity: 'error',
      message,
      ...(hint === undefined ? {} : { hint }),
    };
  };
  try {
    return readDocument(split, at);
  } catch (error) {
    if (error instanceof RangeError) return [at(-split.yamlOffset, tooDeep)];
    throw error;
  }
}

const tooDeep = `the frontmatter is nested deeper than ${deepestNesting} levels`;

function readDocument(split: SplitFile, at: PlaceProblem): YamlFile | Problem[] {
  const document = parseTree(split.yaml);
  const exhausted = document.errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  if (exhausted) return [at(exhausted.pos[0], tooDeep)];
  const faults = keepFirsts([...document.errors, ...document.warnings]).map((error) => {
    const [message, hint] = describeYamlError(error.code, error.message);
    return at(error.pos[0], message, hint);
  });
  if (faults.length > 0) return faults;
  if (document.contents === null)
    return [
      at(
        -split.yamlOffset,
        'the frontmatter is empty',
        'it needs `id`, `title`, `owner`, `kind`, `schedule`, `budget`, and `sweep` or `watchdog`',
      ),
    ];
  if (!isMap(document.contents)) {
    return [at(document.contents.range[0], 'the frontmatter is not a mapping; expected lines `key: value`')];
  }
  const misfits = findMisfits(document, document.contents, at);
  if (misfits.length > 0) return misfits;
  return readValues(split, document, at);
}

/** One fault for each place: where brackets are left open, the parser tells it of each of them at the same one. */
function keepFirsts(errors: YAMLError[]): YAMLError[] {
  const byOffset = new Map<number, YAMLError>();
  for (const error of errors) {
    if (!byOffset.has(error.pos[0])) byOffset.set(error.pos[0], error);
  }
  return [...byOffset.values()].slice(0, mostFaults);
}

function parseOnce(text: string): () => Document.Parsed<ParsedNode> {
  let document: Document.Parsed<ParsedNode> | undefined;
  return () => (document ??= parseTree(text));
}

function parseTree(text: string): Document.Parsed<ParsedNode> {
  return parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
}

function readValues(split: SplitFile, document: Document.Parsed<ParsedNode>, at: PlaceProblem): YamlFile | Problem[] {
  try {
    const data = document.toJS({ maxAliasCount: mostAliases }) as Record<string, unknown>;
    return { split, data, readDocument: () => document };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [
      at(
        -split.yamlOffset,
        `the frontmatter cannot be read: ${reason}`,
        'write values out instead of using anchors and aliases',
      ),
    ];
  }
}

type PlaceProblem = (offset: number, message: string, hint?: string) => Problem;

/** What YAML allows and a definition does not: keys that are not text, numbers that would be rounded, dangling aliases. */
function findMisfits(document: Document.Parsed<ParsedNode>, root: YAMLMap, at: PlaceProblem): Problem[] {
  const problems: Problem[] = [];
  let aliases = 0;
  visit(root, {
    Alias(_key, alias) {
      aliases += 1;
      if (aliases > mostAliases) {
        problems.push(at(startOf(alias), `more than ${mostAliases} aliases`, 'write the values out'));
        return visit.BREAK;
      }
      if (alias.resolve(document) !== undefined) return undefined;
      problems.push(at(startOf(alias), `there is no anchor \`&${alias.source}\` above this alias`));
      return undefined;
    },
    Collection(_key, collection, ancestors) {
      if (isMap(collection)) {
        for (const key of findRepeatedKeys(collection)) {
          problems.push(at(startOf(key), 'this key is here twice', 'keep one of the two'));
        }
      }
      if (ancestors.length <= 2 * deepestNesting) return undefined;
      problems.push(at(startOf(collection), tooDeep));
      return visit.BREAK;
    },
    Pair(_key, pair) {
      const fault = findKeyFault(pair);
      if (fault) problems.push(at(startOf(pair.key), fault));
    },
    Scalar(_key, scalar) {
      const fault = findScalarFault(scalar);
      if (fault) problems.push(at(startOf(scalar), fault.message, fault.hint));
    },
  });
  return problems;
}

/** Text may hold, by an escape, what neither UTF-8 nor the database can; numbers may be rounded. */
function findScalarFault({ value, source }: Scalar): { message: string; hint: string } | undefined {
  if (typeof value === 'string' && /\0|\p{Surrogate}/u.test(value)) {
    return { message: 'this text holds a NUL or half a character', hint: 'leave the escape out' };
  }
  if (typeof value !== 'number' || Math.abs(value) <= Number.MAX_SAFE_INTEGER) return undefined;
  return { message: `the number \`${source ?? value}\` cannot be kept exactly`, hint: 'quote it' };
}

/** The parser could find these too, in time that grows with the square of the number of keys. */
function findRepeatedKeys(map: YAMLMap): unknown[] {
  const seen = new Set<string>();
  const repeated: unknown[] = [];
  for (const { key } of map.items) {
    if (!isScalar(key)) continue;
    const name = String(key.value);
    if (seen.has(name)) repeated.push(key);
    seen.add(name);
  }
  return repeated.slice(0, mostFaults);
}

function findKeyFault({ key }: Pair): string | undefined {
  if (!isScalar(key)) return isAlias(key) ? 'a key cannot be an alias' : 'a key must be text, not a list or a mapping';
  if (key.value === null) return 'a key is empty';
  return key.value === '__proto__' ? '`__proto__` cannot be a key' : undefined;
}

function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}

function describeYamlError(code: string, message: string): [message: string, hint?: string] {
  if (code === 'TAB_AS_INDENT') return ['a tab cannot indent', 'use spaces'];
  if (code === 'BLOCK_AS_IMPLICIT_KEY') {
    return [`unreadable YAML: ${message}`, 'a value that holds `: ` needs quotes around it'];
  }
  const hint = code === 'BAD_SCALAR_START' ? 'put quotes around the value' : undefined;
  const plain = `unreadable YAML: ${message}`;
  return hint === undefined ? [plain] : [plain, hint];
}
