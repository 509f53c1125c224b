/** A fenced block of code; `line` is that of its opening fence, counted from 1 in the file. */
export interface FencedBlock {
  /** What stands behind the fence, such as `sql detect`. */
  info: string;
  line: number;
  /** The columns that an indented fence takes off each line. */
  indent: number;
  text: string;
  isClosed: boolean;
}

/** A heading of the first or second level, and the blocks below it until the next one. */
export interface RunbookSection {
  title: string;
  level: number;
  line: number;
  blocks: FencedBlock[];
}

/** Reads the headings and the fenced blocks of the prose; deeper headings belong to the section they stand in. */
export function readSections(body: string, firstLine: number): RunbookSection[] {
  let section: RunbookSection = { title: '', level: 0, line: firstLine, blocks: [] };
  const sections = [section];
  const rows = body.split('\n');
  let index = 0;
  while (index < rows.length) {
    const row = rows[index] ?? '';
    if (!/^[ #`~]/.test(row)) {
      index += 1;
      continue;
    }
    const fence = /^( {0,3})(`{3,}|~{3,})([^`]*)$/.exec(row);
    if (fence) {
      const { block, next } = readBlock(rows, index, fence, firstLine);
      section.blocks.push(block);
      index = next;
      continue;
    }
    const heading = /^ {0,3}(#{1,2})[ \t]+(.*)$/.exec(row);
    if (heading) {
      const title = (heading[2] ?? '').replace(/[ \t]+#*[ \t]*$/, '').replace(/^`(.*)`$/, '$1');
      section = { title, level: heading[1]?.length ?? 1, line: firstLine + index, blocks: [] };
      sections.push(section);
    }
    index += 1;
  }
  return sections;
}

function readBlock(rows: string[], open: number, fence: RegExpExecArray, firstLine: number) {
  const [, blanks = '', marks = '```', info = ''] = fence;
  const close = new RegExp(`^ {0,3}[${marks[0]}]{${marks.length},}[ \\t]*$`);
  const indented = new RegExp(`^ {0,${blanks.length}}`);
  let end = open + 1;
  while (end < rows.length && !close.test(rows[end] ?? '')) end += 1;
  const lines = rows.slice(open + 1, end).map((row) => row.replace(indented, ''));
  const block: FencedBlock = {
    info: info.trim(),
    line: firstLine + open,
    indent: blanks.length,
    text: lines.join('\n'),
    isClosed: end < rows.length,
  };
  return { block, next: end + 1 };
}
