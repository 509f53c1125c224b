import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openHistory } from '../../history/database.ts';
import { describeGroup } from '../../outside/process-group.ts';
import { findClosedPort, openSilentPort } from '../cli/support/dead-ends.ts';
import { openTestHistory } from '../history/support/history.ts';
import type { TestHistory } from '../history/support/history.ts';
import { eventually } from '../support/eventually.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { makeBench } from './support/bench.ts';
import type { Bench } from './support/bench.ts';

let history: TestHistory;

beforeAll(async () => {
  history = await openTestHistory();
});

afterAll(() => history.close());

const sh = (script: string) => ['sh', '-c', script];
const node = (script: string) => [process.execPath, '-e', script];

/** A history at an address where nobody is. */
async function openAway() {
  const { port } = await findClosedPort();
  return openHistory(`postgres://u:p@127.0.0.1:${port}/x`);
}

/** What the row keeps of the command. */
function outputOf({ response }: { response: string | null }) {
  return JSON.parse(response ?? 'null') as Record<string, unknown> & { stdout: string; stderr: string };
}

it('a command that exits with 0 is one row that completed, with what it printed', async () => {
  const bench = makeBench(history.pool);
  const ended = await bench.exec(sh('echo one; echo two >&2'));
  expect(ended).toMatchObject({
    kind: 'ran',
    result: { exitCode: 0, signal: null },
    reported: { row: { isOwn: true } },
  });
  expect(ended).toMatchObject({ isKept: true, faults: [] });
  expect([bench.stdout.toString(), bench.stderr.toString()]).toEqual(['one\n', 'two\n']);
  const [row, ...others] = await bench.rows();
  expect(others).toEqual([]);
  expect(row).toMatchObject({
    ...{ source: 'local-timer', trigger: 'external', outcome: 'completed', assessment: 'none', exitCode: 0 },
    ...{ reason: 'sh exited with 0', actor: 'cron@host', certainty: 'witnessed' },
  });
  expect(row && outputOf(row)).toEqual({
    ...{ exit_code: 0, signal: null, stdout: 'one\n', stdout_bytes: 4, stderr: 'two\n', stderr_bytes: 4 },
  });
  expect(bench.spool.names()).toEqual([]);
});

it('the row says that it is running while it does, and the command knows its run', async () => {
  const bench = makeBench(history.pool);
  const gate = join(makeTempFolder(), 'gate');
  const running = bench.exec(sh(`env | grep ^ACTCORE_ | sort; while [ ! -e ${gate} ]; do sleep 0.05; done`), {
    env: { PATH: process.env['PATH'], OWN: '1' },
  });
  const [row] = await eventually(async () => {
    const rows = await bench.rows();
    return rows.length > 0 && rows;
  });
  expect(row).toMatchObject({ outcome: null, certainty: 'running' });
  writeFileSync(gate, '');
  await running;
  const [ended] = await bench.rows();
  expect(ended).toMatchObject({ outcome: 'completed', id: row?.id });
  const told = bench.stdout.toString();
  const expected = { MAX_SECONDS: '30', RUN_ID: ended?.id, SCHEDULED_AT: ended?.scheduledAt, SOURCE: 'local-timer' };
  expect(told).toBe(
    Object.entries(expected)
      .map(([name, value]) => `ACTCORE_${name}=${value}\n`)
      .join(''),
  );
});

it.each([
  [
    'with its last word on stderr',
    sh('echo first >&2; echo no such table >&2; exit 3'),
    'sh exited with 3: no such table',
    3,
  ],
  ['ended by a signal', sh('kill -KILL $$'), 'sh was ended by SIGKILL', null],
  ['not found', ['no-such-command-here'], 'no-such-command-here did not begin: command not found', 127],
  ['not executable', ['/etc/passwd'], 'passwd did not begin: permission denied: it cannot be executed', 126],
  ['a folder', ['/etc'], 'etc did not begin: permission denied: it cannot be executed', 126],
  ['no word at all', [''], ' did not begin: command not found', 127],
])('a command that fails, %s, is an automation error that says why', async (_, command, reason, exitCode) => {
  const bench = makeBench(history.pool);
  expect(await bench.exec(command)).toMatchObject({ result: { exitCode } });
  expect(await bench.rows()).toMatchObject([
    { outcome: 'automation_error', exitCode: 1, reason, certainty: 'witnessed' },
  ]);
});

it('an exit code that says that somebody else is at work is a lock skip', async () => {
  const bench = makeBench(history.pool);
  await bench.exec(sh('exit 75'), { lockSkippedCodes: [75] });
  expect(await bench.rows()).toMatchObject([
    { outcome: 'lock_skipped', exitCode: 0, reason: 'sh exited with 75, which says that somebody else is at work' },
  ]);
});

