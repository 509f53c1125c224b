import { expect, test } from 'vitest';
import { renderAnnotation } from '../../compiler/annotation.ts';
import type { Problem } from '../../compiler/problem.ts';

const problem: Problem = {
  ...{ file: 'activity-definitions/a.md', line: 2, column: 8, path: 'owner' },
  severity: 'error',
  message: '`owner` is 5; expected text',
};

test('a problem is one command with its place', () => {
  expect(renderAnnotation(problem)).toBe(
    '::error file=activity-definitions/a.md,line=2,col=8::`owner` is 5; expected text',
  );
});

test('a warning is a warning, and the hint is on a line of its own', () => {
  const shown = renderAnnotation({ ...problem, severity: 'warning', hint: 'put quotes around it' });
  expect(shown).toBe(
    '::warning file=activity-definitions/a.md,line=2,col=8::`owner` is 5; expected text%0Ahint: put quotes around it',
  );
});

test('nothing in a file name or a message can end the command or begin another', () => {
  const shown = renderAnnotation({ ...problem, file: 'a,b:c%.md', message: '100%\r\n::error::x' });
  expect(shown).toBe('::error file=a%2Cb%3Ac%25.md,line=2,col=8::100%25%0D%0A::error::x');
});
