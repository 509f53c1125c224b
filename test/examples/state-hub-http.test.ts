import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSheet } from '../../examples/state-hub/demo-repos.ts';
import { startStateHub } from '../../examples/state-hub/server.ts';
import { postSweep, startTestHub, type TestHub } from './support/hub.ts';
import { startTestPostgres, type TestPostgres } from './support/postgres.ts';

let postgres: TestPostgres;
let harness: TestHub;
let guarded: TestHub;

beforeAll(async () => {
  postgres = startTestPostgres();
  harness = await startTestHub(await postgres.createDatabase());
  guarded = await startTestHub(await postgres.createDatabase(), { token: 's3cret' });
}, 60_000);
afterAll(async () => {
  await harness?.close();
  await guarded?.close();
  await postgres?.stop();
});

async function readError(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toContain('application/json');
  return ((await response.json()) as { error: string }).error;
}

test.each([
  ['no JSON', '{', 'the body is not JSON'],
  ['an empty body', '', 'the body is not JSON'],
  ['a list', '[]', 'body: '],
  ['null', 'null', 'body: '],
  ['a missing key', '{"max_seconds":1,"source":"x"}', 'run_id: '],
  ['a text for a number', '{"max_seconds":"1","source":"x","run_id":"y"}', 'max_seconds: '],
  ['no budget', '{"max_seconds":0,"source":"x","run_id":"y"}', 'max_seconds: '],
  ['a budget beyond a day', '{"max_seconds":1e9,"source":"x","run_id":"y"}', 'max_seconds: '],
  ['a number for a text', '{"max_seconds":1,"source":5,"run_id":"y"}', 'source: '],
  ['an empty text', '{"max_seconds":1,"source":"","run_id":"y"}', 'source: '],
  ['a text that no row can hold', '{"max_seconds":1,"source":"a\\u0000b","run_id":"y"}', 'source: '],
  ['an unknown key', '{"max_seconds":1,"source":"x","run_id":"y","max_second":2}', 'max_second'],
])('a sweep with %s is 400 and says what is wrong', async (_name, body, said) => {
  const response = await postSweep(harness.hub.url, {}, { body });
  expect(response.status).toBe(400);
  expect(await readError(response)).toContain(said);
});

test('all that is wrong with a body is said at once', async () => {
  const error = await readError(await postSweep(harness.hub.url, {}, { body: '{"max_seconds":-1,"source":1}' }));
  for (const key of ['max_seconds: ', 'source: ', 'run_id: ']) expect(error).toContain(key);
});

test('a body that is too large is 413, with and without its length given', async () => {
  const body = JSON.stringify({ max_seconds: 1, source: 'x', run_id: 'y', pad: 'x'.repeat(1_000_000) });
  const response = await postSweep(harness.hub.url, {}, { body });
  expect([response.status, await readError(response)]).toEqual([413, 'the body is larger than 65536 bytes']);
  const status = await new Promise((resolve, reject) => {
    const chunked = httpRequest(`${harness.hub.url}/consistency/sweep/remote-all`, { method: 'POST' }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    chunked.on('error', reject);
    chunked.end(body.repeat(3));
  });
  expect(status).toBe(413);
});

test.each([
  ['GET', '/consistency/sweep/remote-all', 405, 'POST'],
  ['POST', '/progress', 405, 'GET'],
  ['DELETE', '/repos', 405, 'GET'],
  ['GET', '/', 404, null],
  ['GET', '/healthz/', 404, null],
  ['GET', '/constructor', 404, null],
  ['GET', '/%zz', 404, null],
])('%s %s is %i', async (method, path, status, allow) => {
  const response = await fetch(harness.hub.url + path, { method });
  expect([response.status, response.headers.get('allow')]).toEqual([status, allow]);
  expect(await readError(response)).toContain(path);
});

test.each(['0', '-1', '1001', 'x', '1.5', '1e2', ''])('a limit of "%s" is 400', async (limit) => {
  const response = await fetch(`${harness.hub.url}/progress?limit=${limit}`);
  expect([response.status, await readError(response)]).toEqual([400, 'limit: must be a whole number from 1 to 1000']);
});

test('progress lists the newest events first, as many as asked for', async () => {
  for (const run_id of ['one', 'two', 'three']) await harness.sweep({ run_id });
  const response = await fetch(`${harness.hub.url}/progress?limit=2`);
  const { events } = (await response.json()) as { events: { id: unknown; detail: { run_id: string } }[] };
  expect(events.map(({ detail }) => detail.run_id)).toEqual(['three', 'two']);
  expect(events[0]?.id).toMatch(/^\d+$/);
});

test('repos are listed with what the last sweep found in each', async () => {
  await harness.addRepo('r', { 'workplans/a.md': writeSheet({ id: 'WP-1', title: 'One', status: 'wip' }) });
  const before = await (await fetch(`${harness.hub.url}/repos`)).json();
  expect(before).toMatchObject({ repos: [{ repo: 'r', last_result: null }] });
  await harness.sweep({ run_id: 'seen' });
  expect(await (await fetch(`${harness.hub.url}/repos`)).json()).toMatchObject({
    repos: [
      {
        repo: 'r',
        last_result: { run_id: 'seen', status: 'ok', failures: 1, assessment_failures: [{ repo: 'r', rule: 'C-03' }] },
      },
    ],
  });
});

test('clones in the folder are registered at the start', async () => {
  const other = await startStateHub({
    databaseUrl: await postgres.createDatabase(),
    reposDir: harness.reposDir,
    port: 0,
  });
  const listed = await (await fetch(`${other.url}/repos`)).json();
  await other.close();
  expect(listed).toMatchObject({ repos: [{ repo: 'r' }] });
});

test.each([
  ['no token', undefined, 'a bearer token is needed'],
  ['a wrong token', 'Bearer s3cre', 'the bearer token is wrong'],
  ['another scheme', 'Basic s3cret', 'the bearer token is wrong'],
  ['an empty token', 'Bearer ', 'the bearer token is wrong'],
])('with %s everything but /healthz is 401', async (_name, authorization, said) => {
  const headers = authorization === undefined ? {} : { authorization };
  for (const path of ['/progress', '/repos', '/nothing']) {
    const response = await fetch(guarded.hub.url + path, { headers });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(await readError(response)).toBe(said);
  }
  expect((await postSweep(guarded.hub.url, {}, { headers })).status).toBe(401);
  expect((await fetch(`${guarded.hub.url}/healthz`, { headers })).status).toBe(200);
  expect(await guarded.query('select 1 from state_hub.progress_events')).toEqual([]);
});

test('with the token requests are answered', async () => {
  const response = await postSweep(guarded.hub.url, {}, { headers: { authorization: 'Bearer s3cret' } });
  expect([response.status, await response.json()]).toMatchObject([200, { status: 'completed' }]);
});

test('a start on a port that is taken or a folder that is not there is refused', async () => {
  const { databaseUrl } = harness;
  await expect(startStateHub({ databaseUrl, port: harness.hub.port })).rejects.toThrow('EADDRINUSE');
  await expect(startStateHub({ databaseUrl, port: 0, reposDir: '/nowhere' })).rejects.toThrow('ENOENT');
});