it('a command can open its output by its name, as scripts do', async () => {
  const bench = makeBench(history.pool);
  const script = 'set -e; echo out > /dev/stdout; echo err > /dev/stderr; echo both | tee /dev/stderr';
  expect(await bench.exec(sh(script))).toMatchObject({ result: { exitCode: 0 } });
  expect([bench.stdout.toString(), bench.stderr.toString()]).toEqual(['out\nboth\n', 'err\nboth\n']);
});

it('10 MB of any bytes pass as they are, and their end is kept as text', async () => {
  const bench = makeBench(history.pool);
  const file = join(makeTempFolder(), 'blob');
  const blob = Buffer.concat([randomBytes(10 * 1_048_576), Buffer.from('\0the end\xff', 'latin1')]);
  writeFileSync(file, blob);
  await bench.exec(['cat', file]);
  expect(bench.stdout.bytes.equals(blob)).toBe(true);
  const [row] = await bench.rows();
  const output = row && outputOf(row);
  expect(output).toMatchObject({ stdout_bytes: blob.length });
  expect(output?.stdout.endsWith('\uFFFDthe end\uFFFD')).toBe(true);
  expect(output?.stdout.length).toBeGreaterThan(40_000);
  expect(output?.stdout.length).toBeLessThanOrEqual(65_536);
});

it('secrets are in neither the row nor the spool: by their names, by their looks, and where the end of them is cut', async () => {
  const bench = makeBench(history.pool);
  const secret = `s3cret-${randomBytes(12).toString('hex')}`;
  const env = {
    PATH: process.env['PATH'],
    TARGET_TOKEN: secret,
    DB_URL: `postgres://u:pass-${secret}@h/d`,
    MY_API_KEY: `k-${secret}`,
    MASTER_KEY: 'opens-every-door',
    MYSQL_PWD: 'said-to-mysql',
  };
  // As long as what is looked at, so that one of them is cut by its start.
  const filler = `${secret} `.repeat(4_000);
  const script = `echo "${filler}"; echo token=abcdef123; echo Authorization: Bearer zzz.yyy; echo $DB_URL $MY_API_KEY $MASTER_KEY $MYSQL_PWD;
    echo AKIAABCDEFGHIJKLMNOP; echo $TARGET_TOKEN | base64 >&2; echo "cannot use $TARGET_TOKEN" >&2; exit 1`;
  const { port } = await findClosedPort();
  await bench.exec(sh(script), { env }, { delivery: { ...away(port), keepPlace: () => {} } });
  const [name = ''] = bench.spool.names();
  const spooled = readFileSync(join(bench.spool.folder, name), 'utf8');
  for (const part of [secret, secret.slice(-12), 'abcdef123', 'zzz.yyy', 'AKIAABC', 'every-door', 'to-mysql'])
    expect(spooled).not.toContain(part);
  expect(bench.stdout.toString()).toContain(secret);
  function away(at: number) {
    return { pool: openHistory(`postgres://u:p@127.0.0.1:${at}/x`), resolve: () => Promise.resolve(bench.activity) };
  }
  const entry = bench.spool.read(name);
  expect(entry?.end).toMatchObject({
    output: { stderr: expect.stringContaining('cannot use [redacted TARGET_TOKEN]') },
  });
});

it('a command that leaves a process behind does not hold exec, and the row says what was left', async () => {
  const bench = makeBench(history.pool);
  const pidFile = join(makeTempFolder(), 'pid');
  const startedMs = Date.now();
  const ended = await bench.exec(sh(`sleep 60 & echo $! > ${pidFile}; echo done`));
  const tookMs = Date.now() - startedMs;
  const pid = Number(readFileSync(pidFile, 'utf8'));
  process.kill(pid);
  expect(ended).toMatchObject({ result: { exitCode: 0, leftRunning: `sleep (pid ${pid})` } });
  expect(tookMs).toBeLessThan(30_000);
  expect(bench.stdout.toString()).toBe('done\n');
  expect(await bench.rows()).toMatchObject([
    { outcome: 'completed', reason: `sh exited with 0; it left running: sleep (pid ${pid})` },
  ]);
});

it('what is left in a session of its own is seen by the output that it holds', async () => {
  const bench = makeBench(history.pool);
  const pidFile = join(makeTempFolder(), 'pid');
  await bench.exec(
    sh(`setsid sh -c 'echo $$ > ${pidFile}; exec sleep 60' & while [ ! -s ${pidFile} ]; do sleep 0.05; done`),
  );
  process.kill(Number(readFileSync(pidFile, 'utf8')));
  const [row] = await bench.rows();
  expect(row?.reason).toBe(
    'sh exited with 0; it left running: a process outside its group, which holds its output open',
  );
});

