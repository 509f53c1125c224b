import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSelfEndpoint } from '../../worker/self-endpoint.ts';
import type { SelfEndpoint } from '../../worker/self-endpoint.ts';

let endpoint: SelfEndpoint;

beforeAll(async () => {
  endpoint = await openSelfEndpoint({
    '/echo': async (body) => ({ got: body }),
    '/broken': () => Promise.reject(new Error('the history is away')),
  });
});

afterAll(() => endpoint.close());

async function ask(path: string, init: RequestInit = {}, token = endpoint.variables.ACTCORE_SELF_TOKEN) {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(endpoint.variables.ACTCORE_SELF_URL + path, { method: 'POST', headers, ...init });
  const body: unknown = await response.json();
  return { status: response.status, body };
}

it('does what a run of this worker asks for', async () => {
  expect(await ask('/echo', { body: '{"a":1}' })).toEqual({ status: 200, body: { got: { a: 1 } } });
  expect(await ask('/echo')).toEqual({ status: 200, body: { got: {} } });
});

it('listens on loopback only, under a token of its own', async () => {
  const other = await openSelfEndpoint({});
  try {
    expect(new URL(endpoint.variables.ACTCORE_SELF_URL).hostname).toBe('127.0.0.1');
    expect(other.variables.ACTCORE_SELF_TOKEN).not.toBe(endpoint.variables.ACTCORE_SELF_TOKEN);
    expect(endpoint.variables.ACTCORE_SELF_TOKEN.length).toBeGreaterThanOrEqual(32);
  } finally {
    await other.close();
  }
});

it.for([
  ['a request without the token', '/echo', { body: '{}' }, 'wrong', 401],
  ['a path that is not there', '/other', { body: '{}' }, undefined, 404],
  ['a path that every object has', '/constructor', { body: '{}' }, undefined, 404],
  ['another method', '/echo', { method: 'GET' }, undefined, 405],
  ['a body that is no JSON', '/echo', { body: '{' }, undefined, 400],
  ['a body that is no object', '/echo', { body: '[1]' }, undefined, 400],
  ['a body of 100 kB', '/echo', { body: JSON.stringify('x'.repeat(100_000)) }, undefined, 400],
] as const)('refuses %s', async ([, path, init, token, status]) => {
  const answer = await ask(path, init, token);
  expect(answer).toMatchObject({ status, body: { error: expect.any(String) } });
});

it('answers 503 with the reason when the work cannot be done', async () => {
  expect(await ask('/broken')).toEqual({ status: 503, body: { error: 'the history is away' } });
});
