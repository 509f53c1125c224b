import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { identifyProcess } from '../../dev/process-identity.ts';
import { takeProcessLock } from '../../dev/process-lock.ts';
import { openHistory } from '../../history/database.ts';
import { isUnreachable } from '../../history/database.ts';
import type { Entry } from '../../outside/entry.ts';
import { dropReports, flushSpool } from '../../outside/flush.ts';
import { SpoolProblem, nameOf, openSpool } from '../../outside/spool.ts';
import { findClosedPort } from '../cli/support/dead-ends.ts';
import { openTestHistory } from '../history/support/history.ts';
import type { TestHistory } from '../history/support/history.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { makeBench } from './support/bench.ts';
import type { Bench } from './support/bench.ts';

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());
afterEach(() => void vi.useRealTimers());

const gone = { pid: 1, startToken: 'of another time' };
const quarters = { sources: '{ local-timer: { cron: "*/15 * * * *" } }' };

/** The report of a command that has ended, by an exec that is gone. */
function makeEntry(bench: Bench, startedAt: string, changes: Partial<Entry> = {}): Entry {
  return {
    ...{ format: 1, reporterId: randomUUID(), definitionId: bench.activity.order.definition.id, source: 'local-timer' },
    ...{ actor: 'cron@host', host: hostname(), startedAt, exec: gone },
    end: {
      ...{ kind: 'command', finishedAt: new Date(Date.parse(startedAt) + 2_000).toISOString(), name: 'job' },
      ...{ exitCode: 0, signal: null, lockSkippedCodes: [] },
      output: { stdout: 'x'.repeat(20_000), stderr: '', stdoutBytes: 20_000, stderrBytes: 0 },
    },
    ...changes,
  };
}

const seen = async (bench: Bench) =>
  (await bench.rows()).map(({ scheduledAt, outcome, flags }) => [scheduledAt.slice(11, 16), outcome, flags.join(' ')]);

it('what waited comes into the history in its order, each as a row of its tick', async () => {
  const bench = makeBench(history.pool, quarters);
  bench.activity.toleranceMs = 60_000;
  for (const time of ['10:30:01', '10:00:01', '10:17:00', '10:45:03']) {
    bench.spool.add(makeEntry(bench, `2026-03-01T${time}.000Z`));
  }
  expect(await bench.flush()).toEqual({
    ...{ delivered: 4, vanished: 0, going: 0, unknown: {}, refused: [], broken: [], left: 0 },
  });
  expect(await seen(bench)).toEqual([
    ['10:45', 'completed', 'spooled'],
    ['10:30', 'completed', 'spooled'],
    ['10:15', 'completed', 'late spooled'],
    ['10:00', 'completed', 'spooled'],
  ]);
  expect(bench.spool.names()).toEqual([]);
});

it('what comes after a later tick was told is out of order, and what somebody starts by hand takes no tick', async () => {
  const bench = makeBench(history.pool, quarters);
  bench.activity.toleranceMs = 60_000;
  bench.spool.add(makeEntry(bench, '2026-03-01T10:15:01.000Z'));
  await bench.flush();
  bench.spool.add(makeEntry(bench, '2026-03-01T10:00:01.000Z'));
  bench.spool.add(makeEntry(bench, '2026-03-01T10:19:00.000Z'));
  await bench.flush();
  expect(await seen(bench)).toEqual([
    ['10:19', 'completed', 'between_ticks spooled'],
    ['10:15', 'completed', 'spooled'],
    ['10:00', 'completed', 'out_of_order spooled'],
  ]);
});

it('a report that was acknowledged and is told again is not repeated', async () => {
  const bench = makeBench(history.pool, quarters);
  const entry = makeEntry(bench, '2026-03-01T10:00:01.000Z');
  for (const _ of [1, 2, 3]) {
    bench.spool.add(structuredClone(entry));
    await bench.flush();
  }
  expect(await seen(bench)).toEqual([['10:00', 'completed', 'spooled']]);
});

