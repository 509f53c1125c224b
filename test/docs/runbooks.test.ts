import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { buildProgram } from '../../cli/program.ts';
import { checkout } from '../support/program.ts';
import { listCommands, readRunbooks, runbookFolder } from './support/runbooks.ts';

const commands = listCommands();
const runbooks = readRunbooks();
const line = (words: string[]) => words.join(' ');

/** What stands behind `actcore`, here or in a pod. */
const ours = commands.flatMap(({ file, words }) => {
  const at = words[0] === 'actcore' ? 0 : words.indexOf('--') + 1;
  return words[at] === 'actcore' ? [{ file, args: words.slice(at + 1) }] : [];
});

/** Takes the actions away, so that a command line is read and nothing is done. */
async function buildIdle(name?: string): Promise<Command> {
  const program = await buildProgram(new AbortController().signal, name);
  const idle = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => {} });
    if (command.commands.length === 0) command.action(() => {});
    for (const inner of command.commands) idle(inner);
  };
  idle(program);
  return program;
}

it('there are runbooks, and the index names each of them', () => {
  expect(Object.keys(runbooks).length).toBeGreaterThan(8);
  expect(ours.length).toBeGreaterThan(40);
  for (const name of Object.keys(runbooks).filter((one) => one !== 'README.md'))
    expect(runbooks['README.md']).toContain(`](${name})`);
});

it.each(ours.map(({ file, args }) => [file, line(args), args] as const))(
  'the program understands what %s says: actcore %s',
  async (_, __, args) => {
    const program = await buildIdle(args[0]);
    await expect(program.parseAsync([...args], { from: 'user' })).resolves.toBe(program);
  },
);

it('every command that the prose names is one of the program', async () => {
  const names = new Set((await buildIdle()).commands.map((command) => command.name()));
  const named = Object.values(runbooks).flatMap((text) => [...text.matchAll(/`actcore ([a-z]+)/g)]);
  expect(named.length).toBeGreaterThan(20);
  for (const [, name = ''] of named) expect([name, names.has(name)]).toEqual([name, true]);
});

it.each([
  ['frobnicate', /unknown command/],
  ['audit --fixx', /unknown option/],
  ['rollout --build-id', /argument missing/],
  ['cutover revert --from local-timer', /missing required argument/],
  ['rebuild', /required option/],
])('and would not understand: actcore %s', async (text, says) => {
  const [name = '', ...rest] = text.split(' ');
  const program = await buildIdle(name);
  await expect(program.parseAsync([name, ...rest], { from: 'user' })).rejects.toThrow(says);
});

it('what takes a kubelet or a container engine is marked as not run, and nothing else is', () => {
  const isBeyond = ({ words }: { words: string[] }) =>
    words[0] === 'docker' ||
    (words[0] === 'kubectl' && ['exec', 'logs', 'port-forward'].some((one) => words.includes(one)));
  for (const command of commands)
    expect([command.file, line(command.words), command.mark === 'not-run']).toEqual([
      ...[command.file, line(command.words)],
      isBeyond(command),
    ]);
});

it('every file of the project that a command names is there', () => {
  // A copy that a runbook has made stands for what it was made of.
  const copies = commands.filter(({ words }) => words[0] === 'cp').map(({ words }) => [words.at(-1)!, words.at(-2)!]);
  const named = commands.flatMap(({ file, words }) =>
    words
      .filter((word) => /^(?:k8s|test|docs|activity-definitions)(?:\/|$)/.test(word))
      .map((word) => ({ file, word })),
  );
  expect(named.length).toBeGreaterThan(10);
  const copied = new Map(copies.map(([to = '', from = '']) => [to, from]));
  for (const { file, word } of named)
    expect([file, word, existsSync(join(checkout, copied.get(word) ?? word))]).toEqual([file, word, true]);
});

it('every variable that is named is one that the product reads', () => {
  const read = ['activities', 'cli', 'dev', 'outside', 'worker']
    .flatMap((folder) =>
      readdirSync(join(checkout, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
    )
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(checkout, name), 'utf8'))
    .join('\n');
  const named = Object.values(runbooks).flatMap((text) => text.match(/\b(?:ACTCORE|TEMPORAL)_[A-Z_]*[A-Z]\b/g) ?? []);
  expect(new Set(named).size).toBeGreaterThan(8);
  for (const name of new Set(named)) expect([name, read.includes(`'${name}'`)]).toEqual([name, true]);
});

/** As code hosts make the anchor of a heading. */
const anchorsOf = (text: string) =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );

const pages = [
  ...Object.keys(runbooks).map((name) => `${runbookFolder}/${name}`),
  ...readdirSync(join(checkout, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'README.md',
];

it.each(pages)('the links of %s lead to a file, and to a heading of it', (page) => {
  const text = readFileSync(join(checkout, page), 'utf8').replaceAll(/^````?.*?^````?$/gms, '');
  const links = [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target = '']) => target);
  const isDead = (target: string) => {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? join(checkout, page) : join(checkout, dirname(page), path);
    if (!existsSync(file)) return true;
    return anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor);
  };
  expect(links.filter(isDead)).toEqual([]);
});
