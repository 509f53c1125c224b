import { fitWidth, measureWidth } from './printable.ts';
import type { Colors } from './output.ts';

const gap = '  ';
/** Below this a wrapped column is harder to read than one that runs over the edge. */
const narrowestColumn = 20;

/**
 * Rows under a head, columns aligned by what is seen of them. Cells are single lines. The last column is left ragged;
 * on a terminal of `columns` characters it is wrapped, so that a long message stays in its column.
 */
export function formatTable(
  head: string[],
  rows: string[][],
  { colors, columns }: { colors: Colors; columns?: number | undefined },
): string {
  const widths = head.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map(measureWidth)),
  );
  const last = head.length - 1;
  const indent = widths.slice(0, last).reduce((sum, width) => sum + width + gap.length, 0);
  const room = columns === undefined || columns - indent < narrowestColumn ? Infinity : columns - indent;
  const format = (row: string[]) => {
    const [first = '', ...more] = wrapLine(row[last] ?? '', room);
    const cells = row.slice(0, last).map((cell, column) => padEnd(cell, widths[column] ?? 0));
    return [[...cells, first].join(gap).trimEnd(), ...more.map((line) => ' '.repeat(indent) + line)].join('\n');
  };
  return [colors.dim(format(head)), ...rows.map(format)].join('\n');
}

/** Names and their values, one a line; those without a value are left out. */
export function formatFields(fields: [string, string][], colors: Colors): string {
  const shown = fields.filter(([, value]) => value !== '');
  return shown.map(([name, value]) => `${colors.dim(name.padEnd(11))} ${value}`).join('\n');
}

function padEnd(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - measureWidth(cell)));
}

/** Breaks a plain line between words, and inside of one that is longer than the room. */
function wrapLine(line: string, room: number): string[] {
  if (measureWidth(line) <= room) return [line];
  const lines: string[] = [];
  let rest = line;
  while (measureWidth(rest) > room) {
    const start = fitWidth(rest, room) || rest.slice(0, 1);
    const space = rest[start.length] === ' ' ? start.length : start.lastIndexOf(' ');
    const cut = space > 0 ? space : start.length;
    lines.push(rest.slice(0, cut));
    rest = rest.slice(cut).trimStart();
  }
  return rest === '' ? lines : [...lines, rest];
}
