import { spawnSync } from 'node:child_process';
import { execa } from 'execa';
import { beforeAll, expect, it } from 'vitest';
import { writeDefinition } from '../support/definitions.ts';
import { runActcore, writeFolder } from './support/actcore.ts';

const scripts: Record<string, string> = {};

beforeAll(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    scripts[shell] = (await runActcore(['completion', shell])).stdout;
  }
});

const folder = writeFolder({
  'activity-definitions/a.md': writeDefinition('test.alpha'),
  'activity-definitions/sub/b.md': writeDefinition('test.beta'),
  'notes.md': 'x',
});

/** What bash offers for the last of these words. */
async function complete(...words: string[]): Promise<string[]> {
  const line = `
    set -u
    ${scripts['bash']}
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
    COMP_CWORD=${words.length - 1}
    COMP_LINE="\${COMP_WORDS[*]}" COMP_POINT=\${#COMP_LINE}
    _actcore
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await execa('bash', ['--norc', '-c', line], { cwd: folder });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((word) => word !== '');
}

it.each<[string[], string[]]>([
  [['actcore', 'can'], ['canary']],
  [['actcore', 'pl'], ['plan']],
  [['actcore', 'help', 'res'], ['resume']],
  [
    ['actcore', 'show', ''],
    ['test.alpha', 'test.beta'],
  ],
  [['actcore', 'pause', 'test.b'], ['test.beta']],
  [['actcore', 'runs', '--si'], ['--since']],
  [['actcore', 'runs', '--since', ''], []],
  [['actcore', 'runs', 'test.a'], ['test.alpha']],
  [['actcore', 'canary', 'test.a'], ['test.alpha']],
  [['actcore', 'canary', 'no'], ['notes.md']],
  [['actcore', 'canary', '--definitions', 'act'], ['activity-definitions']],
  [['actcore', 'apply', 'act'], ['activity-definitions']],
  [['actcore', 'completion', 'z'], ['zsh']],
  [
    ['actcore', 'new', ''],
    ['sweep', 'watchdog'],
  ],
  [['actcore', 'new', 'w'], ['watchdog']],
  [['actcore', 'new', 'sweep', 'x', '--dir', 'act'], ['activity-definitions']],
  [['actcore', 'lint', '--format', 'g'], ['github']],
  [
    ['actcore', 'findings', ''],
    ['retry', 'show', 'test.alpha', 'test.beta'],
  ],
  [['actcore', 'findings', 'retry', 'x', '--a'], ['--all']],
  [['actcore', 'findings', '--state', 'q'], ['quarantined']],
  [['actcore', 'simulate', '--outage-of', 'w'], ['worker']],
  [['actcore', 'export', 'j'], ['journal']],
  [['actcore', 'export', 'runs', '--to', 'no'], ['notes.md']],
  [['actcore', 'export', 'runs', '--format', 'p'], ['parquet']],
  [['actcore', 'errors', 'test.a'], ['test.alpha']],
  [['actcore', 'compare', 'test.b'], ['test.beta']],
  [
    ['actcore', 'cutover', ''],
    ['check', 'confirm', 'revert', 'status', 'test.alpha', 'test.beta'],
  ],
  [
    ['actcore', 'cutover', 'confirm', 'x', '--f'],
    ['--force', '--from'],
  ],
  [
    ['actcore', 'import', 'cr'],
    ['cronjob', 'crontab'],
  ],
  [['actcore', 'import', 'crontab', 'no'], ['notes.md']],
  [['actcore', 'import', 'crontab', '--cron', 'v'], ['vixie']],
  [['actcore', 'import', 'systemd', '--to', 'act'], ['activity-definitions']],
])('bash completes %j to %j', async (words, expected) => {
  expect((await complete(...words)).sort()).toEqual(expected);
});

it('all commands are offered at first', async () => {
  const offered = await complete('actcore', '');
  expect(offered).toEqual(expect.arrayContaining(['lint', 'plan', 'apply', 'canary', 'doctor', 'migrate', 'help']));
});

it('outside of a checkout there are no ids, and no error', async () => {
  const words = `${scripts['bash']}\nCOMP_WORDS=(actcore show ''); COMP_CWORD=2; _actcore; echo "[\${COMPREPLY[*]}]"`;
  const { stdout, stderr } = await execa('bash', ['--norc', '-c', words], { cwd: writeFolder({}) });
  expect({ stdout, stderr }).toEqual({ stdout: '[]', stderr: '' });
});

const hasShell = (shell: string) => spawnSync(shell, ['--version']).status === 0;

it.each(['zsh', 'fish'])('%s can read its script', async (shell) => {
  expect(scripts[shell]).toContain('canary');
  if (!hasShell(shell)) return;
  const { exitCode, stderr } = await execa(shell, ['-n'], { input: scripts[shell] ?? '', reject: false });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});
