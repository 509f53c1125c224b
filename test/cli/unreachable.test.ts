import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, readTestSetting } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { writeDefinition } from '../support/definitions.ts';
import { expectExit, runActcore, spawnActcore, startActcore, writeFolder } from './support/actcore.ts';
import type { DeadEnd } from './support/dead-ends.ts';
import {
  findClosedPort,
  findUnknownHost,
  openBlackHole,
  openForgetful,
  openLettingGo,
  openSilentPort,
} from './support/dead-ends.ts';
import { slackMs } from '../support/slack.ts';

const deadEnds = {
  'a closed port': findClosedPort,
  'a port that accepts and never answers': openSilentPort,
  'a black hole': openBlackHole,
  'a host without an address': findUnknownHost,
};

const longestMs = 10_000 + slackMs;
const password = 'Secret-4711';
const folder = writeFolder({ 'a.md': writeDefinition('test.unreachable') });

/** One error, one line of advice, and nothing of the program's inside. */
function expectSentence(stderr: string, address: string): void {
  const lines = stderr.split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain(address);
  expect(lines[0]).toMatch(/^error: (Temporal|The history) \S/);
  expect(lines[1]).toMatch(/^ {2}\S/);
  expect(stderr).not.toMatch(/\n\s+at |node_modules|Secret/);
}

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** Runs a command against an address where nobody answers. */
async function runInto(
  open: () => Promise<DeadEnd>,
  args: string[],
  envOf: (address: string) => Record<string, string>,
) {
  const end = await open();
  const address = `${end.host}:${end.port}`;
  const ended = await spawnActcore(args, { env: envOf(address) });
  end.close();
  return { ...ended, address };
}

const asTemporal = (address: string) => ({ TEMPORAL_ADDRESS: address, ACTCORE_DATABASE_URL: database.url });
const asHistory = (address: string) => ({
  ACTCORE_DATABASE_URL: `postgres://operator:${password}@${address}/history`,
});

it.each([
  ...Object.entries(deadEnds).map(([name, open]) => [name, open, ['plan', folder]] as const),
  ...[
    ['apply', folder],
    ['list'],
    ['canary', `${folder}/a.md`],
    ['worker'],
    ['audit'],
    ['rebuild', '--since', '1h'],
  ].map((args) => ['a closed port', findClosedPort, args] as const),
  ...[['plan', folder], ['list']].map((args) => ['a server that lets go of calls', openLettingGo, args] as const),
])('%s as TEMPORAL_ADDRESS (%#): one sentence, exit code 3, within 10 s', async (_, open, args) => {
  const ended = await runInto(open, [...args], asTemporal);
  expectSentence(ended.stderr, ended.address);
  expect(ended).toMatchObject({ exitCode: 3, stdout: '' });
  expect(ended.tookMs).toBeLessThan(longestMs);
});

it.each([
  ...Object.entries(deadEnds).map(([name, open]) => [name, open, ['runs']] as const),
  ...[['run', randomUUID()], ['migrate']].map((args) => ['a closed port', findClosedPort, args] as const),
])('%s as ACTCORE_DATABASE_URL (%#): one sentence, exit code 3, within 10 s', async (_, open, args) => {
  const ended = await runInto(open, [...args], asHistory);
  expectSentence(ended.stderr, `${ended.address}/history`);
  expect(ended).toMatchObject({ exitCode: 3, stdout: '' });
  expect(ended.tookMs).toBeLessThan(longestMs);
});

describe('a history that answers and cannot be used', () => {
  const changeUrl = (change: (url: URL) => void) => {
    const url = new URL(database.url);
    change(url);
    return url.href;
  };
  const cases: [string, () => string, number, RegExp, RegExp][] = [
    [
      'a wrong password',
      () => changeUrl((url) => (url.password = password)),
      3,
      /refuses this user or password/,
      /ACTCORE_DATABASE_URL/,
    ],
    ['no password', () => changeUrl((url) => (url.password = '')), 3, /wants a password/, /ACTCORE_DATABASE_URL/],
    [
      'a wrong user',
      () => changeUrl((url) => (url.username = 'nobody')),
      3,
      /refuses this user/,
      /ACTCORE_DATABASE_URL/,
    ],
    ['a wrong database', () => changeUrl((url) => (url.pathname = '/nowhere')), 3, /no such database/, /Create it/],
    ['no tables', () => database.url, 1, /has no tables yet/, /actcore migrate/],
    [
      'a server without TLS where TLS is wanted',
      () => changeUrl((url) => url.searchParams.set('sslmode', 'verify-full')),
      3,
      /TLS: .*SSL/,
      /sslmode/,
    ],
  ];

  it.each(cases)('%s: one sentence that names it, never the password', async (_, makeUrl, exitCode, says, advises) => {
    const url = new URL(makeUrl());
    const ended = await runActcore(['runs'], { env: { ACTCORE_DATABASE_URL: url.href } });
    expectSentence(ended.stderr, `${url.host}${url.pathname}`);
    const [message, advice] = ended.stderr.split('\n');
    expect(message).toMatch(says);
    expect(advice).toMatch(advises);
    expect(ended).toMatchObject({ exitCode, stdout: '' });
    expect(ended.stderr).not.toContain(new URL(database.url).password);
  });

  it.each([
    'nonsense',
    `mysql://u:${password}@127.0.0.1/x`,
    `postgres://u:${password}@127.0.0.1:99999/x`,
    `postgres://u:${password}#/@127.0.0.1/x`,
  ])('a value that is no URL of Postgres is refused without being quoted: %s', async (url) => {
    const ended = await runActcore(['runs'], { env: { ACTCORE_DATABASE_URL: url } });
    expect(ended.stderr).toMatch(
      /^error: ACTCORE_DATABASE_URL is not the URL of a Postgres database\n {2}It reads .*$/,
    );
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  });

  it('none at all says how to get one', async () => {
    const ended = await runActcore(['runs']);
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^error: No history is configured\n {2}Set ACTCORE_DATABASE_URL/);
  });
});

it('a namespace that the server does not have is named', async () => {
  const address = readTestSetting('ACTCORE_TEST_TEMPORAL_ADDRESS');
  const ended = await runActcore(['list'], { env: { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'nowhere' } });
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toMatch(
    /^error: Temporal at \S+ has no namespace nowhere\n {2}Create it, or set TEMPORAL_NAMESPACE/,
  );
});

it.each(['GetSystemInfo', 'ListSchedules'])(
  'a server that is there and loses a question is asked again: %s',
  async (call) => {
    const ended = await runInto(() => openForgetful([call]), ['list'], asTemporal);
    expectExit(ended, 0);
  },
);

it('an interrupt ends a command that waits for a server', async () => {
  const end = await openBlackHole();
  const child = startActcore(['list'], { env: { TEMPORAL_ADDRESS: `${end.host}:${end.port}` } });
  await sleep(2_500);
  const startedAt = Date.now();
  child.kill('SIGINT');
  const ended = await child;
  end.close();
  expect(ended.exitCode).toBe(130);
  expect(ended.stderr).toBe('');
  expect(Date.now() - startedAt).toBeLessThan(2_000 + slackMs);
});