it.each([
  ['ahead', 600_000],
  ['behind', -600_000],
])('a clock that is ten minutes %s is taken off, and the tick is that of the history', async (_, skewMs) => {
  const bench = makeBench(history.pool, { sources: '{ local-timer: { cron: "* * * * *" } }' });
  bench.activity.toleranceMs = 60_000;
  const trueMs = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: trueMs + skewMs, shouldAdvanceTime: true });
  const ended = await bench.exec(['true']);
  vi.useRealTimers();
  expect(ended).toMatchObject({ reported: { row: { flags: ['clock_off'] } } });
  const [row, ...others] = await bench.rows();
  expect(others).toEqual([]);
  expect(row?.reason).toMatch(
    /^true exited with 0; its clock was (599|60\d)(\.\d)? s (ahead|behind), which was taken off$/,
  );
  expect(Math.abs(Date.parse(row?.startedAt ?? '') - trueMs)).toBeLessThan(20_000);
  expect(Math.abs(Date.parse(row?.scheduledAt ?? '') - trueMs)).toBeLessThan(80_000);
});

it('what was written by a clock that has been set right since is not of the future', async () => {
  const bench = makeBench(history.pool, quarters);
  bench.spool.add(makeEntry(bench, new Date(Date.now() + 7_200_000).toISOString()));
  await bench.flush();
  const [row] = await bench.rows();
  expect(row?.flags).toEqual(['clock_off', 'spooled']);
  expect(Date.parse(row?.startedAt ?? '')).toBeLessThan(Date.now() + 10_000);
});

it('a file that was cut in half is set aside by its name, and the rest is delivered', async () => {
  const bench = makeBench(history.pool, quarters);
  const entries = ['10:00:01', '10:15:01', '10:30:01'].map((time) => makeEntry(bench, `2026-03-01T${time}.000Z`));
  for (const entry of entries) bench.spool.add(entry);
  const [first = '', second = ''] = bench.spool.names();
  truncateSync(join(bench.spool.folder, first), 9_000);
  truncateSync(join(bench.spool.folder, second), 0);
  const report = await bench.flush();
  expect(report).toMatchObject({ delivered: 1, broken: [`${first}.broken`, `${second}.broken`] });
  expect(await bench.flush()).toMatchObject({ delivered: 0, broken: [`${first}.broken`, `${second}.broken`] });
  expect(await seen(bench)).toHaveLength(1);
});

it('an exec that is gone without a word is an error that nobody witnessed; what it left running is waited for', async () => {
  const bench = makeBench(history.pool, quarters);
  const own = identifyProcess(process.pid);
  const { end: _, ...begun } = makeEntry(bench, '2026-03-01T10:00:01.000Z');
  const { end: __, ...orphaned } = makeEntry(bench, '2026-03-01T10:15:01.000Z');
  const { end: ___, ...alive } = makeEntry(bench, '2026-03-01T10:30:01.000Z');
  const { end: ____, ...foreign } = makeEntry(bench, new Date().toISOString(), { host: 'another-machine' });
  bench.spool.add(begun);
  bench.spool.add({ ...orphaned, ...(own && { command: own }) });
  bench.spool.add({ ...alive, ...(own && { exec: own }) });
  bench.spool.add({ ...foreign, hardTimeoutMs: 60_000 });
  expect(await bench.flush()).toMatchObject({ delivered: 1, vanished: 1, going: 3 });
  const rows = await bench.rows();
  expect(rows.map(({ outcome, certainty }) => [outcome, certainty])).toEqual([
    [null, 'running'],
    [null, 'running'],
    ['automation_error', 'inferred'],
  ]);
  expect(rows[2]?.reason).toBe(
    'exec (pid 1) was killed, or could not keep how its command ended: whether that did its work is unknown',
  );
  bench.spool.update({ ...orphaned, command: gone });
  expect(await bench.flush()).toMatchObject({ delivered: 1, vanished: 1, going: 2 });
});

it('reports of a definition that is not known are kept, and delivered once it is', async () => {
  const bench = makeBench(history.pool, quarters);
  bench.spool.add(makeEntry(bench, '2026-03-01T10:00:01.000Z', { definitionId: 'test.unknown' }));
  bench.spool.add(makeEntry(bench, '2026-03-01T10:15:01.000Z'));
  expect(await bench.flush()).toMatchObject({ delivered: 1, unknown: { 'test.unknown': 1 } });
  expect(bench.spool.names()).toHaveLength(1);
});

