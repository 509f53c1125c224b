import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { diffLines } from '../../cli/line-diff.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { measureCpuMs } from '../support/slack.ts';

/** What `git diff --no-index` says, without its head. */
async function diffByGit(before: string, after: string): Promise<string[]> {
  const folder = makeTempFolder();
  writeFileSync(join(folder, 'a'), before);
  writeFileSync(join(folder, 'b'), after);
  const args = ['diff', '--no-index', '--no-color', '--no-indent-heuristic', '--minimal', 'a', 'b'];
  const { stdout } = await execa('git', args, { cwd: folder, reject: false });
  const lines = stdout.split('\n');
  const start = lines.findIndex((line) => line.startsWith('@@'));
  // git repeats the nearest heading behind the second @@.
  return start < 0 ? [] : lines.slice(start).map((line) => line.replace(/^(@@ .* @@).*$/, '$1'));
}

it.each([
  ['nothing', 'a\nb\n', 'a\nb\n'],
  ['one line in the middle', '1\n2\n3\n4\n5\n6\n7\n8\n9\n', '1\n2\n3\n4\nfive\n6\n7\n8\n9\n'],
  ['two places far apart', `a\n${'x\n'.repeat(20)}b\n`, `A\n${'x\n'.repeat(20)}B\n`],
  ['two places that share their context', '1\n2\n3\n4\n5\n6\n7\n', 'one\n2\n3\n4\n5\n6\nseven\n'],
  ['a file that was empty', '', 'a\nb\n'],
  ['a file that is empty now', 'a\n', ''],
  ['the last line end', 'a\nb', 'a\nb\n'],
  ['an insertion at the start', 'b\nc\n', 'a\nb\nc\n'],
])('of %s it says what git says', async (_, before, after) => {
  expect(diffLines(before, after)).toEqual(await diffByGit(before, after));
});

/** Applies the lines of a diff without context between hunks lost: what is not shown is taken over. */
function patch(before: string, diff: string[]): string {
  const lines = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  let [at, after] = [0, ''];
  for (const [index, line] of diff.entries()) {
    const [, start, count] = /^@@ -(\d+)(?:,(\d+))? /.exec(line) ?? [];
    if (start !== undefined) {
      const first = count === '0' ? Number(start) : Number(start) - 1;
      after += lines.slice(at, first).join('');
      at = first;
    } else if (line.startsWith('\\')) continue;
    else {
      const end = diff[index + 1]?.startsWith('\\') === true ? '' : '\n';
      if (!line.startsWith('-')) after += line.slice(1) + end;
      if (!line.startsWith('+')) at += 1;
    }
  }
  return after + lines.slice(at).join('');
}

it('a text with its diff applied is the other text', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', '', '@@', '-'), { maxLength: 30 })
    .map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(text, text, (before, after) => {
      expect(patch(before, diffLines(before, after))).toBe(after);
    }),
    { numRuns: 2_000 },
  );
});

it('20,000 lines that are all others are a diff within a second', async () => {
  const many = (word: string) => Array.from({ length: 20_000 }, (_, index) => `${word} ${index}\n`).join('');
  const [a, b] = [many('a'), many('b')];
  expect(await measureCpuMs(() => expect(diffLines(a, b)).toHaveLength(40_001))).toBeLessThan(1_000);
});
