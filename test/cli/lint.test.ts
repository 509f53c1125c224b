import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compilePaths } from '../../cli/definition-files.ts';
import type { Problem } from '../../compiler/problem.ts';
import { definitionSchema } from '../../compiler/schema.ts';
import { watchdogSchema } from '../../compiler/watchdog-schema.ts';
import { writeDefinition } from '../support/definitions.ts';
import { checkout } from '../support/program.ts';
import { readActcore, runActcore, writeFolder } from './support/actcore.ts';

const heading = '## On assessment failure\n\nLook at the data.\n';
const warned = writeDefinition('test.warned').replace(heading, '');
const wrong = writeDefinition('test.wrong', { titel: 'x', schedule: '{ cron: "61 * * * *" }' }).replace(heading, '');

const folder = writeFolder({
  'activity-definitions/good.md': writeDefinition('test.good'),
  'activity-definitions/warned.md': warned,
});
const bad = writeFolder({
  'defs/good.md': writeDefinition('test.good'),
  'defs/warned.md': warned,
  'defs/wrong.md': wrong,
});

it('a warning is told with its place and its word, and is no failure', async () => {
  const ended = await runActcore(['lint'], { cwd: folder });
  expect(ended).toMatchObject({ exitCode: 0, stdout: '2 definitions, no errors' });
  expect(ended.stderr).toMatch(
    /^activity-definitions\/warned\.md:\d+:1: warning: the runbook has no heading `## On assessment failure`\n/,
  );
  expect(ended.stderr).toMatch(/\n {2}hint: .+\n1 warning in 1 file$/);
});

it('under --strict it is an error and a failure', async () => {
  const ended = await runActcore(['lint', '--strict'], { cwd: folder });
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toContain(': error: the runbook has no heading');
  expect(ended.stderr).toMatch(/\n1 error in 1 file$/);
  expect(await runActcore(['lint', '--strict', 'activity-definitions/good.md'], { cwd: folder })).toMatchObject({
    exitCode: 0,
    stdout: '1 definition, no problems',
    stderr: '',
  });
});

it('errors and warnings are counted apart, and each error shows its line with a caret', async () => {
  const ended = await runActcore(['lint', 'defs'], { cwd: bad });
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toMatch(/\n2 errors and 2 warnings in 2 files$/);
  expect(ended.stderr).toMatch(
    /\ndefs\/wrong\.md:7:20: error: .*61.*\n {2}7 \| schedule: \{ cron: "61 \* \* \* \*" \}\n {4}\| {20}\^\n/,
  );
  expect(ended.stderr).toMatch(/: error: unknown key `titel`\n.+\n.+\n {2}hint: did you mean `title`\?/);
});

it('an error is red and a warning is yellow', async () => {
  const { stderr } = await runActcore(['lint', 'defs'], { cwd: bad, env: { FORCE_COLOR: '1' } });
  const lines = stderr.split('\n');
  const colourOf = (word: string) => lines.find((line) => line.includes(`${word}:`))?.includes('\u001b[31m');
  expect([colourOf('error'), colourOf('warning')]).toEqual([true, false]);
  expect(lines.find((line) => line.includes('warning:'))).toContain('\u001b[33m');
});

it('--json and --format json print one document with problems and what is good', async () => {
  interface Document {
    problems: Problem[];
    definitions: { file: string; id: string; kind: string; enabled: boolean }[];
  }
  const { document, exitCode, stderr } = await readActcore<Document>(['lint', 'defs'], { cwd: bad });
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
  expect(document.problems.map(({ severity }) => severity).sort()).toEqual(['error', 'error', 'warning', 'warning']);
  expect(document.definitions).toEqual([
    { file: 'defs/good.md', id: 'test.good', kind: 'sweep', enabled: true },
    { file: 'defs/warned.md', id: 'test.warned', kind: 'sweep', enabled: true },
  ]);
  const same = await runActcore(['lint', 'defs', '--format', 'json'], { cwd: bad });
  expect(JSON.parse(same.stdout)).toEqual(document);
});

it('--format github prints an annotation a problem, with paths from the top of the checkout', async () => {
  const { exitCode, stdout, stderr } = await runActcore(['lint', '.', 'gone', '--format', 'github'], {
    cwd: join(bad, 'defs'),
    env: { GITHUB_WORKSPACE: bad },
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '3 errors and 2 warnings in 3 files' });
  const lines = stdout.split('\n');
  expect(lines).toHaveLength(5);
  for (const line of lines) expect(line).toMatch(/^::(error|warning) file=defs\/(gone|w\w+\.md),line=\d+,col=\d+::\S/);
  expect(stdout).toMatch(/^::error file=defs\/wrong\.md,line=7,col=20::.*61/m);
});

it('another format is refused with those there are', async () => {
  const { exitCode, stderr } = await runActcore(['lint', '--format', 'xml']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Allowed choices are text, github, json.');
});

it('other commands tell on stderr that there are warnings and go on, with one document under --json', async () => {
  const args = ['simulate', 'activity-definitions/warned.md', '--from', '2026-11-21T00:00Z', '--to', '+1h'];
  const plain = await runActcore(args, { cwd: folder });
  expect(plain.exitCode).toBe(0);
  const told = '1 warning in 1 file: actcore lint shows them';
  expect(plain.stderr).toBe(told);
  expect(plain.stdout).toContain('test.warned: each run takes');
  const { document, stderr } = await readActcore<{ definition: string }>(args, { cwd: folder });
  expect(document.definition).toBe('test.warned');
  expect(stderr).toBe(told);
});

it('a watchdog is compiled with its SQL, also where escapes hide that it is one', async () => {
  const made = await runActcore(['new', 'watchdog', 'test.rows'], { cwd: folder });
  expect(made.exitCode).toBe(0);
  const file = join(folder, 'activity-definitions/test.rows.md');
  const text = readFileSync(file, 'utf8');
  const hidden = writeFolder({
    'hidden.md': text.replace('kind: watchdog', 'kind: "watch\\x64og"').replace('\nwatchdog:', '\n"watch\\x64og":'),
  });
  expect(await runActcore(['lint', '--strict', hidden])).toMatchObject({ exitCode: 0, stderr: '' });
  const broken = writeFolder({ 'broken.md': text.replace('select id', 'selec id') });
  const ended = await runActcore(['lint', broken]);
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toMatch(/broken\.md:\d+:1: error: .*selec/);
});

it('the watchdog of the documentation lints clean, and every key of a check is documented', async () => {
  const text = readFileSync(join(checkout, 'docs/definitions.md'), 'utf8');
  const sample = /^````markdown\n([^]*?)^````$/m.exec(text)?.[1] ?? '';
  const { definitions, problems } = await compilePaths([writeFolder({ 'sample.md': sample })], { strict: true });
  expect(problems).toEqual([]);
  expect(definitions.map(({ id }) => id)).toEqual(['team.stale-plans']);
  const { checks } = watchdogSchema.shape;
  for (const key of Object.keys(definitionSchema.shape)) expect(text).toContain(`\`${key}`);
  for (const key of Object.keys(watchdogSchema.shape)) expect(text).toContain(`\`watchdog.${key}\``);
  for (const key of Object.keys(checks.valueType.shape))
    expect(text).toMatch(new RegExp(`\\| \`checks\\.NAME\\.${key}`));
});
