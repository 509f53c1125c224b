import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { buildProgram } from '../../cli/program.ts';
import { runActcore, spawnActcore } from './support/actcore.ts';

const golden = join(import.meta.dirname, '../golden/help');
const { commands: outer } = await buildProgram(new AbortController().signal);
const commands = outer.flatMap((command) => [command, ...command.commands]);
/** The words that call each command, such as `findings retry`. */
const names = outer.flatMap((command) => [
  command.name(),
  ...command.commands.map((inner) => `${command.name()} ${inner.name()}`),
]);

/** Compares with the golden file, or writes it under UPDATE_GOLDEN=1. */
function expectGolden(name: string, text: string): void {
  const file = join(golden, `${name}.txt`);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(golden, { recursive: true });
    writeFileSync(file, `${text}\n`);
  }
  expect(`${text}\n`).toBe(existsSync(file) ? readFileSync(file, 'utf8') : `missing: run with UPDATE_GOLDEN=1`);
}

/** What a command prints as its help. */
function printHelp(command: Command): string {
  let printed = '';
  command.configureOutput({ writeOut: (text) => (printed += text) }).outputHelp();
  return printed.replace(/\n$/, '');
}

it.each(names)('actcore %s --help is as it is kept', (name) => {
  const command = commands[names.indexOf(name)];
  const text = command === undefined ? '' : printHelp(command);
  expectGolden(name.replace(' ', '-'), text);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(101);
});

it.each(['', 'plan', 'findings retry'])('the program prints it: actcore %s --help', async (name) => {
  const { exitCode, stdout, stderr } = await spawnActcore([...name.split(' ').filter((word) => word !== ''), '--help']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expectGolden(name === '' ? 'actcore' : name.replace(' ', '-'), stdout);
});

it('there is no golden help of a command that is gone', () => {
  const known = ['actcore', ...names].map((name) => `${name.replace(' ', '-')}.txt`);
  expect(readdirSync(golden).sort()).toEqual(known.sort());
});

it('every command has a description, a short one for the list, and one for each argument and option', () => {
  for (const command of commands) {
    expect(command.description()).toMatch(/^[A-Z].*[^ ]$/);
    expect(command.summary()).toMatch(/^[a-z].*[^.]$/);
    for (const argument of command.registeredArguments) expect(argument.description).not.toBe('');
    for (const option of command.options) expect(option.description).not.toBe('');
  }
});

it.each([
  [['pln'], /^error: unknown command 'pln'\n\(Did you mean plan\?\)\n+\(actcore --help lists the commands\)$/],
  [
    ['list', '--jsn'],
    /^error: unknown option '--jsn'\n\(Did you mean --json\?\)\n+\(actcore --help lists the commands\)$/,
  ],
  [['show'], /^error: missing required argument 'id'\n+\(/],
  [['list', 'extra'], /^error: too many arguments for 'list'\. Expected 0 arguments but got 1\.\n+\(/],
  [['runs', '--limit', '0'], /argument '0' is invalid\. Expected a whole number of at least 1\./],
  [['runs', '--limit', 'many'], /Expected a whole number/],
  [['runs', '--since', 'yesterday'], /Expected a span such as 90m, 72h or 7d, or a time such as/],
  [['runs', '--since', '1'], /Expected a span/],
  [['runs', '--since', '99999999999d'], /Expected a span/],
  [['worker', '--log-level', 'loud'], /Expected one of TRACE, DEBUG, INFO, WARN, ERROR\./],
  [['completion', 'csh'], /Allowed choices are bash, zsh, fish\./],
])('%j is an error with a hint, and exit code 1', async (args, says) => {
  const { exitCode, stdout, stderr } = await runActcore(args);
  expect(stderr).toMatch(says);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
});

it('--version is the version of the package', async () => {
  const file = join(import.meta.dirname, '../../package.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  expect(await runActcore(['--version'])).toMatchObject({ exitCode: 0, stdout: version });
});