it('a history that is away in the middle of it keeps what it did not get', async () => {
  const bench = makeBench(history.pool, quarters);
  const { port } = await findClosedPort();
  bench.spool.add(makeEntry(bench, '2026-03-01T10:00:01.000Z'));
  const pool = openHistory(`postgres://u:p@127.0.0.1:${port}/x`);
  const error: unknown = await bench.flush(pool).catch((failure: unknown) => failure);
  expect(isUnreachable(error)).toBe(true);
  expect(await bench.flush()).toMatchObject({ delivered: 1 });
});

it('one flusher is at it at a time', async () => {
  const bench = makeBench(history.pool, quarters);
  const lock = takeProcessLock(join(bench.spool.folder, 'flush.lock'));
  const delivery = { pool: history.pool, resolve: () => Promise.resolve(bench.activity), keepPlace: () => {} };
  expect(await flushSpool(bench.spool, delivery)).toMatchObject({ holder: { pid: process.pid } });
  if (lock.taken) lock.release();
  expect(await flushSpool(bench.spool, delivery)).toMatchObject({ delivered: 0 });
});

it('a full spool takes no more reports, counts them, and the next one that is told tells of it', async () => {
  const bench = makeBench(history.pool, quarters);
  const spool = openSpool(bench.spool.folder, { entries: 2, bytes: 1_000_000 });
  for (const time of ['10:00:01', '10:15:01']) spool.add(makeEntry(bench, `2026-03-01T${time}.000Z`));
  for (const time of ['10:30:01', '10:45:01', '11:00:01']) {
    expect(() => spool.add(makeEntry(bench, `2026-03-01T${time}.000Z`))).toThrow(SpoolProblem);
    spool.noteDropped();
  }
  expect(spool.countDropped()).toBe(3);
  await bench.flush();
  const reasons = (await bench.rows()).map(({ reason }) => reason);
  expect(reasons).toEqual([
    'job exited with 0',
    'job exited with 0; 3 reports before it were lost: the history was away, and the spool had no room',
  ]);
  expect(spool.countDropped()).toBe(0);
});

it('where all together take too much the details of the oldest go, and no report does', async () => {
  const bench = makeBench(history.pool, quarters);
  const spool = openSpool(bench.spool.folder, { entries: 99, bytes: 60_000 });
  const times = ['10:00:01', '10:15:01', '10:30:01', '10:45:01'];
  for (const time of times) {
    const entry = makeEntry(bench, `2026-03-01T${time}.000Z`);
    spool.add(entry);
    spool.update(entry);
  }
  const kept = spool.names().map((name) => spool.read(name)?.end);
  expect(kept.map((end) => end !== undefined && 'output' in end)).toEqual([false, false, true, true]);
  expect(await bench.flush()).toMatchObject({ delivered: 4, broken: [] });
});

it('a folder that cannot be made is said so', () => {
  const file = join(makeTempFolder(), 'file');
  writeFileSync(file, '');
  expect(() => openSpool(join(file, 'spool'))).toThrow(/the spool \S+ cannot be made: ENOTDIR/);
});

it('a spool that is a file is said so', () => {
  const file = join(makeTempFolder(), 'file');
  writeFileSync(file, '');
  expect(() => openSpool(file)).toThrow(/the spool \S+ cannot be used: ENOTDIR/);
});

it.runIf(process.platform === 'linux')('a place where no folder can be made is said so, and soon', () => {
  expect(() => openSpool('/proc/actcore/spool')).toThrow(/the spool \S+ cannot be made: ENOENT/);
});

it('what is thrown away is all of one definition, but for runs that go on', () => {
  const bench = makeBench(history.pool);
  const { definitionId, end: _, ...vanished } = makeEntry(bench, '2026-03-01T10:00:00.000Z');
  const own = identifyProcess(process.pid);
  const going = { ...vanished, definitionId, reporterId: randomUUID(), ...(own && { exec: own }) };
  bench.spool.add(makeEntry(bench, '2026-03-01T10:15:00.000Z'));
  bench.spool.add({ ...vanished, definitionId });
  bench.spool.add(going);
  bench.spool.add(makeEntry(bench, '2026-03-01T10:30:00.000Z', { definitionId: 'test.other' }));
  expect(dropReports(bench.spool, definitionId)).toBe(2);
  const left = bench.spool.names().map((name) => bench.spool.read(name));
  expect(left).toMatchObject([{ reporterId: going.reporterId }, { definitionId: 'test.other' }]);
});

