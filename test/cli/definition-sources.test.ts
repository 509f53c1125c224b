import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { compilePaths } from '../../cli/definition-files.ts';
import { readSources } from '../../cli/definition-sources.ts';
import { writeDefinition } from '../support/definitions.ts';
import { actcoreCommand } from '../support/program.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { actcoreEnv, runActcore, writeFolder } from './support/actcore.ts';
import { measureCpuMs } from '../support/slack.ts';

/** What was read and what was not, by the path from the folder. */
async function readFolder(folder: string, path = folder) {
  const { files, problems } = await readSources([path]);
  return {
    files: files.map(({ file }) => relative(folder, file)),
    problems: problems.map(({ file, line, column, message }) => {
      return `${relative(folder, file)}:${line}:${column}: ${message.replaceAll(folder, '.')}`;
    }),
  };
}

/** A folder with one good definition, so that a fault beside it can be seen to stand alone. */
function writeGood(more: Record<string, string | Buffer> = {}): string {
  return writeFolder({ 'good.md': writeDefinition('test.good'), ...more });
}

it('a file of 10 MB is refused at once, and its neighbour is read', async () => {
  const folder = writeGood({ 'huge.md': Buffer.alloc(10_000_000, 'x') });
  const ended = await runActcore(['lint', '.'], { cwd: folder });
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toBe('huge.md:1:1: error: cannot be read: it is larger than 1048576 bytes\n1 error in 1 file');
  expect(await readFolder(folder)).toMatchObject({ files: ['good.md'] });
});

it('a file of the size that is allowed is read whole', async () => {
  const text = 'x'.repeat(1_048_576);
  const { files } = await readSources([writeFolder({ 'large.md': text })]);
  expect(files.map((one) => one.text === text)).toEqual([true]);
});

it('a byte order mark and CRLF change nothing, and a NUL byte is told at its place', async () => {
  const text = writeDefinition('test.saved-elsewhere');
  const folder = writeFolder({
    'marked.md': `\uFEFF${text.replaceAll('\n', '\r\n')}`,
    'nul.md': writeDefinition('test.nul', { title: 'a\0b' }),
  });
  const { definitions, problems } = await compilePaths([folder]);
  expect(definitions.map(({ id }) => id)).toEqual(['test.saved-elsewhere']);
  expect(problems).toMatchObject([{ file: join(folder, 'nul.md'), line: 3, column: 9 }]);
});

it('invalid UTF-8 is told at the character it stands in', async () => {
  const folder = writeFolder({ 'latin.md': Buffer.from('---\ntitle: \u00fcber Gr\u00f6\u00dfe\n', 'latin1') });
  expect(await readFolder(folder)).toEqual({ files: [], problems: ['latin.md:2:8: cannot be read: it is not UTF-8'] });
});

it('a folder, a pipe, and a socket with the names of definitions are told and not waited for', async () => {
  const folder = writeGood();
  mkdirSync(join(folder, 'folder.md'));
  execFileSync('mkfifo', [join(folder, 'pipe.md')]);
  const server = createServer().listen(join(folder, 'socket.md'));
  expect(await readFolder(folder)).toEqual({
    files: ['good.md'],
    problems: [
      'folder.md:1:1: cannot be read: it is a folder with the name of a definition',
      'pipe.md:1:1: cannot be read: it is not a regular file',
      'socket.md:1:1: cannot be read: it is not a regular file',
    ],
  });
  server.close();
  const ended = await runActcore(['lint', join(folder, 'pipe.md')]);
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toContain('pipe.md:1:1: error: cannot be read: it is not a regular file');
});

it('a link that leads out of the folder is refused, to a file as to a folder, and nothing of its text is shown', async () => {
  const outside = writeFolder({ 'secret.md': 'password: hunter2', 'team/other.md': writeDefinition('test.other') });
  const folder = writeGood();
  symlinkSync(join(outside, 'secret.md'), join(folder, 'leak.md'));
  symlinkSync(join(outside, 'team'), join(folder, 'team'));
  symlinkSync(join(outside, 'secret.md'), join(folder, 'notes.txt'));
  const out = (target: string) => `is not followed: it is a link that leads out of ., to ${join(outside, target)}`;
  expect(await readFolder(folder)).toEqual({
    files: ['good.md'],
    problems: [`leak.md:1:1: ${out('secret.md')}`, `team:1:1: ${out('team')}`],
  });
  const named = await readFolder(folder, join(folder, 'leak.md'));
  expect(named).toEqual({ files: [], problems: [`leak.md:1:1: ${out('secret.md')}`] });
  const ended = await runActcore(['lint', '.'], { cwd: folder });
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toContain('  hint: put the file itself there, or name what the link leads to');
  expect(ended.stdout + ended.stderr).not.toContain('hunter2');
});

it('a link that leads about within the folder is followed, and the folder itself may be one', async () => {
  const folder = writeFolder({ '.shared/a.md': writeDefinition('test.shared'), 'b.md': writeDefinition('test.b') });
  mkdirSync(join(folder, 'team'));
  symlinkSync('../.shared/a.md', join(folder, 'team/a.md'));
  symlinkSync('.shared', join(folder, 'linked'));
  expect(await readFolder(folder)).toEqual({ files: ['b.md', 'linked/a.md', 'team/a.md'], problems: [] });
  const door = join(makeTempFolder(), 'door');
  symlinkSync(folder, door);
  expect((await readFolder(door)).files).toEqual(['b.md', 'linked/a.md', 'team/a.md']);
  // What the folder of the link is to the reader decides: seen from its subfolder the same link leads out.
  expect((await readSources([join(folder, 'team')])).problems).toMatchObject([
    { message: expect.stringContaining('leads out of') },
  ]);
});

