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
  const { yaml, body, yamlOffset } = splitText(text);
  return {
    ...{ file, text, yaml, yamlOffset },
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
 * Cuts a text whose fences are in order exactly as gray-matter does, in a tenth of its time and without its engines, of
 * which one evaluates code. A language that is named does not belong to the block; blanks alone do.
 */
function splitText(text: string): { yaml: string; body: string; yamlOffset: number } {
  const lineEnd = text.indexOf('\n');
  const hasLanguage = text.slice(fence.length, lineEnd).trim() !== '';
  const yamlOffset = hasLanguage ? lineEnd - (text[lineEnd - 1] === '\r' ? 1 : 0) : fence.length;
  const close = text.indexOf(`\n${fence}`, lineEnd);
  const rest = text.slice(close + 1 + fence.length);
  return { yaml: text.slice(yamlOffset, close).replace(/\r$/, ''), body: rest.replace(/^\r?\n?/, ''), yamlOffset };
}
