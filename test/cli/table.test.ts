import pc from 'picocolors';
import { expect, it } from 'vitest';
import { guardTerminal, measureWidth, showLine } from '../../cli/printable.ts';
import { formatTable } from '../../cli/table.ts';

const colors = pc.createColors(false);
const head = ['A', 'B', 'C'];

it('columns are aligned by what is seen: empty, East Asian, combined, emoji and coloured cells', () => {
  const painted = pc.createColors(true).red('red');
  const rows = [
    ['', 'x', '1'],
    ['漢字', 'x', '2'],
    ['e\u0301te\u0301', 'x', '3'],
    ['👩‍👩‍👧', 'x', '4'],
    [painted, 'x', '5'],
    ['plain', '', ''],
  ];
  const lines = formatTable(head, rows, { colors }).split('\n');
  expect(lines).toEqual([
    'A      B  C',
    '       x  1',
    '漢字   x  2',
    'e\u0301te\u0301    x  3',
    '👩‍👩‍👧     x  4',
    `${painted}    x  5`,
    'plain',
  ]);
});

it('a long last column is wrapped on a terminal and stays in its column; elsewhere a row is a line', () => {
  const message = `${'word '.repeat(30)}${'x'.repeat(70)} 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字`;
  const rows = [['target', 'C-07', message]];
  const narrow = formatTable(head, rows, { colors, columns: 50 }).split('\n');
  for (const line of narrow) expect(measureWidth(line)).toBeLessThanOrEqual(50);
  for (const line of narrow.slice(2)) expect(line).toMatch(/^ {14}\S/);
  expect(narrow.slice(1).join('').replaceAll(/\s/g, '')).toBe(`targetC-07${message}`.replaceAll(/\s/g, ''));
  expect(formatTable(head, rows, { colors }).split('\n')).toHaveLength(2);
  expect(formatTable(head, rows, { colors, columns: 20 }).split('\n')).toHaveLength(2);
});

it('text from outside becomes one line without anything that a terminal obeys', () => {
  expect(showLine(' a\r\nb\tc \u001b[2J\u009b31m\u0000\u007f\u202e ')).toBe(
    'a b c \uFFFD[2J\uFFFD31m\uFFFD\uFFFD\uFFFD',
  );
});

it('the gate to the terminal lets colours through and nothing else', () => {
  expect(guardTerminal('\u001b[31mred\u001b[39m\n\tx\u001b[2J\u001b]0;t\u0007')).toBe(
    '\u001b[31mred\u001b[39m\n\tx\uFFFD[2J\uFFFD]0;t\uFFFD',
  );
});