it.each([
  ['ends by TERM', 'sleep 60', false],
  ['does not hear of TERM', "trap '' TERM; sleep 60 & wait; sleep 60", true],
])('what is over its time and %s is ended with all of its group', async (_, script, byForce) => {
  const bench = makeBench(history.pool, { budget: '{ max_seconds: 1, hard_timeout: 1s }' });
  const pidFile = join(makeTempFolder(), 'pid');
  const ended = await bench.exec(sh(`echo $$ > ${pidFile}; ${script}`));
  expect(ended).toMatchObject({ result: { timedOut: { afterMs: 1_000, byForce } } });
  const group = Number(readFileSync(pidFile, 'utf8'));
  expect(describeGroup(group)).toBe('');
  const [row] = await bench.rows();
  expect(row).toMatchObject({ outcome: 'timed_out', exitCode: 1 });
  expect(row?.reason).toContain('sh had not ended by the hard timeout of 1 s and was sent SIGTERM');
});

it('a signal is passed on, and whoever it stops was cancelled', async () => {
  const bench = makeBench(history.pool);
  const running = bench.exec(
    node(`process.on('SIGTERM', () => process.exit(9)); console.log('ready'); setTimeout(() => {}, 60_000)`),
  );
  await eventually(async () => bench.stdout.toString() === 'ready\n');
  bench.signals.emit('SIGTERM');
  expect(await running).toMatchObject({ result: { exitCode: 9, stoppedBy: 'SIGTERM' } });
  expect(await bench.rows()).toMatchObject([
    { outcome: 'cancelled', reason: expect.stringMatching(/^somebody stopped it by SIGTERM; node\S* exited with 9/) },
  ]);
  expect(bench.signals.eventNames()).toEqual([]);
});

it('a second one at the same time does not run, and names the first; the row is of the work', async () => {
  const bench = makeBench(history.pool);
  const first = bench.exec(sh('echo ready; sleep 1; echo worked'));
  await eventually(async () => bench.stdout.toString() === 'ready\n');
  const second = await bench.exec(sh('echo must not run'));
  expect(second).toMatchObject({ kind: 'locked', holder: { pid: process.pid, isOrphan: false } });
  await first;
  expect(bench.stdout.toString()).toBe('ready\nworked\n');
  expect(await bench.rows()).toMatchObject([{ outcome: 'completed', flags: ['repeated'] }]);
  expect((await bench.exec(sh('true'))).kind).toBe('ran');
});

it('whoever was locked out does not take the row while nobody knows which tick it is', async () => {
  const bench = makeBench(history.pool);
  const gate = join(makeTempFolder(), 'gate');
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  const first = bench.exec(
    sh(`echo ready; while [ ! -e ${gate} ]; do sleep 0.05; done`),
    {},
    { known: undefined, find: () => opened.then(() => bench.activity) },
  );
  await eventually(async () => bench.stdout.toString() === 'ready\n');
  let asked = 0;
  const second = await bench.exec(
    sh('echo must not run'),
    {},
    {
      known: undefined,
      find: () => ((asked += 1) === 1 ? Promise.reject(new Error('away')) : Promise.resolve(bench.activity)),
    },
  );
  expect(second).toMatchObject({ kind: 'locked', reported: { row: { outcome: 'lock_skipped' } } });
  open();
  writeFileSync(gate, '');
  await first;
  expect(await bench.rows()).toMatchObject([{ outcome: 'completed', certainty: 'witnessed' }]);
});

it('a lock that is held for an earlier tick is a row of its own, which names the holder', async () => {
  const bench = makeBench(history.pool, { sources: '{ local-timer: { every: 1s } }' });
  const first = bench.exec(sh('echo ready; sleep 2.2'));
  await eventually(async () => bench.stdout.toString() === 'ready\n');
  const begun = Date.now();
  await eventually(async () => Date.now() - begun > 1_100);
  await bench.exec(sh('echo must not run'));
  await first;
  const rows = await bench.rows();
  expect(rows.map(({ outcome }) => outcome)).toEqual(['lock_skipped', 'completed']);
  expect(rows[0]?.reason).toMatch(
    new RegExp(`^another run of it is at work on this machine since \\S+Z \\(pid ${process.pid}\\); nothing was done$`),
  );
});

it.each([
  ['a lock skip', { status: 'lock_skipped' }, { outcome: 'lock_skipped', assessment: 'none' }],
  [
    'an error of its own',
    { status: 'x', automation_error: 'no disk', assessment_failures: [] },
    { outcome: 'automation_error' },
  ],
  [
    'what it found',
    {
      status: 'completed',
      automation_error: null,
      assessment_failures: [{ target: 'a', rule: 'C-05', message: 'differs' }],
    },
    {
      outcome: 'completed',
      assessment: 'failed',
      assessmentFailures: [{ target: 'a', rule: 'C-05', message: 'differs' }],
    },
  ],
])('under judgement an answer that tells of %s is judged as the answer of a sweep', async (_, answer, expected) => {
  const bench = makeBench(history.pool);
  await bench.exec(['echo', JSON.stringify(answer)], { isJudged: true });
  expect(await bench.rows()).toMatchObject([expected]);
});

