import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { buildProgram } from '../../cli/program.ts';
import { checkout } from '../support/program.ts';
import { runActcore, writeFolder } from './support/actcore.ts';

const program = await buildProgram(new AbortController().signal);

/** What is wrong with a command line that somebody is told to type; nothing where it can be typed. */
function findFault(line: string): string | undefined {
  let command: Command = program;
  const words = line.split(/\s+/).slice(1);
  for (let inner = find(command, words[0]); inner !== undefined; inner = find(command, words[0])) {
    command = inner;
    words.shift();
  }
  if (command === program) return `there is no command ${words[0]}`;
  const end = words.indexOf('--');
  const given = (end === -1 ? words : words.slice(0, end)).filter((word) => word.startsWith('--'));
  const unknown = given.find((word) => command.options.every(({ long }) => long !== word));
  const missing = command.options.find(({ mandatory, long }) => mandatory && !given.includes(long ?? ''));
  if (unknown !== undefined) return `${command.name()} has no ${unknown}`;
  return missing === undefined ? undefined : `${command.name()} needs ${missing.long}`;
}

const find = (command: Command, name: string | undefined) => command.commands.find((one) => one.name() === name);

it('an imported definition advises commands that can be typed as they stand', async () => {
  const crontab = '*/5 * * * * curl -fsS https://hub.example.org/sweep\n0 4 * * * /opt/backup/run.sh\n';
  const cwd = writeFolder({ crontab });
  expect(await runActcore(['import', 'crontab', 'crontab', '--prefix', 'ops'], { cwd })).toMatchObject({ exitCode: 0 });
  for (const name of ['sweep', 'backup-run']) {
    const text = readFileSync(join(cwd, `activity-definitions/ops.${name}.md`), 'utf8');
    const advised = [...text.matchAll(/`(actcore [^`]+)`|(actcore exec .+)/g)].map(
      ([, code, line]) => code ?? line ?? '',
    );
    expect(advised.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      ...['actcore apply', 'actcore exec', 'actcore canary', 'actcore apply'],
      ...['actcore compare', 'actcore cutover', 'actcore cutover'],
    ]);
    for (const line of advised) expect([line, findFault(line)]).toEqual([line, undefined]);
  }
});

it('the guide types commands that there are', () => {
  const text = readFileSync(join(checkout, 'docs/migrating.md'), 'utf8');
  const typed = [...text.matchAll(/^\$ (?:.*\| )?(actcore .+)$/gm)].map(([, line = '']) => line);
  expect(typed.length).toBeGreaterThan(10);
  for (const line of typed) expect([line, findFault(line)]).toEqual([line, undefined]);
});
