import { symlinkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Problem } from '../../compiler/problem.ts';
import { observeSchedule } from '../../schedules/observe.ts';
import { writeDefinition } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { envOf, readActcore, runActcore, writeFolder } from './support/actcore.ts';

let runner: Runner;
beforeAll(async () => {
  runner = await startRunner();
});
afterAll(() => runner.close());

const uuid = '7c4e9a12-8f3b-4d5e-9c6a-1b2d3e4f5a6b';

/** Files with one fault each, and what is to be said of it: where, and a part of the words. */
const faults: Record<string, [content: string | Buffer, place: string, words: RegExp]> = {
  'unknown-key.md': [writeDefinition('bad.unknown-key', { titel: 'x' }), '22:1', /titel/],
  'wrong-type.md': [writeDefinition('bad.wrong-type', { enabled: '"yes"' }), '6:10', /true|false|boolean/],
  'cron.md': [writeDefinition('bad.cron', { schedule: '{ cron: "61 * * * *" }' }), '7:20', /61/],
  'six-fields.md': [writeDefinition('bad.six', { schedule: '{ cron: "0 0 1 1 * 2030" }' }), '7:30', /five|six|fields/],
  'duration.md': [writeDefinition('bad.duration', { misfire_grace: '60 parsecs' }), '8:16', /60 parsecs|duration/],
  'undeclared.md': [writeDefinition('bad.undeclared', { env: '[]' }), '15:10', /TARGET_URL/],
  'cel.md': [writeDefinition('bad.cel', { sweep: sweepWith('body.status ==') }), '15:33', /unexpected end/],
  'cel-field.md': [writeDefinition('bad.field', { sweep: sweepWith('answer.status == 200') }), '15:19', /answer/],
  'not-utf8.md': [
    Buffer.concat([Buffer.from('---\nid: bad.utf8\ntitle: x'), Buffer.from([0xff]), Buffer.from('\n')]),
    '3:9',
    /UTF-8/,
  ],
};

function sweepWith(expression: string): string {
  return `\n  request: { method: POST, url: "\${TARGET_URL}/x" }\n  outcome:\n    lock_skipped: ${expression}`;
}

/** All of them, duplicates over files, files that cannot be read, and one good definition. */
function writeBadFolder(goodId: string): string {
  const folder = writeFolder({
    ...Object.fromEntries(Object.entries(faults).map(([name, [content]]) => [name, content])),
    'good.md': writeDefinition(goodId),
    'one.md': writeDefinition('bad.twice', { uuid }),
    'sub/two.md': writeDefinition('bad.twice', { uuid: '00000000-0000-4000-8000-000000000001' }),
    'three.md': writeDefinition('bad.uuid-twice', { uuid }),
    'README.md': '# not a definition',
    '.hidden.md': 'not looked at',
    '..2026_11_21/good.md': writeDefinition(goodId),
  });
  mkdirSync(join(folder, 'a-folder.md'));
  symlinkSync(join(folder, 'gone'), join(folder, 'dangling.md'));
  return folder;
}

it('apply names every fault of every file with its place, exits with 1, and applies nothing, not even the good neighbour', async () => {
  const folder = writeBadFolder('test.good-neighbour');
  const applied = await readActcore<{ problems: Problem[] }>(['apply', folder, join(folder, 'nowhere')], {
    env: envOf(runner),
  });
  expect(applied.exitCode).toBe(1);
  expect(applied.stderr).toMatch(/^error: \d+ errors in 14 files\n {2}Nothing was done\.$/);
  const { problems } = applied.document;
  const places = problems.map(({ file, line, column }) => `${file.slice(folder.length + 1)}:${line}:${column}`);
  const findMessage = (name: string) => problems.find(({ file }) => file === join(folder, name))?.message;
  for (const [name, [, place, words]] of Object.entries(faults)) {
    expect(places).toContain(`${name}:${place}`);
    expect(findMessage(name)).toMatch(words);
  }
  expect(findMessage('a-folder.md')).toBe('cannot be read: it is a folder with the name of a definition');
  expect(findMessage('dangling.md')).toBe('cannot be read: it is a link to a file that is not there');
  expect(findMessage('sub/two.md')).toMatch(/^id `bad\.twice` is already taken by .*one\.md:2$/);
  expect(findMessage('three.md')).toMatch(/^uuid .* is already taken by .*one\.md/);
  expect(findMessage('nowhere')).toBe('there is no such file or folder');
  expect(findMessage('good.md')).toBeUndefined();
  expect(await observeSchedule(runner.client, 'test.good-neighbour')).toBeUndefined();
});

it.each(['lint', 'plan', 'apply'])(
  '%s shows each problem as file:line:column with its line, and no stack',
  async (command) => {
    const folder = writeBadFolder('test.good-neighbour');
    const ended = await runActcore([command, '.'], { cwd: folder, env: envOf(runner) });
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toContain('cron.md:7:20: ');
    expect(ended.stderr).toMatch(/\n {2}7 \| schedule: \{ cron: "61 \* \* \* \*" \}\n {4}\| +\^/);
    expect(ended.stderr).toMatch(/^dangling\.md:1:1: error: cannot be read/m);
    expect(ended.stderr).not.toMatch(/\n\s+at |node_modules/);
  },
);

it.each([
  ['an empty folder', (folder: string) => folder, 'there is no definition (*.md) in this folder'],
  ['a folder that is not there', (folder: string) => join(folder, 'gone'), 'there is no such file or folder'],
  ['what is no regular file', () => '/dev/null', 'cannot be read: it is not a regular file'],
])('%s is a located problem too', async (_, pathOf, message) => {
  const path = pathOf(writeFolder({}));
  const plain = await runActcore(['plan', path], { env: envOf(runner) });
  expect(plain).toMatchObject({ exitCode: 1, stdout: '' });
  expect(plain.stderr.split('\n')[0]).toBe(`${path}:1:1: error: ${message}`);
  const { document, exitCode, stderr } = await readActcore<{ problems: Problem[] }>(['apply', path], {
    env: envOf(runner),
  });
  expect(exitCode).toBe(1);
  expect(document.problems).toMatchObject([{ file: path, line: 1, column: 1, message }]);
  expect(stderr).toBe('error: 1 error in 1 file\n  Nothing was done.');
});

it('a mounted ConfigMap, which holds each file twice behind links, is one set of definitions', async () => {
  const folder = writeFolder({ '..2026_11_21_10_00/mounted.md': writeDefinition('test.mounted') });
  symlinkSync('..2026_11_21_10_00', join(folder, '..data'));
  symlinkSync('..data/mounted.md', join(folder, 'mounted.md'));
  const linted = await readActcore<{ definitions: unknown[] }>(['lint', folder, join(folder, '.', 'mounted.md')]);
  expect(linted).toMatchObject({ exitCode: 0, stderr: '' });
  expect(linted.document.definitions).toEqual([
    { file: join(folder, 'mounted.md'), id: 'test.mounted', kind: 'sweep', enabled: true },
  ]);
});
