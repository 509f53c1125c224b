import { describe, expect, test } from 'vitest';
import { compileFiles } from '../../compiler/compile-files.ts';
import { renderProblem } from '../../compiler/problem.ts';
import { change, sample } from './sample.ts';

const other = change('team.nightly-sweep', 'team.other-sweep');
const uuid = 'uuid: 7c4e9a12-8f3b-4d5e-9c6a-1b2d3e4f5a6b';

function list(texts: string[]): string[] {
  return compileFiles(texts.map((text, index) => ({ file: `${index}.md`, text }))).problems.map((problem) =>
    renderProblem(problem),
  );
}

test('several files compile to several definitions, in their order', () => {
  const { definitions, problems } = compileFiles([
    { file: 'b.md', text: other },
    { file: 'a.md', text: sample },
  ]);
  expect(problems).toEqual([]);
  expect(definitions.map(({ file, id }) => [file, id])).toEqual([
    ['b.md', 'team.other-sweep'],
    ['a.md', 'team.nightly-sweep'],
  ]);
});

test('no files are no definitions and no problems', () => {
  expect(compileFiles([])).toEqual({ definitions: [], problems: [] });
});

test('one bad file does not hide the problems or the definitions of the others', () => {
  const { definitions, problems } = compileFiles([
    { file: 'b.md', text: 'no frontmatter' },
    { file: 'c.md', text: other },
    { file: 'a.md', text: change('owner: team', 'owner: 7') },
  ]);
  expect(definitions.map(({ file }) => file)).toEqual(['c.md']);
  expect(problems.map(({ file }) => file)).toEqual(['a.md', 'b.md']);
});

describe('an identity belongs to one file', () => {
  const hint = '\n  hint: every definition needs an id of its own';
  const uuidHint = '\n  hint: leave `uuid` out and it is derived from the id';

  test('the second file with an id is told where the first is, and once', () => {
    expect(list([sample, other, sample])).toEqual([
      `2.md:2:5: id \`team.nightly-sweep\` is already taken by 0.md:2${hint}`,
    ]);
  });

  test('the same id with two uuids is still one id', () => {
    expect(list([sample, change('owner: team', `owner: team\n${uuid}`)])).toEqual([
      `1.md:2:5: id \`team.nightly-sweep\` is already taken by 0.md:2${hint}`,
    ]);
  });

  test('the second file with a uuid is told where the first is, whatever the case', () => {
    const first = change('owner: team', `owner: team\n${uuid}`);
    const second = change('owner: team', `owner: team\n${uuid.replace('7c4e', '7C4E')}`, other);
    expect(list([first, second])).toEqual([
      `1.md:5:7: uuid \`7c4e9a12-8f3b-4d5e-9c6a-1b2d3e4f5a6b\` is already taken by 0.md:5${uuidHint}`,
    ]);
  });

  test('the first keeps its definition and the second has none', () => {
    const { definitions } = compileFiles([
      { file: 'a.md', text: sample },
      { file: 'b.md', text: sample },
    ]);
    expect(definitions.map(({ file }) => file)).toEqual(['a.md']);
  });

  test('a duplicate is found also where the first file has other problems', () => {
    expect(list([change('owner: team', 'owner: 7'), sample])).toEqual([
      expect.stringContaining('0.md:4:8: `owner` is 7'),
      expect.stringContaining('1.md:2:5: id `team.nightly-sweep` is already taken by 0.md:2'),
    ]);
  });
});
