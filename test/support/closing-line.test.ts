import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { makeTempFolder } from './temp-folder.ts';

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const reporter = join(import.meta.dirname, 'closing-line.ts');
const green = "it('a', () => {}); it('b', () => {}); it.skip('c', () => {}); it.todo('d');";

/** Runs these files as a suite of their own; the last line of the output and the exit code. */
function runSuite(files: Record<string, string>, setup = ''): { last: string | undefined; status: number | null } {
  const root = makeTempFolder();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
  if (setup !== '') writeFileSync(join(root, 'setup.mjs'), setup);
  const test = { globals: true, reporters: ['default', reporter], globalSetup: setup === '' ? [] : ['./setup.mjs'] };
  writeFileSync(join(root, 'vitest.config.mjs'), `export default { test: ${JSON.stringify(test)} };`);
  const args = [vitest, 'run', '--root', root];
  const { stdout, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { last: stdout.trimEnd().split('\n').at(-1), status };
}

it.for<[string, Record<string, string>, string, string, number]>([
  ['counts tests, not files', { 'a.test.js': green }, '', '2 passed, 0 failed, 2 skipped', 0],
  ['counts failures', { 'a.test.js': `${green} it('e', () => { throw 1; });` }, '', '2 passed, 1 failed, 2 skipped', 1],
  [
    'counts a file that does not load',
    { 'a.test.js': green, 'b.test.js': 'boom(' },
    '',
    '2 passed, 1 failed, 2 skipped',
    1,
  ],
  [
    'counts a hook that fails',
    { 'a.test.js': `describe('s', () => { beforeAll(() => { throw 1; }); it('x', () => {}); });` },
    '',
    '0 passed, 1 failed, 1 skipped',
    1,
  ],
  [
    'counts an unhandled error',
    {
      'a.test.js':
        "it('a', () => { setTimeout(() => { throw new Error('late'); }, 5); return new Promise((r) => setTimeout(r, 50)); });",
    },
    '',
    '1 passed, 1 failed, 0 skipped',
    1,
  ],
  [
    'counts a failed set-up',
    { 'a.test.js': green },
    'export default () => { throw new Error("no"); };',
    '0 passed, 1 failed, 0 skipped',
    1,
  ],
  ['counts an empty suite as red', {}, '', '0 passed, 1 failed, 0 skipped', 1],
])('%s', ([, files, setup, last, status]) => {
  expect(runSuite(files, setup)).toEqual({ last, status });
});
