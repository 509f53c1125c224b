import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readCrontabLine, splitPercent } from '../../importers/crontab-line.ts';
import { wrapCrontabCommand } from '../../importers/exec-wrapping.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const folder = makeTempFolder();
/** Runs what stands behind `--`, as exec does, and says that it did. */
const program = join(folder, 'report');
writeFileSync(program, '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\necho reported >&2\nexec "$@"\n');
chmodSync(program, 0o755);

/** Runs a line as cron does: the shell gets what stands before the first `%`, and the rest comes on its input. */
function runAsCron(raw: string): { stdout: string; stderr: string } {
  const entry = readCrontabLine(raw, 1, { isSystem: false });
  if (entry === undefined || !('command' in entry)) throw new Error(`no entry: ${raw}`);
  const { line, stdin = '' } = splitPercent(entry.command);
  const script = `exec 2>"${folder}/stderr"; ${line}`;
  const options = { cwd: folder, input: stdin, env: { PATH: process.env['PATH'] ?? '', NAME: 'value of it' } };
  const stdout = execFileSync('/bin/sh', ['-c', script], options).toString();
  return { stdout, stderr: execFileSync('cat', [join(folder, 'stderr')]).toString() };
}

it.each([
  'echo plain words',
  `printf '<%s>' "two words" 'a'"b" \\; "$NAME" $NAME`.replaceAll('%', '\\%'),
  'echo one && echo two; echo three',
  'echo a | tr a b',
  `NAME='other one' sh -c 'echo "$NAME"'`,
  `echo "it's" 'say "hi"' | cat`,
  'cd / && pwd',
  '( echo in a subshell ) 2>&1',
  'echo $(printf \\%s inner) `echo old`',
  'cat%first line%second line',
  'cat | tr a-z A-Z%shout%it',
  'echo 50\\% done',
  'echo kept > out && cat out',
  'test -d / || echo never',
  'for each in 1 2; do echo $each; done',
  'echo "a;b" c#d # a comment',
])('%s does the same behind exec, in one run', (command) => {
  const raw = `0 4 * * * ${command}`;
  const entry = readCrontabLine(raw, 1, { isSystem: false });
  const wrapped = entry && 'command' in entry ? wrapCrontabCommand(entry, [program, 'exec', '--']) : '';
  expect(runAsCron(raw).stderr).not.toContain('reported');
  const { stdout, stderr } = runAsCron(wrapped);
  expect(stdout).toBe(runAsCron(raw).stdout);
  expect(stderr.match(/reported/g)).toHaveLength(1);
});
