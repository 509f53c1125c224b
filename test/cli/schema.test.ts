import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeDefinition } from '../support/definitions.ts';
import { checkout } from '../support/program.ts';
import { runActcore, writeFolder } from './support/actcore.ts';

const readJson = (path: string): unknown => JSON.parse(readFileSync(join(checkout, path), 'utf8'));

it('actcore schema prints what is kept beside the definitions', async () => {
  const { exitCode, stdout, stderr } = await runActcore(['schema']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(`${stdout}\n`).toBe(readFileSync(join(checkout, 'activity-definitions/definition.schema.json'), 'utf8'));
});

it('the settings of VS Code name that schema for the definitions, and keep its hands off the prose', () => {
  const settings = readJson('.vscode/settings.json') as Record<string, unknown>;
  expect(settings['files.associations']).toEqual({ '**/activity-definitions/**/*.md': 'yaml' });
  expect(settings['yaml.schemas']).toEqual({
    './activity-definitions/definition.schema.json': 'activity-definitions/**/*.md',
  });
  expect([settings['yaml.validate'], settings['yaml.format.enable']]).toEqual([false, false]);
});

it('the task of VS Code finds every problem that lint prints, and nothing else', async () => {
  const tasks = readJson('.vscode/tasks.json') as {
    tasks: { command: string; problemMatcher: { pattern: { regexp: string } } }[];
  };
  const [task] = tasks.tasks;
  expect(task?.command).toBe('npx actcore lint');
  const pattern = new RegExp(task?.problemMatcher.pattern.regexp ?? '');
  const folder = writeFolder({
    'activity-definitions/a.md': writeDefinition('test.a', { titel: 'x' }).replace(/## On assessment[^]*/, ''),
  });
  const { stderr } = await runActcore(['lint'], { cwd: folder });
  const found = stderr.split('\n').flatMap((line) => pattern.exec(line)?.slice(1, 5).join(' ') ?? []);
  expect(found).toEqual([
    expect.stringMatching(/^activity-definitions\/a\.md 22 1 error$/),
    expect.stringMatching(/^activity-definitions\/a\.md \d+ 1 warning$/),
  ]);
});
