import { expect, test } from 'vitest';
import { compareProblems, renderProblem } from '../../compiler/problem.ts';
import type { Problem } from '../../compiler/problem.ts';

const problem: Problem = {
  ...{ file: 'a.md', line: 2, column: 8, path: 'owner' },
  severity: 'error',
  message: '`owner` is 5; expected text',
};

test('a problem is written with its place, its source line, a caret and the hint', () => {
  expect(renderProblem({ ...problem, hint: 'put quotes around it' }, '---\nowner: 5\n---\n')).toBe(
    [
      'a.md:2:8: error: `owner` is 5; expected text',
      '  2 | owner: 5',
      '    |        ^',
      '  hint: put quotes around it',
    ].join('\n'),
  );
});

test('without the source it is one line', () => {
  expect(renderProblem(problem)).toBe('a.md:2:8: error: `owner` is 5; expected text');
});

test('the caret stands under its column also behind tabs, a byte order mark and CRLF', () => {
  const shown = renderProblem({ ...problem, line: 1, column: 3 }, '\uFEFF\tab\r\nx');
  expect(shown.split('\n').slice(1)).toEqual(['  1 | \tab', '    | \t ^']);
});

test('control characters of a file do not reach the terminal', () => {
  const shown = renderProblem({ ...problem, message: 'bad \u001b[31mred', column: 1 }, 'x\ny\u001b[2J');
  expect(shown).not.toContain('\u001b');
  expect(shown).toContain('y\uFFFD[2J');
});

test('a very long source line is cut around the caret', () => {
  const shown = renderProblem({ ...problem, line: 1, column: 50_001 }, `${'a'.repeat(50_000)}X${'b'.repeat(50_000)}`);
  const [, source = '', caret = ''] = shown.split('\n');
  expect(source.length).toBeLessThan(200);
  expect(source[caret.indexOf('^')]).toBe('X');
});

test('colours are the caller’s', () => {
  const shown = renderProblem({ ...problem, hint: 'h' }, '---\nowner: 5', (part, text) => `<${part}>${text}</>`);
  expect(shown).toContain('<place>a.md:2:8:</> <severity>error:</> <message>`owner` is 5; expected text</>');
  expect(shown).toContain('<caret>^</>');
});

test('problems are ordered by file, line and column', () => {
  const at = (file: string, line: number, column: number): Problem => ({ ...problem, file, line, column });
  const sorted = [at('b', 1, 1), at('a', 2, 1), at('a', 1, 9), at('a', 1, 2)].sort(compareProblems);
  expect(sorted.map((one) => `${one.file}${one.line}${one.column}`)).toEqual(['a12', 'a19', 'a21', 'b11']);
});

test('a warning says that it is one', () => {
  expect(renderProblem({ ...problem, severity: 'warning' })).toBe('a.md:2:8: warning: `owner` is 5; expected text');
});
