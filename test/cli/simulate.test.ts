import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeDefinition } from '../support/definitions.ts';
import type { Frontmatter } from '../support/definitions.ts';
import { readActcore, runActcore, writeFolder } from './support/actcore.ts';

const golden = join(import.meta.dirname, '../golden/simulate');

/** Compares with the golden file, or writes it under UPDATE_GOLDEN=1. */
function expectGolden(name: string, text: string): void {
  const file = join(golden, `${name}.txt`);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(golden, { recursive: true });
    writeFileSync(file, `${text}\n`);
  }
  expect(existsSync(file), `${file} is missing: run with UPDATE_GOLDEN=1`).toBe(true);
  expect(`${text}\n`).toBe(readFileSync(file, 'utf8'));
}

function folderOf(keys: Frontmatter): string {
  return writeFolder({ 'a.md': writeDefinition('test.nightly', keys) });
}

const everyTen = {
  schedule: '{ cron: "*/10 * * * *", timezone: Europe/Berlin, dst: both }',
  budget: '{ max_seconds: 300 }',
};
const night = ['simulate', 'a.md', '--from', '2026-11-21T02:30', '--to', '04:00', '--runtime', '310s'];

it.each<[name: string, keys: Frontmatter, args: string[]]>([
  ['server', { ...everyTen, misfire_grace: '10m' }, [...night, '--outage', '02:50-03:25']],
  ['server-run-once', { ...everyTen, misfire_policy: 'run_once' }, [...night, '--outage', '02:50-03:25']],
  ['worker', everyTen, [...night, '--outage', '02:45-03:25', '--outage-of', 'worker']],
  [
    'two-outages',
    { schedule: '{ every: 15m, jitter: 30s }', misfire_policy: 'run_once', enabled: 'false' },
    [
      ...['simulate', 'a.md', '--from', '2026-11-21T23:00', '--to', '+2h30m', '--outage-of', 'worker'],
      ...['--outage', '2026-11-21T23:10-23:32', '--outage', '00:10-00:20', '--runtime', '50s'],
    ],
  ],
  ['clock-change', everyTen, ['simulate', 'a.md', '--from', '2026-10-25T01:40', '--to', '2026-10-25T03:30']],
  ['no-tick', { schedule: '{ cron: "0 0 1 1 *" }' }, ['simulate', 'a.md', '--from', '2026-11-21', '--to', '+1d']],
])('the table of %s is as it is kept', async (name, keys, args) => {
  const { exitCode, stdout, stderr } = await runActcore(args, { cwd: folderOf(keys) });
  expect(exitCode).toBe(0);
  expectGolden(name, stderr === '' ? stdout : `${stdout}\n\non stderr:\n${stderr}`);
});