it('under judgement what is no JSON, or too long, is an automation error', async () => {
  const bench = makeBench(history.pool, { sources: '{ local-timer: { every: 1s } }' });
  await bench.exec(['echo', 'Bad Gateway'], { isJudged: true });
  await bench.exec(sh('head -c 2000000 /dev/zero | tr "\\0" " "'), { isJudged: true });
  const rows = await bench.rows();
  expect(rows.map(({ outcome }) => outcome)).toEqual(rows.map(() => 'automation_error'));
  const reasons = rows.map(({ reason }) => reason).join('\n');
  expect(reasons).toContain('Bad Gateway');
});

it.each([
  ['start', (question: number) => question === 1, 'sleep 2.2', { waiting: 0, flags: [] }],
  ['end', (question: number) => question > 1, 'sleep 0.5', { waiting: 1, flags: ['spooled'] }],
  ['start and the end', () => true, 'true', { waiting: 1, flags: ['spooled'] }],
])('a history that is away at the %s costs nothing but time', async (_, isAway, work, { waiting, flags }) => {
  const bench = makeBench(history.pool);
  const away = await openAway();
  let questions = 0;
  // The first question of each report finds a server, or none.
  const find = async () => {
    questions += 1;
    if (isAway(questions)) await away.query('SELECT 1');
    return bench.activity;
  };
  const ended = await bench.exec(sh(`${work}; exit 4`), {}, { find });
  await away.end();
  expect(ended).toMatchObject({ result: { exitCode: 4 } });
  expect(bench.spool.names()).toHaveLength(waiting);
  endExecs(bench);
  expect(await bench.flush()).toMatchObject({ delivered: waiting, vanished: 0 });
  expect(await bench.rows()).toMatchObject([
    { outcome: 'automation_error', reason: 'sh exited with 4', flags, certainty: 'witnessed' },
  ]);
  expect(bench.spool.names()).toEqual([]);
});

/** As if this process had ended since. */
function endExecs({ spool }: Bench): void {
  for (const entry of spool.names().flatMap((name) => spool.read(name) ?? [])) {
    spool.update({ ...entry, exec: { pid: 1, startToken: 'of another time' } });
  }
}

it('a history that takes connections and says nothing is left alone after its time', async () => {
  const silent = await openSilentPort();
  const bench = makeBench(history.pool);
  bench.pool = openHistory(`postgres://u:p@127.0.0.1:${silent.port}/x`);
  const startedMs = Date.now();
  const ended = await bench.exec(sh('exit 5'));
  silent.close();
  expect(ended).toMatchObject({ result: { exitCode: 5 }, reported: { missing: expect.stringMatching(/away|slow/) } });
  expect(Date.now() - startedMs).toBeLessThan(20_000);
  expect(bench.spool.names()).toHaveLength(1);
});

it('without a spool the run is reported all the same', async () => {
  const bench = makeBench(history.pool);
  await bench.exec(sh('true'), {}, { spool: undefined });
  expect(await bench.rows()).toMatchObject([{ outcome: 'completed' }]);
});

it('a definition that nobody knows is run; under strict rules it is not', async () => {
  const bench = makeBench(history.pool);
  const unknown = { known: undefined, find: () => Promise.resolve(undefined) };
  expect(await bench.exec(sh('echo ran'), {}, unknown)).toMatchObject({ reported: { missing: 'unknown_definition' } });
  expect(bench.stdout.toString()).toBe('ran\n');
  expect(bench.spool.names()).toHaveLength(1);
  expect(await bench.exec(sh('echo ran'), { isStrict: true }, unknown)).toEqual({
    kind: 'refused',
    unknown: 'definition',
  });
  expect(await bench.exec(sh('echo ran'), { isStrict: true, source: 'locl-timer' })).toEqual({
    kind: 'refused',
    unknown: 'source',
  });
  expect(bench.stdout.toString()).toBe('ran\n');
  expect(readdirSync(bench.spool.folder).filter((name) => name.endsWith('.json'))).toHaveLength(1);
});

it('a source that the definition does not name has rows that belong to no tick', async () => {
  const bench = makeBench(history.pool);
  await bench.exec(sh('true'), { source: 'laptop' });
  const [row] = await bench.rows();
  expect(row).toMatchObject({ source: 'laptop', outcome: 'completed', flags: ['between_ticks'] });
  expect(row?.scheduledAt).toBe(row?.startedAt);
});