const isRootOnLinux = process.platform === 'linux' && process.getuid?.() === 0;

describe.runIf(isRootOnLinux)('on a disk that is full', () => {
  const mounted: string[] = [];

  afterAll(async () => {
    for (const folder of mounted) await execa('umount', ['--lazy', folder]);
  });

  /** A spool on a disk of 256 KiB; undefined where this machine may mount none. */
  async function mountSmallDisk(bench: Bench) {
    const folder = makeTempFolder();
    const { exitCode } = await execa('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], { reject: false });
    if (exitCode !== 0) return undefined;
    mounted.push(folder);
    bench.spool = openSpool(join(folder, 'spool'));
    const fill = () => execa('dd', ['if=/dev/zero', `of=${join(folder, 'filler')}`, 'bs=4k'], { reject: false });
    return { folder, fill };
  }

  it('the command runs, the end finds room where the start was, and the row is told of', async ({ skip }) => {
    const bench = makeBench(history.pool);
    const disk = await mountSmallDisk(bench);
    if (disk === undefined) return skip('this machine mounts nothing');
    const { port } = await findClosedPort();
    bench.pool = openHistory(`postgres://u:p@127.0.0.1:${port}/x`);
    const script = `dd if=/dev/zero of=${disk.folder}/filler bs=4k 2>/dev/null; head -c 60000 /dev/zero | tr '\\0' x; exit 3`;
    const ended = await bench.exec(['sh', '-c', script]);
    expect(ended).toMatchObject({ result: { exitCode: 3 }, reported: { missing: 'away' } });
    expect(ended).toMatchObject({ isKept: true, faults: [] });
    const [name = ''] = bench.spool.names();
    const entry = bench.spool.read(name);
    expect(entry?.end).toMatchObject({ exitCode: 3 });
    expect(entry?.end).not.toHaveProperty('output');
    const path = join(bench.spool.folder, name);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"startToken":"[^"]*"/g, '"startToken":"gone"'), {
      flag: 'r+',
    });
    expect(await bench.flush()).toMatchObject({ delivered: 1, broken: [] });
    expect(await bench.rows()).toMatchObject([{ outcome: 'automation_error', reason: 'sh exited with 3' }]);
  });

  it('details of older ones make room, and where there is none at all the command runs and it is said', async ({
    skip,
  }) => {
    const bench = makeBench(history.pool);
    const disk = await mountSmallDisk(bench);
    if (disk === undefined) return skip('this machine mounts nothing');
    // Of another source, so that they are not told of before the command has ended, which would make room.
    const old = makeEntry(bench, '2026-03-01T10:00:01.000Z', { source: 'other-timer' });
    bench.spool.add(old);
    await disk.fill();
    const young = makeEntry(bench, '2026-03-02T10:00:01.000Z', { source: 'other-timer' });
    bench.spool.add(young);
    expect(bench.spool.read(nameOf(old))?.end).not.toHaveProperty('output');
    expect(existsSync(join(bench.spool.folder, nameOf(young)))).toBe(true);
    await disk.fill();
    for (const name of readdirSync(bench.spool.folder)) expect(name).not.toContain('draft');
    const ended = await bench.exec(['sh', '-c', 'echo ran']);
    expect(ended).toMatchObject({ result: { exitCode: 0 }, reported: { row: { outcome: 'completed' } } });
    expect(bench.stdout.toString()).toBe('ran\n');
    expect(ended).toMatchObject({
      isKept: false,
      faults: [expect.stringContaining('ENOSPC'), expect.stringContaining('ENOSPC')],
    });
    expect(bench.spool.countDropped()).toBe(0);
    const { port } = await findClosedPort();
    bench.pool = openHistory(`postgres://u:p@127.0.0.1:${port}/x`);
    expect(await bench.exec(['sh', '-c', 'exit 3'])).toMatchObject({ result: { exitCode: 3 }, isKept: false });
    expect(bench.spool.countDropped()).toBe(1);
  });
});