it('the table in the docs is what is printed', async () => {
  const docs = readFileSync(join(import.meta.dirname, '../../docs/definitions.md'), 'utf8');
  const [, args = '', table = ''] = /^\$ actcore (simulate .*)\n([^`]*)^```$/m.exec(docs) ?? [];
  const keys = { schedule: '{ cron: "*/10 * * * *" }', misfire_grace: '5m', budget: '{ max_seconds: 300 }' };
  const cwd = writeFolder({ 'hub-sweep.md': writeDefinition('team.hub-sweep', keys) });
  const { stdout } = await runActcore(args.split(' '), { cwd });
  expect(`${stdout}\n`).toBe(table);
});

it('--json says the same: each tick with its fate, times in UTC, and the summary', async () => {
  const args = [...night, '--outage', '02:45-03:25', '--outage-of', 'worker'];
  const { document, exitCode } = await readActcore<{ ticks: unknown[] }>(args, { cwd: folderOf(everyTen) });
  expect(exitCode).toBe(0);
  expect(document).toMatchObject({
    definition: 'test.nightly',
    timezone: 'Europe/Berlin',
    from: '2026-11-21T01:30:00.000Z',
    to: '2026-11-21T03:00:00.000Z',
    runtimeMs: 310_000,
    policy: { misfirePolicy: 'skip', misfireGraceMs: 60_000, catchupWindowMs: 120_000, hardTimeoutMs: 360_000 },
    outages: [{ of: 'worker', from: '2026-11-21T01:45:00.000Z', to: '2026-11-21T02:25:00.000Z' }],
    summary: { ticks: 9, ran: 4, overlap_skipped: 4, cancelled: 1 },
  });
  expect(document.ticks).toHaveLength(9);
  expect(document.ticks[1]).toEqual({
    tick: '2026-11-21T01:40:00.000Z',
    fate: 'cancelled',
    startedAt: '2026-11-21T01:40:00.000Z',
    endedAt: '2026-11-21T01:45:03.000Z',
    reason: 'the worker was stopped while it was at work, and gives a run 3s to end',
  });
  expect(document.ticks[3]).toEqual({
    tick: '2026-11-21T02:00:00.000Z',
    fate: 'overlap_skipped',
    startedAt: null,
    endedAt: null,
    reason: 'the run of 2026-11-21 02:40:00+01:00 was still open',
  });
});

it('left to itself it simulates a day from now', async () => {
  const before = Date.now();
  const { document } = await readActcore<{ from: string; to: string; ticks: { fate: string }[] }>(
    ['simulate', 'a.md'],
    { cwd: folderOf({ schedule: '{ every: 1h }' }) },
  );
  expect(Math.abs(Date.parse(document.from) - before)).toBeLessThan(20_000);
  expect(Date.parse(document.to) - Date.parse(document.from)).toBe(86_400_000);
  expect(document.ticks.map(({ fate }) => fate)).toEqual(Array.from({ length: 24 }, () => 'ran'));
});

describe('what is wrong is refused with what is allowed', () => {
  it.each<[string[], RegExp]>([
    [['--from', 'yesterday'], /^error: --from yesterday is not a time\n {2}Allowed: now, 02:50, 2026-03-29, .*\.$/],
    [['--to', '26:00'], /^error: --to 26:00 is not a time\n {2}Allowed: now, .*such as \+24h or \+7d\.$/],
    [
      ['--from', '2026-01-02', '--to', '2026-01-01'],
      /^error: the simulation ends before it begins: .*\n {2}Name a --to/,
    ],
    [['--outage', '3am-4am'], /^error: --outage 3am-4am is not a span of time\n {2}Allowed: 02:50-03:20 or /],
    [['--outage', '2020-01-01T02:00-03:00'], /is outside of the simulation\n {2}It runs from 20/],
    [['--outage-of', 'database'], /Allowed choices are server, worker\./],
    [['--runtime', '5'], /Expected a span such as 800ms, 310s or 5m10s\./],
    [
      ['--from', '2026-01-01', '--to', '2029-03-01'],
      /^error: more than 100000 ticks, .*\n {2}Allowed: at most 100000 ticks; a --to of 2028-11-07 16:00:00Z or before/,
    ],
  ])('%j', async (args, says) => {
    const cwd = folderOf({ schedule: '{ cron: "*/15 * * * *" }' });
    const { exitCode, stdout, stderr } = await runActcore(['simulate', 'a.md', ...args], { cwd });
    expect(stderr).toMatch(says);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  });

  it('a file with problems, with each of them; and a folder of two', async () => {
    const faulty = await runActcore(['simulate', 'a.md'], { cwd: folderOf({ misfire_grace: 'soon' }) });
    expect(faulty).toMatchObject({ exitCode: 1, stdout: '' });
    expect(faulty.stderr).toMatch(/^a\.md:\d+:\d+: /);
    const cwd = writeFolder({ 'a.md': writeDefinition('test.a'), 'b.md': writeDefinition('test.b') });
    const { exitCode, stderr } = await runActcore(['simulate', '.'], { cwd });
    expect(exitCode).toBe(1);
    expect(stderr).toBe('error: . holds 2 definitions\n  Name one file: they are simulated one by one.');
  });
});

it('100,000 ticks take seconds', async () => {
  const cwd = folderOf({ schedule: '{ cron: "*/15 * * * *", timezone: Europe/Berlin, dst: both }' });
  const args = ['simulate', 'a.md', '--from', '2026-01-01', '--to', '2028-11-07', '--outage', '2026-03-01T02:50-03:20'];
  const { stdout, exitCode, tookMs } = await runActcore(args, { cwd });
  expect(exitCode).toBe(0);
  expect(stdout.split('\n').at(-1)).toMatch(
    /^99\d{3} ticks from 2026-01-01 00:00:00\+01:00 to 2028-11-07 00:00:00\+01:00: /,
  );
  expect(tookMs).toBeLessThan(40_000);
}, 60_000);
