import { beforeAll, expect, test } from 'vitest';
import { compileFiles, prepareCompiler } from '../../compiler/compile-files.ts';
import { scaffoldDefinition } from '../../compiler/scaffold.ts';

beforeAll(() => prepareCompiler([{ file: 'a.md', text: 'watchdog' }]));

test.each(['sweep', 'watchdog'] as const)('a new %s has no problem, not even a warning, and is not enabled', (kind) => {
  const text = scaffoldDefinition(kind, { id: 'team.nightly-rows', owner: 'the "night" team: ops' });
  const { definitions, problems } = compileFiles([{ file: 'a.md', text }], { strict: true });
  expect(problems).toEqual([]);
  expect(definitions[0]).toMatchObject({
    ...{ id: 'team.nightly-rows', title: 'Nightly rows', owner: 'the "night" team: ops', enabled: false },
    order: { definition: { kind } },
  });
});

test.each(['true', 'null', '1', 'yes.no'])('an id that YAML could misread is still that id: %s', (id) => {
  const text = scaffoldDefinition('sweep', { id, owner: 'team' });
  const { definitions, problems } = compileFiles([{ file: 'a.md', text }]);
  const expected = id === '1' ? [undefined, 1] : [id, 0];
  expect([definitions[0]?.id, problems.length]).toEqual(expected);
});
