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
      `2.md:2:5: error: id \`team.nightly-sweep\` is already taken by 0.md:2${hint}`,
    ]);
  });

  test('the same id with two uuids is still one id', () => {
    expect(list([sample, change('owner: team', `owner: team\n${uuid}`)])).toEqual([
      `1.md:2:5: error: id \`team.nightly-sweep\` is already taken by 0.md:2${hint}`,
    ]);
  });

  test('the second file with a uuid is told where the first is, whatever the case', () => {
    const first = change('owner: team', `owner: team\n${uuid}`);
    const second = change('owner: team', `owner: team\n${uuid.replace('7c4e', '7C4E')}`, other);
    expect(list([first, second])).toEqual([
      `1.md:5:7: error: uuid \`7c4e9a12-8f3b-4d5e-9c6a-1b2d3e4f5a6b\` is already taken by 0.md:5${uuidHint}`,
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
      expect.stringContaining('0.md:4:8: error: `owner` is 7'),
      expect.stringContaining('1.md:2:5: error: id `team.nightly-sweep` is already taken by 0.md:2'),
    ]);
  });
});

describe('warnings', () => {
  const bare = change('## On automation error\n', '');
  const warning = 'a.md:20:1: warning: the runbook has no heading `## On automation error`';

  test('leave a definition its use', () => {
    const { definitions, problems } = compileFiles([{ file: 'a.md', text: bare }]);
    expect(definitions).toHaveLength(1);
    expect(problems.map((problem) => [problem.severity, renderProblem(problem).split('\n')[0]])).toEqual([
      ['warning', warning],
    ]);
  });

  test('are errors under strict', () => {
    const { definitions, problems } = compileFiles([{ file: 'a.md', text: bare }], { strict: true });
    expect(definitions).toEqual([]);
    expect(problems.map((problem) => [problem.severity, renderProblem(problem).split('\n')[0]])).toEqual([
      ['error', warning.replace('warning', 'error')],
    ]);
  });
});

describe('moved_from', () => {
  const moved = change('owner: team', 'owner: team\nmoved_from: team.other-sweep');

  test('cannot name a definition that is still here', () => {
    const hint = 'rename it here, or leave `moved_from` out';
    expect(list([moved, other])).toEqual([
      `0.md:5:13: error: \`team.other-sweep\` has not moved: 1.md:2 defines it\n  hint: ${hint}`,
    ]);
    expect(list([other, moved])).toEqual([
      `1.md:5:13: error: \`team.other-sweep\` has not moved: 0.md:2 defines it\n  hint: ${hint}`,
    ]);
  });

  test('names what only one definition can have come from', () => {
    const second = change('team.nightly-sweep', 'team.third-sweep', moved);
    expect(list([moved, second])).toEqual([
      '1.md:5:13: error: `team.other-sweep` has moved to 0.md:5 already\n  hint: only one definition can go on with its history',
    ]);
  });

  test('does not name the definition itself', () => {
    expect(list([change('owner: team', 'owner: team\nmoved_from: [team.nightly-sweep]')])).toEqual([
      '0.md:5:14: error: `moved_from` names this definition itself',
    ]);
  });
});
