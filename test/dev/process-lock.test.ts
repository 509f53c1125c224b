import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { identifyProcess, isRunning } from '../../dev/process-identity.ts';
import { readLockHolder, takeProcessLock } from '../../dev/process-lock.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

it('names a running process by pid and start, and forgets it when it has ended', async () => {
  const child = spawn('sleep', ['60']);
  const identity = identifyProcess(child.pid ?? 0);
  expect(identity?.pid).toBe(child.pid);
  expect(isRunning(identity!)).toBe(true);
  expect(isRunning({ ...identity!, startToken: identifyProcess(process.pid)!.startToken })).toBe(false);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isRunning(identity!)).toBe(false);
});

it.runIf(process.platform === 'linux')('takes a zombie for ended', async () => {
  const script = 'sleep 0.5 & echo $!; exec sleep 5';
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2]).toBe('Z');
  expect(identifyProcess(pid)).toBeUndefined();
  parent.kill('SIGKILL');
});

it('gives the lock to one holder and tells the other who has it', () => {
  const path = join(makeTempFolder(), 'a.lock');
  const first = takeProcessLock(path);
  expect(first.taken).toBe(true);
  const second = takeProcessLock(path);
  expect(second).toMatchObject({ taken: false, holder: { pid: process.pid } });
  if (first.taken) first.release();
  expect(readLockHolder(path)).toBeUndefined();
  expect(takeProcessLock(path).taken).toBe(true);
});

it.for([
  ['of an ended process', { pid: 999_999_999, startToken: 'x', since: '2020-01-01T00:00:00Z' }],
  [
    'whose pid now belongs to another process',
    { pid: process.pid, startToken: 'older', since: '2020-01-01T00:00:00Z' },
  ],
  ['that holds no record', 'half a li'],
])('takes over a lock %s', ([, content]) => {
  const folder = makeTempFolder();
  const path = join(folder, 'a.lock');
  writeFileSync(path, JSON.stringify(content));
  expect(takeProcessLock(path).taken).toBe(true);
  expect(readLockHolder(path)?.pid).toBe(process.pid);
  expect(readdirSync(folder)).toEqual(['a.lock']);
});
