import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compilePaths } from '../../cli/definition-files.ts';
import { suggestDefinitionId } from '../../cli/definition-name.ts';
import { checkout } from '../support/program.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { readActcore, runActcore, writeFolder } from './support/actcore.ts';

const schema = join(checkout, 'activity-definitions/definition.schema.json');

it.each(['sweep', 'watchdog'])('a new %s lints clean under --strict, and what to do next is said', async (kind) => {
  const cwd = makeTempFolder();
  const made = await runActcore(['new', kind, 'team.nightly-rows'], { cwd });
  expect(made).toMatchObject({ exitCode: 0, stderr: '' });
  const file = 'activity-definitions/team.nightly-rows.md';
  expect(made.stdout.split('\n').slice(0, 4)).toEqual([
    `${file} is written, and lint finds nothing wrong with it`,
    'Next:',
    '  1. edit it: what it does, and what somebody has to know at 03:00',
    `  2. actcore lint ${file}`,
  ]);
  expect(made.stdout).toContain(`\n  3. actcore simulate ${file}\n`);
  const says =
    kind === 'sweep' ? `actcore try ${file}\n  5. actcore canary ${file}` : `actcore canary ${file}\n  5. write`;
  expect(made.stdout).toContain(`\n  4. ${says}`);
  expect(await runActcore(['lint', '--strict'], { cwd })).toMatchObject({ exitCode: 0, stderr: '' });
  expect(readFileSync(join(cwd, file), 'utf8')).toMatch(
    /^---\nid: team\.nightly-rows\ntitle: Nightly rows\nowner: team\n/,
  );
});

it('title, owner and folder can be said, in any words', async () => {
  const cwd = makeTempFolder();
  const args = ['new', 'sweep', 'team.odd', '--dir', 'my defs', '--title', 'It\'s "odd": {a}', '--owner', 'true'];
  const made = await readActcore(args, { cwd });
  expect(made).toMatchObject({
    exitCode: 0,
    stderr: '',
    document: { file: 'my defs/team.odd.md', id: 'team.odd', kind: 'sweep' },
  });
  expect((await runActcore(['new', 'sweep', 'b', '--dir', 'my defs'], { cwd })).stdout).toContain(
    "actcore lint 'my defs/b.md'",
  );
  const { definitions, problems } = await compilePaths([join(cwd, 'my defs')], { strict: true });
  expect(problems).toEqual([]);
  expect(definitions[1]).toMatchObject({ id: 'team.odd', title: 'It\'s "odd": {a}', owner: 'true' });
});

it('where the schema stands beside it, the file names it for editors, and still lints clean', async () => {
  const folder = makeTempFolder();
  copyFileSync(schema, join(folder, 'definition.schema.json'));
  expect(await runActcore(['new', 'sweep', 'test.schemed', '--dir', folder])).toMatchObject({ exitCode: 0 });
  const text = readFileSync(join(folder, 'test.schemed.md'), 'utf8');
  expect(text).toMatch(/^---\n# yaml-language-server: \$schema=\.\/definition\.schema\.json\nid: test\.schemed\n/);
  expect((await compilePaths([folder], { strict: true })).problems).toEqual([]);
});

it('a file that is there is not overwritten, whatever stands in it', async () => {
  const folder = writeFolder({ 'team.kept.md': 'mine' });
  const ended = await runActcore(['new', 'sweep', 'team.kept', '--dir', folder]);
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toBe(`error: ${folder}/team.kept.md is there already\n  Edit it, or choose another name.`);
  expect(readFileSync(join(folder, 'team.kept.md'), 'utf8')).toBe('mine');
});

it('an id that a neighbour has, or had, is not given away, and nothing is written', async () => {
  const folder = makeTempFolder();
  expect(await runActcore(['new', 'sweep', 'team.one', '--dir', folder])).toMatchObject({ exitCode: 0 });
  const other = join(folder, 'other-name.md');
  const text = readFileSync(join(folder, 'team.one.md'), 'utf8');
  writeFileSync(other, text.replace('id: team.one', 'id: team.two\nmoved_from: team.old'));
  for (const [id, words] of [
    ['team.two', /id `team\.two` is already taken by .*other-name\.md:2$/],
    ['team.old', /`team\.old` has not moved/],
  ] as const) {
    const ended = await runActcore(['new', 'sweep', id, '--dir', folder]);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(words);
    expect(existsSync(join(folder, `${id}.md`))).toBe(false);
  }
});

it.each([
  [['Nightly Sweep'], /^error: `Nightly Sweep` cannot be an id\n {2}Did you mean nightly-sweep\? An id is/],
  [['../etc/passwd'], /`\.\.\/etc\/passwd` cannot be an id\n {2}Did you mean passwd\?/],
  [['9'], /^error: `9` cannot be an id\n {2}An id is dotted kebab-case/],
  [['a', '--title', ''], /a\.md is not written: --title: /],
  [['a', '--owner', 'x'.repeat(101)], /a\.md is not written: --owner: /],
  [['a', '--dir', '/dev/null/x'], /cannot be written: /],
])('%j is refused in words, and nothing is written', async (args, says) => {
  const cwd = makeTempFolder();
  const ended = await runActcore(['new', 'sweep', ...args], { cwd });
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toMatch(says);
  expect(ended.stderr).not.toMatch(/\n\s+at /);
  expect(existsSync(join(cwd, 'activity-definitions'))).toBe(false);
});

it('another kind is refused with those there are', async () => {
  const { exitCode, stderr } = await runActcore(['new', 'swep', 'a']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Allowed choices are sweep, watchdog.');
});

it.each([
  ['Team.NightlySweep', 'team.nightly-sweep'],
  ['team_nightly__sweep.md', 'team-nightly-sweep'],
  ['activity-definitions/team.a.md', 'team.a'],
  ['Größe der Räume', 'grosse-der-raume'],
  ['..a..b..', 'a.b'],
  ['2nd-sweep', 'nd-sweep'],
  ['???', undefined],
])('%s is taken for %s', (word, id) => {
  expect(suggestDefinitionId(word)).toBe(id);
});