it('a link that is named by itself may lead about in the working directory', async () => {
  const folder = writeFolder({ 'shared/a.md': writeDefinition('test.named') });
  mkdirSync(join(folder, 'team'));
  symlinkSync('../shared/a.md', join(folder, 'team/a.md'));
  expect(await runActcore(['lint', 'team/a.md'], { cwd: folder })).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await runActcore(['lint', join(folder, 'team/a.md')])).toMatchObject({ exitCode: 1 });
});

it('a mounted ConfigMap is read once, and anew when it has been exchanged', async () => {
  const folder = writeFolder({
    '..2026_11_21_10_00/a.md': writeDefinition('test.mounted'),
    '..2026_11_21_10_00/definition.schema.json': '{}',
    '..2026_11_21_11_00/a.md': writeDefinition('test.mounted', { title: 'newer' }),
  });
  symlinkSync('..2026_11_21_10_00', join(folder, '..data'));
  symlinkSync('..data/a.md', join(folder, 'a.md'));
  symlinkSync('..data/definition.schema.json', join(folder, 'definition.schema.json'));
  expect(await readFolder(folder)).toEqual({ files: ['a.md'], problems: [] });
  symlinkSync('..2026_11_21_11_00', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  expect((await readSources([folder])).files[0]?.text).toContain('title: newer');
});

it('links that lead back to themselves, or to nothing, are told once and not followed for ever', async () => {
  const folder = writeGood({ 'sub/deep.md': writeDefinition('test.deep') });
  symlinkSync('loop.md', join(folder, 'loop.md'));
  symlinkSync('loop', join(folder, 'loop'));
  symlinkSync('..', join(folder, 'sub/up'));
  symlinkSync('gone', join(folder, 'dead.md'));
  symlinkSync('gone', join(folder, 'dead-folder'));
  symlinkSync('gone', join(folder, 'dead.txt'));
  expect(await readFolder(folder)).toEqual({
    files: ['good.md', 'sub/deep.md'],
    problems: [
      'dead-folder:1:1: cannot be read: it is a link to a file that is not there',
      'dead.md:1:1: cannot be read: it is a link to a file that is not there',
      'loop:1:1: cannot be read: it is a link that leads back to itself',
      'loop.md:1:1: cannot be read: it is a link that leads back to itself',
    ],
  });
  const named = ['loop.md', 'dead.md', 'good.md/beyond.md', 'loop/a.md'];
  const { problems } = await readSources(named.map((name) => join(folder, name)));
  expect(problems.map(({ message }) => message)).toEqual([
    'cannot be read: it is a link that leads back to itself',
    'cannot be read: it is a link to a file that is not there',
    'there is no such file or folder',
    'cannot be read: it is a link that leads back to itself',
  ]);
});

it('a file and a folder without permission are told, and the others are read', async () => {
  const folder = writeGood({ 'shut.md': 'x', 'shut/a.md': 'x', 'zebra.md': 'nothing' });
  chmodSync(join(folder, 'shut.md'), 0o000);
  chmodSync(join(folder, 'shut'), 0o000);
  // Root reads everything, unless its capabilities are taken from it.
  const bare = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];
  const line = [...bare, ...actcoreCommand, 'lint', '.'];
  const env = actcoreEnv();
  const { exitCode, stderr } = await execa(line[0] ?? '', line.slice(1), {
    cwd: folder,
    env,
    extendEnv: false,
    reject: false,
  });
  chmodSync(join(folder, 'shut'), 0o700);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('shut:1:1: error: cannot be read: this account has no permission\n');
  expect(stderr).toContain('shut.md:1:1: error: cannot be read: this account has no permission\n');
  expect(stderr).toContain('zebra.md:1:1: error: the file has no frontmatter');
  expect(stderr).toMatch(/\n3 errors in 3 files$/);
});

it('what stands beside the definitions is passed over: the schema, a README, hidden files', async () => {
  const schema = readFileSync(new URL('../../activity-definitions/definition.schema.json', import.meta.url), 'utf8');
  const folder = writeGood({
    'definition.schema.json': schema,
    'README.md': '# x',
    '.good.md.swp': 'x',
    '.#good.md': 'x',
  });
  expect(readdirSync(folder)).toHaveLength(5);
  expect(await readFolder(folder)).toEqual({ files: ['good.md'], problems: [] });
});

it('2,000 files are read in the order of their names, in well under a second', async () => {
  const folder = makeTempFolder();
  for (let index = 0; index < 2_000; index += 1) {
    writeFileSync(join(folder, `${String(index).padStart(4, '0')}.md`), `number ${index}`);
  }
  const cpuMs = await measureCpuMs(async () => {
    const { files } = await readSources([folder]);
    expect(files.every(({ text }, index) => text === `number ${index}`)).toBe(true);
  });
  expect(cpuMs).toBeLessThan(1_000);
});
