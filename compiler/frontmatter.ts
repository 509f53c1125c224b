import matter from 'gray-matter';
import { LineCounter } from 'yaml';
import type { Problem } from './problem.ts';

/** One file cut in two. `yaml` begins at `yamlOffset` of `text`, which is the file without its byte order mark. */
export interface SplitFile {
  file: string;
  text: string;
  /** Where its lines begin; counted when something is to be placed. */
  readLines: () => LineCounter;
  yaml: string;
  yamlOffset: number;
  /** The prose under the frontmatter, with LF line ends. */
  body: string;
  /** The line of the file that the prose begins with. */
  bodyLine: number;
}

/** Larger files are refused: a definition is a page, and everything below is held in memory. */
const largestFileBytes = 1_048_576;

const fence = '---';

/** Splits a definition file into frontmatter and prose, or says why it has none. */
export function splitFile(file: string, content: string): SplitFile | Problem {
  const text = content.charCodeAt(0) === 0xfeff ? content.slice(1) : content;
  const refuse = (offset: number, message: string, hint?: string): Problem => {
    const { line, col } = countLines(text).linePos(offset);
    return { file, line, column: col, path: '', severity: 'error', message, ...(hint === undefined ? {} : { hint }) };
  };
  if (text.length > largestFileBytes || Buffer.byteLength(text) > largestFileBytes) {
    return refuse(0, `the file is larger than 1 MiB; a definition is a page of text`);
  }
  const binary = text.search(/\0|\p{Surrogate}/u);
  if (binary !== -1) return refuse(binary, 'the file holds a NUL byte or half a character; expected UTF-8 text');
  if (text.trim() === '') return refuse(0, 'the file is empty; expected frontmatter between two lines `---`');
  const fault = findFenceFault(text);
  if (fault) return refuse(fault.offset, fault.message, fault.hint);
  const { yaml, body, language } = splitText(text);
  return {
    ...{ file, text, yaml, yamlOffset: fence.length + language.length },
    body: body.includes('\r') ? body.replaceAll('\r\n', '\n') : body,
    bodyLine: countLineEnds(text, text.length - body.length) + 1,
    readLines: () => countLines(text),
  };
}

function countLines(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let index = text.indexOf('\n'); index !== -1; index = text.indexOf('\n', index + 1)) lines.addNewLine(index + 1);
  return lines;
}

function countLineEnds(text: string, end: number): number {
  let count = 0;
  for (let index = text.indexOf('\n'); index !== -1 && index < end; index = text.indexOf('\n', index + 1)) count += 1;
  return count;
}

function findFenceFault(text: string): { offset: number; message: string; hint?: string } | undefined {
  const firstLine = /^[^\n]*/.exec(text)?.[0] ?? '';
  if (!firstLine.startsWith(fence) || firstLine.startsWith(`${fence}-`)) {
    const isLate = /^\s+---/.test(text);
    const hint = isLate
      ? 'remove what stands above the `---`'
      : 'begin with a line `---`, then the keys, then a line `---`';
    return { offset: 0, message: 'the file has no frontmatter; its first line must be `---`', hint };
  }
  const language = firstLine.slice(fence.length).trim();
  if (language !== '' && !isYaml(language)) {
    const message = `frontmatter in \`${language.slice(0, 40)}\` is refused; only YAML is accepted`;
    return { offset: fence.length, message, hint: 'let the first line be `---` and nothing else' };
  }
  const close = text.indexOf(`\n${fence}`, firstLine.length);
  if (close === -1) {
    return { offset: 0, message: 'the frontmatter that opens here is never closed', hint: 'end it with a line `---`' };
  }
  const closingLine = /^[^\n]*/.exec(text.slice(close + 1))?.[0].trimEnd() ?? '';
  if (closingLine === fence) return undefined;
  const message = `the frontmatter ends at \`${closingLine.slice(0, 40)}\`; expected a line \`---\` and nothing else`;
  return { offset: close + 1, message };
}

function isYaml(language: string): boolean {
  return /^ya?ml$/i.test(language);
}

/**
 * The split itself is gray-matter's. Its engines are all replaced: by default it evaluates `---js`. The options also
 * keep it from its cache, which would hand out the same object for the same text, even after an error.
 */
function splitText(text: string): { yaml: string; body: string; language: string } {
  const engines = { yaml: skipped, json: refused, javascript: refused, js: refused, coffee: refused };
  const { content, matter: yaml } = matter(text, { language: 'yaml', engines });
  return { yaml: yaml.replace(/\r$/, ''), body: content, language: languageOf(text) };
}

/** gray-matter cuts the language off the block only where one is named; blanks alone stay in the block. */
function languageOf(text: string): string {
  const { raw, name } = matter.language(text);
  return name === '' ? '' : raw;
}

/** The block is parsed later, by a parser that knows positions. */
const skipped = { parse: (): object => ({}) };

const refused = {
  parse: (): object => {
    throw new Error('only YAML frontmatter is read');
  },
};
